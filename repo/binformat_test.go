package repo

import (
	"bytes"
	"testing"
)

// What is accepted is what Discard writes.
func FuzzBinEntry(f *testing.F) {
	for _, rec := range []binRecord{{File: make([]byte, documentHead)}, {File: make([]byte, 100), At: 1, Who: "reed", Until: 1 << 33, Why: "keeping 2 daily"}} {
		b, err := canonical.Marshal(&rec)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decodeEntry(b)
		if err != nil {
			return
		}
		rec := binRecord{File: d.file, At: d.At.Unix(), Who: d.Who, Why: d.Why}
		if !d.Until.IsZero() {
			rec.Until = d.Until.Unix()
		}
		again, err := canonical.Marshal(&rec)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is accepted, and written again it is %x (%v)", b, again, err)
		}
	})
}
