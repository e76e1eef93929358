package repo_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"io/fs"
	"math/rand/v2"
	"testing"

	"chartkeep/index"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
)

func reserved(t *testing.T, st storage.Store) []byte {
	t.Helper()
	b, err := storage.ReadAll(t.Context(), st, "reserve", 64<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	must(t, err)
	return b
}

func TestTheReserveTakesSpaceUntilItIsGivenUp(t *testing.T) {
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st})
	must(t, r.KeepReserve(t.Context()))
	first := reserved(t, st)
	if len(first) != 256<<10 {
		t.Fatalf("%d bytes are reserved in an empty repository, want 256 KiB", len(first))
	}
	var squeezed bytes.Buffer
	w, err := flate.NewWriter(&squeezed, flate.BestSpeed)
	must(t, err)
	_, err = w.Write(first)
	must(t, errors.Join(err, w.Close()))
	if squeezed.Len() < len(first) {
		t.Errorf("a file system can squeeze it into %d bytes of %d", squeezed.Len(), len(first))
	}
	must(t, r.KeepReserve(t.Context()))
	if !bytes.Equal(reserved(t, st), first) {
		t.Error("it was laid anew although it was there")
	}
	freed, err := r.GiveUpReserve(t.Context())
	if must(t, err); freed != 256<<10 || reserved(t, st) != nil {
		t.Errorf("giving it up frees %d bytes, and leaves %d", freed, len(reserved(t, st)))
	}
	freed, err = r.GiveUpReserve(t.Context())
	if must(t, err); freed != 0 {
		t.Errorf("without one, %d bytes are given up", freed)
	}
}

func TestTheReserveGrowsWithTheRepository(t *testing.T) {
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st})
	must(t, r.KeepReserve(t.Context()))
	w := writer(t, r)
	lane := w.Lane(index.Data)
	block := make([]byte, 512<<10)
	for i := range byte(160) { // 80 MiB of noise
		rand.NewChaCha8([32]byte{i}).Read(block)
		_, _, err := lane.Put(block)
		must(t, err)
	}
	must(t, w.Flush())
	must(t, r.KeepReserve(t.Context()))
	if n := len(reserved(t, st)); n < 80<<20/128 || n > 90<<20/128 {
		t.Errorf("%d bytes are reserved for 80 MiB, want a 128th", n)
	}
}

func TestTheReserveLeavesSevenEighthsOfWhatIsFree(t *testing.T) {
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st})
	t.Cleanup(func() { st.Capacity = 0 })
	fillTo(st, t, 8*(256<<10)-1)
	must(t, r.KeepReserve(t.Context()))
	if reserved(t, st) != nil {
		t.Error("it takes more than an eighth")
	}
	fillTo(st, t, 8*(256<<10))
	must(t, r.KeepReserve(t.Context()))
	if reserved(t, st) == nil {
		t.Error("there is room for it, and it is not laid")
	}
	fillTo(st, t, 0)
	must(t, r.KeepReserve(t.Context()))
	if reserved(t, st) == nil {
		t.Error("it was given up for nothing")
	}
}
