package repo

import (
	"bytes"
	"testing"
)

// What is accepted is what an encoder writes: bytes with another meaning, or the
// same meaning in other bytes, are refused.
func FuzzCheckLog(f *testing.F) {
	for _, runs := range [][]checksRun{{}, {{When: 1, Packs: make([]byte, 16)}}, {{When: -5}, {When: 1 << 40, Packs: []byte("12345678")}}} {
		b, err := canonical.Marshal(&checksRecord{runs})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l := &CheckLog{when: map[packMark]int64{}}
		if l.decode(b) != nil {
			return
		}
		var rec checksRecord
		if err := unmarshalCanonical(b, &rec); err != nil {
			t.Fatal(err)
		}
		again, err := canonical.Marshal(&rec)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is accepted, and written again it is %x (%v)", b, again, err)
		}
		marks := 0
		for _, run := range rec.Runs {
			marks += len(run.Packs) / len(packMark{})
		}
		if len(l.when) > marks {
			t.Errorf("%d packs of %d", len(l.when), marks)
		}
	})
}
