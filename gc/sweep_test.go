package gc_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"chartkeep/gc"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

// A backup that runs between the plan and the deletion finds in the repository
// what the plan takes for useless, and builds on it.
func TestPruneSparesWhatABackupHasBegunToUse(t *testing.T) {
	scan, pano, xray := noise(1, 3*mib), noise(2, 3*mib), noise(3, 3*mib)
	for name, again := range map[string]evening{
		"of a pack to delete":  {"/again": scan},
		"of a pack to rewrite": {"/again": pano},
		"of both":              {"/again": scan, "/other": pano},
	} {
		t.Run(name, func(t *testing.T) {
			r := repotest.New(t, repotest.Options{})
			old := backup(t, r, evening{"/scan": scan})
			half := backup(t, r, evening{"/x/pano": pano, "/x/xray": xray})
			n := evening{"/x/xray": xray}
			s := backup(t, r, n)
			forget(t, r, old)
			forget(t, r, half)
			p := plan(t, r, gc.PruneOptions{})
			if p.Delete == 0 || p.Rewrite == 0 {
				t.Fatalf("the plan deletes %d packs and rewrites %d, want both", p.Delete, p.Rewrite)
			}

			late := backup(t, repotest.Reopen(t, r, repo.Options{}), again)
			if late.Summary.DataAdded > mib {
				t.Fatalf("the backup stored %d bytes anew: it uses nothing", late.Summary.DataAdded)
			}

			if err := p.Run(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			wantEvening(t, r, s, n)
			wantEvening(t, r, late, again)
		})
	}
}

// Two programs may have stored the same at once. Each prune keeps one copy; two
// prunes at once must not delete both.
func TestTwoPrunesAtOnceLeaveOneCopy(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	other := repotest.Reopen(t, r, repo.Options{})
	for _, each := range []*repo.Repository{r, other} {
		if _, err := each.Index(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	n := evening{"/scan": noise(1, 3*mib)}
	s, twice := backup(t, r, n), backup(t, other, n)
	for _, each := range []*repo.Repository{r, other} {
		if err := each.SyncIndex(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first, second := plan(t, r, gc.PruneOptions{}), plan(t, other, gc.PruneOptions{})
	if first.Delete == 0 || second.Delete == 0 {
		t.Fatalf("the plans delete %d and %d packs, want some each", first.Delete, second.Delete)
	}
	if err := first.Run(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	wantError(t, second.Run(t.Context(), 0), gc.ErrOvertaken)
	wantEvening(t, r, s, n)
	wantEvening(t, r, twice, n)
}

// Whatever call of the store is the last one of a prune that dies, everything
// needed can be restored, and the next prune ends the work.
func TestPruneCanBeKilledAtAnyMoment(t *testing.T) {
	model := mem.New()
	r := repotest.New(t, repotest.Options{Store: model})
	old := backup(t, r, evening{"/x/a": noise(1, 130<<10), "/x/b": noise(2, 130<<10), "/x/c": noise(3, 600)})
	gone := backup(t, r, evening{"/d": noise(4, 90<<10)})
	n := evening{"/x/b": noise(2, 130<<10), "/x/c": noise(3, 600), "/e": noise(5, 100)}
	s := backup(t, r, n)
	forget(t, r, old)
	forget(t, r, gone)
	code := crypt.NewRecoveryCode() // opens without a costly derivation
	if _, err := r.AddRecovery(t.Context(), code, ""); err != nil {
		t.Fatal(err)
	}
	key := []byte(code.String())

	// What is stored changes with these calls only.
	for _, last := range []storagetest.Op{storagetest.Put, storagetest.Remove} {
		for skip := 0; ; skip++ {
			st := clone(t, model)
			faulty := storagetest.NewFaulty(st)
			faulty.Fail(storagetest.Fault{Op: last, Skip: skip, Forever: true})
			err := tryPrune(t, faulty, key)
			if err != nil && !errors.Is(err, storagetest.ErrInjected) {
				t.Fatalf("killed at %s %d: %v", last, skip, err)
			}
			after := reopen(t, st, key)
			wantAll(t, after, s, n)
			wantHalvesOnly(t, after)
			prune(t, after, gc.PruneOptions{})
			wantPruned(t, reopen(t, st, key), s, n)
			if t.Failed() {
				t.Fatalf("killed at %s %d", last, skip)
			}
			if err == nil {
				break
			}
		}
	}
}

// wantHalvesOnly allows for one copy of two of what was being made or removed.
func wantHalvesOnly(t *testing.T, r *repo.Repository) {
	t.Helper()
	for _, f := range repotest.Check(t, r) {
		if !f.Mendable || !errors.Is(f.Problem, fs.ErrNotExist) {
			t.Errorf("check: %s: %v", f.File, f.Problem)
		}
	}
}

func wantPruned(t *testing.T, r *repo.Repository, s *snapshot.Snapshot, n evening) {
	t.Helper()
	wantAll(t, r, s, n)
	wantUnused(t, r, 0.05)
	if unlisted, err := r.UnlistedPacks(t.Context()); err != nil || len(unlisted) > 0 {
		t.Errorf("%d packs are left over (%v)", len(unlisted), err)
	}
	repotest.CheckClean(t, r)
}

func clone(t *testing.T, st *mem.Store) *mem.Store {
	t.Helper()
	ctx := context.Background()
	copied := mem.New()
	for info, err := range st.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		b, err := storage.ReadAll(ctx, st, info.Name, 64*mib)
		if err == nil {
			err = copied.Put(ctx, info.Name, b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

func reopen(t *testing.T, st storage.Store, key []byte) *repo.Repository {
	t.Helper()
	r, err := repo.Open(context.Background(), st, key, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func tryPrune(t *testing.T, st storage.Store, key []byte) error {
	return tryPruneOn(t, st, key, time.Now())
}

func tryPruneOn(t *testing.T, st storage.Store, key []byte, now time.Time) error {
	r, err := repo.Open(t.Context(), st, key, repo.Options{})
	if err != nil {
		return storagetest.ErrInjected // killed before it could begin
	}
	defer r.Close()
	p, err := gc.PlanPrune(t.Context(), r, gc.PruneOptions{Now: now})
	if err != nil {
		return err
	}
	return p.Run(t.Context(), 0)
}

func TestPruneWaitsForTheExclusiveLockOnlyToDelete(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	old := backup(t, r, evening{"/a": noise(1, mib)})
	n := evening{"/b": noise(2, mib)}
	s := backup(t, r, n)
	forget(t, r, old)
	held, err := r.Lock(t.Context(), storage.Shared, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := plan(t, r, gc.PruneOptions{})
	wantError(t, p.Run(t.Context(), 0), storage.ErrLocked)
	wantEvening(t, r, s, n)

	time.AfterFunc(20*time.Millisecond, func() { held.Close() })
	if err := p.Run(t.Context(), time.Minute); err != nil {
		t.Errorf("after the other run has ended: %v", err)
	}
	wantEvening(t, r, s, n)
}

func TestPruneLeavesPacksItCannotRead(t *testing.T) {
	r := repotest.New(t, repotest.Options{Damaged: true, Init: repo.InitOptions{}})
	old := backup(t, r, evening{"/x/a": noise(1, 3*mib), "/x/b": noise(2, 3*mib)})
	n := evening{"/x/b": noise(2, 3*mib)}
	s := backup(t, r, n)
	forget(t, r, old)
	victim := largest(t, r)
	for at := int64(mib / 2); at < 6*mib; at += 100 << 10 {
		spoil(t, r, packFile(victim), at)
	}
	again := repotest.Reopen(t, r, repo.Options{})
	p := prune(t, again, gc.PruneOptions{})
	if len(p.Unreadable) != 1 {
		t.Errorf("%d packs are named as unreadable, want the damaged one", len(p.Unreadable))
	}
	if all, _ := packs(t, r); !contains(all, victim) {
		t.Error("the damaged pack was deleted, and with it what can still be read of it")
	}
	_ = s
}

func largest(t *testing.T, r *repo.Repository) (id index.PackID) {
	ix, err := r.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var size uint32
	for info := range ix.Packs() {
		if info.Size > size {
			id, size = info.ID, info.Size
		}
	}
	return id
}

func contains(all []index.PackID, id index.PackID) bool {
	for _, p := range all {
		if p == id {
			return true
		}
	}
	return false
}

// What is damaged and needed stays, in case it can be mended after all; what a
// later backup has stored anew goes, and its record with it.
func TestPruneRemovesDamageThatIsHealed(t *testing.T) {
	ctx := context.Background()
	r := repotest.New(t, repotest.Options{})
	n := evening{"/a": noise(1, 3*mib)}
	first := backup(t, r, n)
	hurt := largest(t, r)
	ix, _ := r.Index(ctx)
	d, err := ix.Directory(hurt)
	if err != nil {
		t.Fatal(err)
	}
	record(t, r, index.DamagedBlock{Pack: hurt, Offset: d.Blocks[1].Offset})

	p := prune(t, r, gc.PruneOptions{})
	if all, _ := packs(t, r); p.Lost != 1 || !contains(all, hurt) {
		t.Fatalf("%d packs stay for what is lost in them, want the damaged one", p.Lost)
	}

	second := backup(t, r, n) // stores the lost chunks anew
	prune(t, r, gc.PruneOptions{})
	if all, _ := packs(t, r); contains(all, hurt) {
		t.Error("the damaged pack is still there, though nothing in it is lost")
	}
	if n := files(t, r, "damage"); n != 0 {
		t.Errorf("%d records of damage are left", n)
	}
	wantEvening(t, r, first, n)
	wantEvening(t, r, second, n)
}

// A copy that is damaged is no reason to delete the other one.
func TestPruneDoesNotCountOnDamagedCopies(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	other := repotest.Reopen(t, r, repo.Options{})
	if _, err := other.Index(t.Context()); err != nil {
		t.Fatal(err)
	}
	scan := evening{"/scan": noise(1, 3*mib)}
	keeper := evening{"/scan": noise(1, 3*mib), "/x": noise(2, 3*mib)}
	old := backup(t, r, keeper)
	hurt := largest(t, r)
	backupOld := backup(t, other, scan) // the same, a second time
	s := backup(t, r, evening{"/x": noise(2, 3*mib)})
	forget(t, r, old)
	forget(t, r, backupOld)
	ix, _ := r.Index(t.Context())
	d, err := ix.Directory(hurt)
	if err != nil {
		t.Fatal(err)
	}
	_ = s
	p := plan(t, repotest.Reopen(t, r, repo.Options{}), gc.PruneOptions{MaxUnused: unlimited})
	// Meanwhile the scan comes back, and its copy beside /x turns out damaged.
	late := backup(t, repotest.Reopen(t, r, repo.Options{}), scan)
	var blocks []index.DamagedBlock
	for _, b := range d.Blocks {
		blocks = append(blocks, index.DamagedBlock{Pack: hurt, Offset: b.Offset})
	}
	record(t, r, blocks...)
	if err := p.Run(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	again := repotest.Reopen(t, r, repo.Options{})
	lost := false
	ix, err = again.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = snapshot.Walk(t.Context(), again, &late.Root, "/", func(_ string, n *snapshot.Node, err error) error {
		for ref, err := range snapshot.Chunks(t.Context(), again, n.Content) {
			has, hasErr := ix.Has(ref.ID)
			if err := errors.Join(err, hasErr); err != nil {
				return err
			}
			lost = lost || !has
		}
		return err
	})
	if err != nil || lost {
		t.Errorf("the good copy was deleted (%v)", err)
	}
}

// record says that blocks are beyond repair, as a check does.
func record(t *testing.T, r *repo.Repository, blocks ...index.DamagedBlock) {
	t.Helper()
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := w.RecordDamage(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
}
