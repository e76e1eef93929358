package index

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
)

func TestAddedPacksAreForgottenWhenNotImported(t *testing.T) {
	dir := t.TempDir()
	ix := openTemp(t, dir)
	added, imported := syntheticPack(0, 0, 3000), syntheticPack(0, 5000, 3000)
	for _, d := range []*Directory{added, imported} {
		if err := ix.Add(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := ix.Import("night", []*Directory{imported}); err != nil {
		t.Fatal(err)
	}
	if ok, err := ix.Has(syntheticID(0, 0)); !ok || err != nil {
		t.Fatal("added pack is not known", err)
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	ix = openTemp(t, dir)
	defer ix.Close()
	if ok, err := ix.Has(syntheticID(0, 0)); ok || err != nil {
		t.Fatal("pack that no segment lists is known", err)
	}
	if ok, err := ix.Has(syntheticID(0, 7999)); !ok || err != nil {
		t.Fatal("imported pack is not known", err)
	}
}

func TestInvalidDirectoriesAreNotImported(t *testing.T) {
	ix := NewMemory()
	d := syntheticPack(0, 0, 10)
	d.Size = 1
	if ix.Add(d) == nil || ix.Import("night", []*Directory{d}) == nil {
		t.Fatal("accepted")
	}
	if names, err := ix.Segments(); len(names) > 0 || err != nil {
		t.Fatal(names, err)
	}
}

func TestClosedIndexFails(t *testing.T) {
	for name, ix := range map[string]*Index{"memory": NewMemory(), "disk": openTemp(t, t.TempDir())} {
		if err := ix.Import("night", []*Directory{syntheticPack(0, 0, 3000)}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ix.Close(), ix.Close()); err != nil {
			t.Fatal(err)
		}
		_, hasErr := ix.Has(syntheticID(0, 0))
		_, claimErr := ix.Claim(syntheticID(0, 0))
		_, segmentsErr := ix.Segments()
		var packsErr error
		for _, packsErr = range ix.Packs() {
		}
		for what, err := range map[string]error{
			"Has": hasErr, "Claim": claimErr, "Segments": segmentsErr, "Packs": packsErr,
			"Import": ix.Import("other", nil), "Add": ix.Add(syntheticPack(0, 5000, 3000)), "Forget": ix.Forget("night"),
		} {
			if err == nil {
				t.Errorf("%s of closed index in %s succeeds", what, name)
			}
		}
	}
}

// Directories are read for whole repositories. If their parts stayed at hand, a first backup would fill all that
// is allowed for look-ups with what nobody looks up.
func TestReadDirectoriesDoNotStayInMemory(t *testing.T) {
	ix := openTemp(t, t.TempDir())
	defer ix.Close()
	dirs := syntheticSegment(0, 0, 100_000, 5000)
	if err := ix.Import("night", dirs); err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		got, err := ix.Directory(d.Pack)
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Fatalf("directory of pack %v differs: %v", d.Pack, err)
		}
	}
	if n := ix.shelf.parts.size; n > 0 {
		t.Errorf("%d bytes stay", n)
	}
}

// An unchanged dump is looked up chunk by chunk, from the first to the last. What is at hand of that must not grow
// with the dump.
func TestPartsAtHandAreBounded(t *testing.T) {
	const limit, chunks = 16 << 20, 150_000 // 5.5 MB of parts
	ix, err := Open(t.TempDir(), [32]byte{1}, Options{MemoryLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	if err := ix.Import("night", syntheticSegment(0, 0, chunks, 5000)); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(chunks) {
		if ok, err := ix.Has(syntheticID(0, n)); !ok || err != nil {
			t.Fatal("a chunk is lost: ", err)
		}
	}
	if n := ix.shelf.parts.size + ix.shelf.recent.size; n > limit/8 {
		t.Errorf("%d bytes of parts are at hand", n)
	}
}

// What is mapped is little, so that the files are closed and opened again all the time.
func TestLookupsGoOnWhileFilesAreReopened(t *testing.T) {
	dir := t.TempDir()
	ix, err := Open(dir, [32]byte{1}, Options{MemoryLimit: 8 << 20, foldEntries: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	const segments, chunks = 6, 12_000
	var wg sync.WaitGroup
	done := make(chan int, segments)
	wg.Go(func() {
		defer close(done)
		for n := range segments {
			if err := ix.Import(fmt.Sprint(n), syntheticSegment(0, uint64(n)*chunks, uint64(n+1)*chunks, 2000)); err != nil {
				t.Error(err)
				return
			}
			done <- n
		}
	})
	for range 3 {
		wg.Go(func() {
			for last := range done {
				for i := uint64(0); i < uint64(last+1)*chunks; i += 241 {
					places, err := ix.Lookup(syntheticID(0, i))
					if err != nil || len(places) != 1 {
						t.Errorf("chunk %d is at %v: %v", i, places, err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestRemovedValuesGiveTheirRoomBack(t *testing.T) {
	dir := t.TempDir()
	const values, size = 100, 100 << 10 // 10 MB in each round
	for round := range uint32(6) {
		ix := openTemp(t, dir)
		var fresh []record
		var old []key
		for i := range values {
			fresh = append(fresh, record{key: newKey('x', round, i), value: make([]byte, size)})
			old = append(old, newKey('x', round-1, i))
		}
		if err := ix.shelf.put(fresh); err != nil {
			t.Fatal(err)
		}
		ix.shelf.remove(old)
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
	}
	used := int64(0)
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		used += info.Size()
		return err
	})
	if err != nil || used > 35<<20 {
		t.Fatalf("%d MB for 10: %v", used>>20, err)
	}
}

func TestCacheOfGapsIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	open := func() *Index {
		ix, err := Open(dir, [32]byte{1}, Options{maxGaps: 20_000})
		if err != nil {
			t.Fatal(err)
		}
		return ix
	}
	ix := open()
	for n := range 5 {
		if err := ix.Import(fmt.Sprint(n), syntheticSegment(uint64(n), 0, 10_000, 4000)); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			if err := ix.Forget(fmt.Sprint(n - 1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	ix = open()
	defer ix.Close()
	if names, err := ix.Segments(); len(names) > 0 || err != nil || ix.Chunks() > 0 {
		t.Fatal(names, ix.Chunks(), err)
	}
}

func TestFoldDropsWhatIsGone(t *testing.T) {
	ix, err := Open(t.TempDir(), [32]byte{1}, Options{foldEntries: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	for n := range uint64(10) {
		if err := ix.Import(fmt.Sprint(n), syntheticSegment(n, 0, 1500, 500)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ix.Forget("1", "2", "3", "4"); err != nil {
		t.Fatal(err)
	}
	if ix.base.entries != 9000 || ix.delta.entries != 0 {
		t.Fatalf("%d entries in the base and %d in the delta for 9000 chunks", ix.base.entries, ix.delta.entries)
	}
}

func TestFullDiskStopsNothing(t *testing.T) {
	dir := t.TempDir()
	free := uint64(1 << 40)
	open := func() (*Index, error) {
		return Open(dir, [32]byte{1}, Options{room: func(string) (uint64, error) { return free, nil }})
	}
	ix, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if err := ix.Import("before", crashSegment(0)); err != nil {
		t.Fatal(err)
	}
	free = 1 << 20
	if err := ix.Import("after", crashSegment(1)); err != nil {
		t.Fatal(err)
	}
	checkSegment(t, ix, 0, true)
	checkSegment(t, ix, 1, true)
	if err := ix.Close(); !errors.Is(err, errFull) {
		t.Fatalf("Close says nothing of the full disk: %v", err)
	}
	if state, err := os.ReadFile(filepath.Join(dir, "state")); string(state) != stateOpen {
		t.Fatalf("files were not left as they are, but %q: %v", state, err)
	}
	if _, err := open(); !errors.Is(err, errFull) {
		t.Fatalf("opened on a full disk: %v", err)
	}
	free = 1 << 40
	if ix, err = open(); err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	checkSegment(t, ix, 0, true)
	checkSegment(t, ix, 1, false)
}
