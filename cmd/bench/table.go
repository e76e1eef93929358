package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
)

// A table is one of a practice's database, as a dump of it reads. It is made as it
// is read, at more than a gigabyte a second, so that a dump of any length can be
// streamed. Rows change in runs of neighbours.
type table struct {
	seed     uint64
	text     []byte
	pattern  string
	versions []uint16 // of each run: how often it was changed
	rows     uint64
	deleted  bool // one row in 5,000 is gone
}

const rowsOfRun = 25

// How rows are chosen to be changed.
const (
	inRuns    = "runs"      // runs of neighbours, anywhere
	scattered = "scattered" // as many rows, each on its own
	newest    = "newest"    // runs, half of them in the newest tenth of the rows
)

var patterns = []string{inRuns, scattered, newest}

// averageRow is about how long a row is, bytes.
const averageRow = 92

func newTable(seed uint64, pattern string, rows uint64) *table {
	r := rand.New(rand.NewPCG(seed, 77))
	t := &table{seed: seed, pattern: pattern, rows: rows, text: make([]byte, 0, 4<<20)}
	for len(t.text) < 4<<20-128 {
		t.text = sentence(t.text, r, 8)
	}
	t.versions = make([]uint16, rows/rowsOfRun+1)
	return t
}

// change has a share of the rows change, and adds some: half as many.
func (t *table) change(r *rand.Rand, share float64) {
	if t.pattern == scattered {
		share *= rowsOfRun
	}
	n := len(t.versions)
	for i := range t.versions {
		p := share
		if t.pattern == newest {
			p = share * 5 / 9
			if i > n*9/10 {
				p = share * 5
			}
		}
		if r.Float64() < p {
			t.versions[i]++
		}
	}
	if t.pattern == scattered {
		share /= rowsOfRun
	}
	t.rows += uint64(float64(t.rows) * share / 2)
	t.versions = append(t.versions, make([]uint16, int(t.rows/rowsOfRun)+1-n)...)
}

// version is how often a row was changed.
func (t *table) version(key uint64) uint64 {
	run := key / rowsOfRun
	v := uint64(t.versions[run])
	if v > 0 && t.pattern == scattered && key%rowsOfRun != mix(t.seed, run, 1)%rowsOfRun {
		return 0
	}
	return v
}

func (t *table) reader() io.Reader {
	return &tableReader{t: t, buf: append(make([]byte, 0, 1<<20), "-- dump\n"...)}
}

// tableReader is a dump that is being read.
type tableReader struct {
	t   *table
	key uint64
	buf []byte
	at  int
}

func (r *tableReader) Read(p []byte) (int, error) {
	if r.at == len(r.buf) {
		r.buf, r.at = r.buf[:0], 0
		for ; r.key < r.t.rows && len(r.buf) < cap(r.buf)-4096; r.key++ {
			r.buf = r.t.row(r.buf, r.key)
		}
		if len(r.buf) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, r.buf[r.at:])
	r.at += n
	return n, nil
}

// row appends one row: numbers, a date, and a remark.
func (t *table) row(b []byte, key uint64) []byte {
	if key%500 == 0 {
		b = append(b, "\nINSERT INTO procedurelog VALUES "...)
	}
	h := mix(t.seed, key, t.version(key))
	if t.deleted && h%5000 == 0 {
		return b
	}
	number := func(of uint64) uint64 { n := h % of; h /= of; return n }
	b = append(strconv.AppendUint(append(b, '('), key, 10), ',')
	b = append(strconv.AppendUint(b, number(30_000), 10), ",'20"...)
	for i, of := range [...]uint64{26, 12, 28} {
		n := number(of)
		if i > 0 {
			n++
			b = append(b, '-')
		}
		b = append(b, byte('0'+n/10), byte('0'+n%10))
	}
	b = append(strconv.AppendUint(append(b, "',"...), number(900), 10), ".50,'D"...)
	b = append(strconv.AppendUint(b, 1000+number(9000), 10), "','"...)
	h = mix(t.seed, key, h)
	length := 20 + number(60)
	at := number(uint64(len(t.text)) - length)
	return append(append(b, t.text[at:at+length]...), "'),"...)
}

// mix is a hash of three numbers (the finisher of SplitMix64, Steele and others, 2014).
func mix(a, b, c uint64) uint64 {
	h := a*0x9e3779b97f4a7c15 ^ b*0xbf58476d1ce4e5b9 ^ c*0x94d049bb133111eb
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

func checkPattern(p string) error {
	for _, known := range patterns {
		if p == known {
			return nil
		}
	}
	return fmt.Errorf("-pattern %s: want one of %v", p, patterns)
}
