package mem_test

import (
	"errors"
	"testing"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return mem.New() })
}

func TestAFullStoreTakesNothingAndKeepsWhatItHas(t *testing.T) {
	st := &mem.Store{Capacity: 100}
	put := func(name string, size int) error { return st.Put(t.Context(), name, make([]byte, size)) }
	if err := put("a", 60); err != nil {
		t.Fatal(err)
	}
	if err := put("b", 41); !errors.Is(err, storage.ErrNoSpace) {
		t.Fatalf("error is %v, want ErrNoSpace", err)
	}
	if _, err := st.Open(t.Context(), "b"); err == nil {
		t.Error("what did not fit is there")
	}
	if err := st.Replace(t.Context(), "a", make([]byte, 100)); err != nil {
		t.Errorf("the old file counts beside the new one: %v", err)
	}
	if err := st.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if free, total, err := st.Space(t.Context()); free != 100 || total != 100 || err != nil {
		t.Errorf("free %d of %d, %v", free, total, err)
	}
}
