package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartkeep/cmd/internal/ui"
)

// practice is an invented practice: attachments in a folder for each letter of
// the alphabet, and the dump of a database. It is the same each time.
type practice struct {
	dir  string
	last time.Time // when the first day's last file was written
	rows int
}

const (
	patientsPerLetter = 2
	firstRows         = 12_000
	nextRows          = 150
)

// open is the practice on the first day.
func (o *practice) open() error {
	o.rows = firstRows
	for letter := 'A'; letter <= 'Z'; letter++ {
		for n := range patientsPerLetter {
			if err := o.patient(letter, n); err != nil {
				return err
			}
		}
	}
	if err := o.dump(0); err != nil {
		return err
	}
	return filepath.WalkDir(o.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, o.last, o.last))
	})
}

func (o *practice) describe() string {
	return fmt.Sprintf("X-rays and letters of %s, and a database dump", ui.Counted(26*patientsPerLetter, "patient"))
}

// folder is a patient's. A number stands for the name.
func (o *practice) folder(letter rune, n int) string {
	return filepath.Join(o.dir, "attachments", string(letter), fmt.Sprintf("%c%d", letter, 1001+n))
}

// file is named so that one of them can be found by its name.
func (o *practice) file(letter rune, n int, kind string) string {
	dir := o.folder(letter, n)
	return filepath.Join(dir, filepath.Base(dir)+"-"+kind)
}

func (o *practice) patient(letter rune, n int) error {
	if err := os.MkdirAll(o.folder(letter, n), 0o755); err != nil {
		return err
	}
	seed := uint64(letter)<<8 + uint64(n)
	if err := os.WriteFile(o.file(letter, n, "pano.jpg"), xray(seed, 30<<10+int(seed*7919%(60<<10))), 0o644); err != nil {
		return err
	}
	return os.WriteFile(o.file(letter, n, "letter.txt"), letterText(letter, n, "Your appointment was a success."), 0o644)
}

// xray is noise: like a compressed picture, nothing makes it smaller.
func xray(seed uint64, size int) []byte {
	var key [32]byte
	copy(key[:], fmt.Sprintf("xray %d", seed))
	b := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(b)
	copy(b, "\xff\xd8\xff\xe0")
	return b
}

func letterText(letter rune, n int, news string) []byte {
	text := fmt.Sprintf("Dear patient %c%d,\n\n%s\n", letter, 1001+n, news)
	return []byte(text + strings.Repeat("Please brush your teeth twice a day, and come again in half a year.\n", 20))
}

// dump writes the database as of a day. A few rows differ from day to day, and
// some are added.
func (o *practice) dump(day int) error {
	var b bytes.Buffer
	b.WriteString("CREATE TABLE procedures (id INT PRIMARY KEY, patient CHAR(5), code CHAR(5), fee DECIMAL(8,2), note TEXT);\n")
	random := rand.New(rand.NewPCG(1, 1))
	for id := range o.rows {
		patient := fmt.Sprintf("%c%d", 'A'+rune(random.IntN(26)), 1001+random.IntN(patientsPerLetter))
		code, fee, note := random.IntN(10_000), random.IntN(900_00), "planned"
		if id%100 < 40*day && id%1000 < 100 {
			note = "completed"
		}
		fmt.Fprintf(&b, "INSERT INTO procedures VALUES (%d,'%s','D%04d',%d.%02d,'%s');\n", id+1, patient, code, fee/100, fee%100, note)
	}
	return os.WriteFile(filepath.Join(o.dir, "dump.sql"), b.Bytes(), 0o644)
}

// nextDay changes what a day changes. It returns the X-ray that is deleted.
func (o *practice) nextDay() (lost string, pano []byte, err error) {
	if err := os.WriteFile(o.file('B', 0, "bitewing.jpg"), xray(1, 80<<10), 0o644); err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(o.file('S', 1, "letter.txt"), letterText('S', 1, "Your crown is ready."), 0o644); err != nil {
		return "", nil, err
	}
	o.rows += nextRows
	if err := o.dump(1); err != nil {
		return "", nil, err
	}
	lost = o.file('M', 1, "pano.jpg")
	if pano, err = os.ReadFile(lost); err != nil {
		return "", nil, err
	}
	return lost, pano, os.Remove(lost)
}
