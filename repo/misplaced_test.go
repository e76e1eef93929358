package repo

import (
	"errors"
	"testing"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/mem"
)

// twoChunks stores two chunks of the same length in one block and returns the
// directory of their pack.
func twoChunks(t *testing.T, r *Repository) (*index.Directory, [2]chunk.ID) {
	t.Helper()
	w, err := r.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	lane := w.Lane(index.Data)
	var ids [2]chunk.ID
	for i, data := range []string{"what the first patient said", "what the other patient says"} {
		if ids[i], _, err = lane.Put([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	places, err := r.Places(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.index.Directory(places[0].Pack)
	if err != nil {
		t.Fatal(err)
	}
	return d, ids
}

// TestAnIndexThatPlacesChunksWronglyNeverMakesOneAnother has the index say of two
// chunks that each lies where the other does. Everything opens, and yet neither
// may be read as the other.
func TestAnIndexThatPlacesChunksWronglyNeverMakesOneAnother(t *testing.T) {
	r, err := Init(t.Context(), mem.New(), []byte("x"), InitOptions{KDF: crypt.MinKDF}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d, ids := twoChunks(t, r)
	chunks := d.Blocks[0].Chunks
	chunks[0].ID, chunks[1].ID = chunks[1].ID, chunks[0].ID
	r.index = index.NewMemory()
	if err := r.index.Add(d); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if data, err := r.Load(t.Context(), id); !errors.Is(err, ErrDamaged) {
			t.Errorf("Load reads %q, %v", data, err)
		}
	}
	pieces := []Piece{{Block: d.Blocks[0].Offset, Length: chunks[0].Length}}
	err = r.ReadPack(t.Context(), d.Pack, pieces, func(got Delivery) error {
		if !errors.Is(got.Err, ErrDamaged) {
			t.Errorf("ReadPack reads %q, %v", got.Data, got.Err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var faults []Fault
	err = r.Check(t.Context(), CheckOptions{ReadData: []index.PackID{d.Pack}, Fault: func(f Fault) { faults = append(faults, f) }})
	if err != nil || len(faults) == 0 {
		t.Errorf("the check finds %v, %v", faults, err)
	}
}
