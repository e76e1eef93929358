package gc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"chartkeep/gc"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

// crowded is a repository in which much is not needed any more, on a drive
// without a free byte. One segment names all packs, of which some can go, some
// hold a little that is needed, and some are needed.
func crowded(t *testing.T) (st *mem.Store, key []byte, s *snapshot.Snapshot, n evening) {
	st = mem.New()
	r := repotest.New(t, repotest.Options{Store: st})
	t.Cleanup(func() { st.Capacity = 0 })
	n = evening{}
	var old []*snapshot.Snapshot
	for i := range uint64(20) {
		tonight := evening{fmt.Sprintf("/gone/%d", i): noise(100+i, 600<<10)}
		if i%4 == 3 {
			name := fmt.Sprintf("/x/%d", i)
			tonight[name] = noise(i, 200<<10)
			n[name] = tonight[name]
		}
		old = append(old, backup(t, r, tonight))
	}
	s = backup(t, r, n)
	prune(t, r, gc.PruneOptions{MaxRepack: -1})
	if segments := files(t, r, "index"); segments != 1 {
		t.Fatalf("%d segments, want one", segments)
	}
	for _, o := range old {
		forget(t, r, o)
	}
	code := crypt.NewRecoveryCode() // opens without a costly derivation
	if _, err := r.AddRecovery(t.Context(), code, ""); err != nil {
		t.Fatal(err)
	}
	free(t, st, 0)
	return st, []byte(code.String()), s, n
}

// free leaves so much room in a store.
func free(t *testing.T, st *mem.Store, bytes uint64) {
	t.Helper()
	st.Capacity = 0
	left, total, err := st.Space(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st.Capacity = total - left + bytes
}

func TestPruneBeginsOnADriveWithoutAFreeByte(t *testing.T) {
	st, key, s, n := crowded(t)
	_, before := packs(t, reopen(t, st, key))
	prune(t, reopen(t, st, key), gc.PruneOptions{})
	if _, after := packs(t, reopen(t, st, key)); after > before/8 {
		t.Errorf("%d bytes are left of %d", after, before)
	}
	st.Capacity = 0
	wantPruned(t, reopen(t, st, key), s, n)
}

// Whatever room there is, a prune does what it can, and the next one ends it.
func TestPruneMakesUseOfTheRoomThereIs(t *testing.T) {
	model, key, s, n := crowded(t)
	for room := range 8 {
		st := clone(t, model)
		free(t, st, uint64(room)*100<<10)
		prune(t, reopen(t, st, key), gc.PruneOptions{})
		wantAll(t, reopen(t, st, key), s, n)
		st.Capacity = 0
		prune(t, reopen(t, st, key), gc.PruneOptions{})
		wantPruned(t, reopen(t, st, key), s, n)
		if t.Failed() {
			t.Fatalf("with %d KiB free", room*100)
		}
	}
}

// A prune that dies on a full drive, at whatever call, has lost nothing.
func TestPruneCanBeKilledOnAFullDrive(t *testing.T) {
	model, key, s, n := crowded(t)
	for skip := 0; ; skip += 1 + skip/3 {
		st := clone(t, model)
		free(t, st, 0)
		faulty := storagetest.NewFaulty(st)
		faulty.Fail(storagetest.Fault{Op: storagetest.Remove, Skip: skip, Forever: true})
		err := tryPrune(t, faulty, key)
		if err != nil && !errors.Is(err, storagetest.ErrInjected) && !errors.Is(err, storage.ErrNoSpace) {
			t.Fatalf("killed at %d: %v", skip, err)
		}
		wantAll(t, reopen(t, st, key), s, n)
		prune(t, reopen(t, st, key), gc.PruneOptions{})
		wantAll(t, reopen(t, st, key), s, n)
		st.Capacity = 0
		prune(t, reopen(t, st, key), gc.PruneOptions{})
		wantPruned(t, reopen(t, st, key), s, n)
		if t.Failed() {
			t.Fatalf("killed at %d", skip)
		}
		if err == nil {
			return
		}
	}
}

// The reserve is given up before packs go ahead of the segments that name them,
// and laid again when there is room.
func TestPruneLivesOnTheReserve(t *testing.T) {
	st, key, s, n := crowded(t)
	r := reopen(t, st, key)
	free(t, st, 4*mib)
	if err := r.KeepReserve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files(t, r, "") == filesWithout(t, r, "reserve") {
		t.Fatal("no reserve was laid")
	}
	free(t, st, 0)
	rec := storagetest.NewRecorder(st)
	prune(t, reopen(t, rec, key), gc.PruneOptions{})
	for _, c := range rec.Calls(storagetest.Remove) {
		if strings.HasPrefix(c.Name, "packs/") {
			t.Errorf("%s went before there was a segment without it", c.Name)
		}
		if strings.HasPrefix(c.Name, "index/") {
			break
		}
	}
	wantUnused(t, reopen(t, st, key), 0.05)
	wantAll(t, reopen(t, st, key), s, n)
}

func filesWithout(t *testing.T, r *repo.Repository, name string) (n int) {
	for info, err := range r.Store().List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Name != name {
			n++
		}
	}
	return n
}
