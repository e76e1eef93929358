package postgres

import (
	"encoding/binary"
	"strconv"
)

// A toc is the table of contents of an archive in pg_dump's custom format, after
// its head (definitions.go):
//
//	database ‖ server's version ‖ pg_dump's version ‖ number of entries ‖ entries
//
// An integer is a byte for its sign and its bytes, the lowest first; a text is
// its length and its bytes, or -1. (WriteToc in pg_backup_archiver.c)
type toc struct {
	head    []byte // up to the number of entries
	version byte   // minor version of the format: 14 to 16
	integer int    // bytes of an integer
	offset  int    // bytes of an offset
	entries []tocEntry
}

// A tocEntry is one thing to be made, or a table's rows.
type tocEntry struct {
	id      int
	section int
	kind    string // TABLE, TABLE DATA, …
	schema  string
	name    string
	bytes   []byte // all of it
}

// Sections of an archive.
const (
	sectionNone = iota + 1
	sectionPreData
	sectionData
	sectionPostData
)

// tocReader takes an archive apart. After what is not as it should be, it gives
// zeros and failed is set.
type tocReader struct {
	b       []byte
	at      int
	integer int
	failed  bool
}

func (r *tocReader) take(n int) []byte {
	if n < 0 || n > len(r.b)-r.at {
		r.failed = true
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at]
}

func (r *tocReader) int() int {
	b := r.take(1 + r.integer)
	if b == nil {
		return 0
	}
	var wide [8]byte
	copy(wide[:], b[1:])
	v := int(binary.LittleEndian.Uint64(wide[:]))
	if b[0] != 0 {
		return -v
	}
	return v
}

func (r *tocReader) text() (string, bool) {
	n := r.int()
	if n < 0 {
		return "", false
	}
	return string(r.take(n)), true
}

// parseTOC reads the archive of a database's definitions.
func parseTOC(archive []byte) (*toc, error) {
	if err := clearTime(archive); err != nil {
		return nil, err
	}
	t := &toc{version: archive[6], integer: int(archive[8]), offset: int(archive[9])}
	if t.version > 16 || t.offset > 8 {
		return nil, errArchive
	}
	r := &tocReader{b: archive, at: 11 + 1, integer: t.integer}
	if t.version < 15 {
		r.take(t.integer)
	}
	r.take(7 * (1 + t.integer))
	for range 3 {
		r.text()
	}
	if r.failed {
		return nil, errArchive
	}
	t.head = archive[:r.at]
	n := r.int()
	for i := 0; i < n && !r.failed; i++ {
		t.entries = append(t.entries, t.entry(r))
	}
	if r.failed {
		return nil, errArchive
	}
	return t, nil
}

func (t *toc) entry(r *tocReader) (e tocEntry) {
	start := r.at
	e.id = r.int()
	r.int() // whether data follows
	r.text()
	r.text() // numbers in the catalog
	e.name, _ = r.text()
	e.kind, _ = r.text()
	e.section = r.int()
	for range 3 { // statements that make it, drop it, copy into it
		r.text()
	}
	e.schema, _ = r.text()
	r.text() // tablespace
	r.text() // access method
	if t.version >= 16 {
		r.int() // kind of table
	}
	r.text() // owner
	r.text() // "false": it has no OIDs
	for more := true; more && !r.failed; {
		_, more = r.text() // what it depends on
	}
	r.take(1 + t.offset) // where its data lies
	if !r.failed {
		e.bytes = r.b[start:r.at]
	}
	return e
}

// tocWriter makes entries.
type tocWriter struct {
	*toc
	b    []byte
	last int // the highest number of an entry
}

func (w *tocWriter) int(v int) {
	sign := byte(0)
	if v < 0 {
		sign, v = 1, -v
	}
	var wide [8]byte
	binary.LittleEndian.PutUint64(wide[:], uint64(v))
	w.b = append(append(w.b, sign), wide[:w.integer]...)
}

func (w *tocWriter) text(s string) {
	w.int(len(s))
	w.b = append(w.b, s...)
}

// An addition is an entry to be written.
type addition struct {
	kind, schema, name string
	section            int
	make               string // the statement that makes it
	drop               string // and that drops it; pg_restore gives an owner only to what has one
	copy               string // the statement that takes its data
	data               bool   // data follows
	owner              string
	needs              int // number of the entry that it depends on, or 0
}

// add appends an entry and returns its number.
func (w *tocWriter) add(a addition) int {
	w.last++
	w.int(w.last)
	if a.data {
		w.int(1)
	} else {
		w.int(0)
	}
	w.text("0")
	w.text("0")
	w.text(a.name)
	w.text(a.kind)
	w.int(a.section)
	w.text(a.make)
	w.text(a.drop)
	w.text(a.copy)
	if a.schema == "" {
		w.int(-1)
	} else {
		w.text(a.schema)
	}
	w.int(-1)
	w.int(-1)
	if w.version >= 16 {
		w.int(0)
	}
	w.text(a.owner)
	w.text("false")
	if a.needs != 0 {
		w.text(strconv.Itoa(a.needs))
	}
	w.int(-1)
	const unknown, none = 1, 3 // the offset
	state := byte(none)
	if a.data {
		state = unknown
	}
	w.b = append(append(w.b, state), make([]byte, w.offset)...)
	return w.last
}
