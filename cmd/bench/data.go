package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// data are the folders that are saved: practice, of large and small files, and
// many, of small ones only. They are made once.
type data struct {
	root             string
	seed             uint64
	megabytes, files int
	pattern          string
	changed          float64 // percent of the rows
}

func (d data) practice() string { return filepath.Join(d.root, "practice") }
func (d data) many() string     { return filepath.Join(d.root, "many") }
func (d data) dump(day int) string {
	return filepath.Join(d.root, fmt.Sprintf("dump%d.sql", day))
}

// one is the file that is restored alone, below practice.
const one = "images/A/0000.jpg"

// make writes what is not there yet. A mark at the end says that it is complete.
func (d data) make() error {
	mark := filepath.Join(d.root, fmt.Sprintf("made-%d-%d-%d-%s-%g", d.seed, d.megabytes, d.files, d.pattern, d.changed))
	if _, err := os.Stat(mark); err == nil {
		return d.setDay(0)
	}
	if err := os.RemoveAll(d.root); err != nil {
		return err
	}
	mb := d.megabytes
	for _, write := range []func() error{
		func() error { return d.images(mb * 38 / 100) },
		func() error { return d.volumes(mb * 23 / 100) },
		func() error { return d.letters(mb * 15 / 100) },
		func() error { return d.dumps(mb * 23 / 100) },
		d.smallFiles,
	} {
		if err := write(); err != nil {
			return err
		}
	}
	if err := d.setDay(0); err != nil {
		return err
	}
	return os.WriteFile(mark, nil, 0o644)
}

// setDay puts the dump of a day in its place, by a link, and the files that the
// second day adds.
func (d data) setDay(day int) error {
	at, added := filepath.Join(d.practice(), "dump.sql"), filepath.Join(d.practice(), "images", "added")
	if err := errors.Join(os.RemoveAll(at), os.RemoveAll(added)); err != nil {
		return err
	}
	if err := os.Link(d.dump(day), at); err != nil || day == 0 {
		return err
	}
	return d.fill(added, ".jpg", d.megabytes*2/1000, d.source(9), image)
}

func (d data) source(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(d.seed, stream)) }

func (d data) images(mb int) error {
	return d.spread("images", ".jpg", mb, d.source(1), image)
}

func (d data) volumes(mb int) error {
	return d.fill(filepath.Join(d.practice(), "volumes"), ".dcm", mb, d.source(2), volume)
}

func (d data) letters(mb int) error {
	return d.spread("letters", ".rtf", mb, d.source(3), letter)
}

// spread fills a folder for each of some letters of the alphabet.
func (d data) spread(folder, ext string, mb int, r *rand.Rand, content func(*rand.Rand) []byte) error {
	const patients = "ABCDEFGH"
	for _, c := range patients {
		if err := d.fill(filepath.Join(d.practice(), folder, string(c)), ext, (mb+len(patients)-1)/len(patients), r, content); err != nil {
			return err
		}
	}
	return nil
}

// fill writes files until they are mb together.
func (d data) fill(dir, ext string, mb int, r *rand.Rand, content func(*rand.Rand) []byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, left := 0, mb*1_000_000; left > 0; i++ {
		b := content(r)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d%s", i, ext)), b, 0o644); err != nil {
			return err
		}
		left -= len(b)
	}
	return nil
}

// image is what compression cannot change, of 0.2 to 2 MB.
func image(r *rand.Rand) []byte {
	b := noise(r, 200_000+r.IntN(1_800_000))
	copy(b, "\xff\xd8\xff\xe0\x00\x10JFIF\x00")
	return b
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b[:n]
}

// volume is an X-ray volume of 20 to 60 MB: samples of 12 bits, 7 of them noise.
func volume(r *rand.Rand) []byte {
	b := make([]byte, 0, 60_000_000)
	b = append(b, make([]byte, 128)...)
	b = append(b, "DICM"...)
	for n := 10_000_000 + r.IntN(20_000_000); n > 0; n-- {
		density := 600 + (n/512%64)*40
		b = binary.LittleEndian.AppendUint16(b, uint16(density+r.IntN(128))&0xfff)
	}
	return b
}

var words = strings.Fields(`appointment confirmed radiograph upper molar anaesthesia filling composite patient reports pain lower left
	crown prepared impression sent laboratory recall months hygiene instructions given denture adjusted extraction uneventful sutures removed
	periodontal pocket depth unchanged prescription insurance claim submitted balance paid referral orthodontist panoramic image reviewed`)

func sentence(b []byte, r *rand.Rand, n int) []byte {
	for range n {
		b = append(append(b, words[r.IntN(len(words))]...), ' ')
	}
	return b
}

// letter is text of 10 to 200 KB, with a picture of no lesser length every other
// time.
func letter(r *rand.Rand) []byte {
	b := []byte(`{\rtf1\ansi\deff0 `)
	for n := 10_000 + r.IntN(190_000); len(b) < n; {
		b = append(sentence(b, r, 12), "\\par\r\n"...)
	}
	if r.IntN(2) == 0 {
		b = append(b, noise(r, len(b))...)
	}
	return append(b, '}')
}

// dumps writes the database as it is on two days: on the second one some rows
// have changed, some are new, and a few are gone.
func (d data) dumps(mb int) error {
	t := newTable(d.seed, d.pattern, uint64(mb)*1_000_000/averageRow)
	for day := range 2 {
		if day > 0 {
			t.change(d.source(5), d.changed/100)
			t.deleted = true
		}
		f, err := os.Create(d.dump(day))
		if err != nil {
			return err
		}
		_, err = io.Copy(f, t.reader())
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// smallFiles writes the tree of files of 1 to 8 KB: messages of a clearing house
// and thumbnails.
func (d data) smallFiles() error {
	r := d.source(4)
	if err := os.MkdirAll(d.many(), 0o755); err != nil {
		return err
	}
	for i := range d.files {
		dir := filepath.Join(d.many(), fmt.Sprintf("%03d", i/4000), fmt.Sprintf("%02d", i/40%100))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		n := 1000 + r.IntN(7000)
		b := noise(r, n)
		if i%2 == 0 {
			b = sentence(b[:0], r, n/9)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d", i)), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// same reports the first file of want that is not in got with the same bytes.
func same(want, got string) error {
	return filepath.WalkDir(want, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(want, path)
		if err != nil {
			return err
		}
		return sameFile(path, filepath.Join(got, rel))
	})
}

func sameFile(want, got string) error {
	a, err := os.Open(want)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := os.Open(got)
	if err != nil {
		return err
	}
	defer b.Close()
	var x, y [32 << 10]byte // small: see makeApart
	for {
		n, errX := io.ReadFull(a, x[:])
		m, errY := io.ReadFull(b, y[:])
		if string(x[:n]) != string(y[:m]) {
			return fmt.Errorf("%s came back with other bytes", want)
		}
		if errX != nil || errY != nil {
			return nil // both have ended, or n and m would differ
		}
	}
}
