package gc_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"testing"

	"chartkeep/gc"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

const mib = 1 << 20

// unlimited lets any number of bytes stay unused.
func unlimited(int64) int64 { return math.MaxInt64 }

func TestPruneGivesBackWhatForgottenSnapshotsTook(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	old := backup(t, r, evening{"/scan.dcm": noise(1, 3*mib), "/letter.txt": []byte("Dear colleague")})
	second := evening{"/pano.dcm": noise(2, 3*mib), "/letter.txt": []byte("Dear colleague")}
	s := backup(t, r, second)
	_, before := packs(t, r)
	forget(t, r, old)

	p := prune(t, r, gc.PruneOptions{})

	_, after := packs(t, r)
	if freed := before - after; freed < 3*mib {
		t.Errorf("%d bytes came back, want 3 MiB", freed)
	}
	if p.Freed < 3*mib {
		t.Errorf("the plan promised %d bytes, want 3 MiB", p.Freed)
	}
	wantUnused(t, r, 0.05)
	wantEvening(t, r, s, second)
}

func TestPruneDeletesNothingThatIsNeeded(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	n := evening{"/a": noise(1, mib), "/b": noise(2, 100)}
	s := backup(t, r, n)
	before, _ := packs(t, r)
	p := prune(t, r, gc.PruneOptions{})
	if !p.Nothing() {
		t.Errorf("the plan deletes %d and rewrites %d packs, and %d are left over; want none", p.Delete, p.Rewrite, p.Leftover)
	}
	if after, _ := packs(t, r); len(after) != len(before) {
		t.Errorf("%d packs, want the %d that were there", len(after), len(before))
	}
	wantEvening(t, r, s, n)
}

// A byte that is needed of a block that compressed very well takes, by its
// share, none of the block's sealed bytes.
func TestPruneKeepsTheLastByteOfABlock(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	blank := evening{"/s/flag": []byte("y")}
	for i := range 40 {
		blank[fmt.Sprintf("/s/%02d", i)] = bytes.Repeat([]byte{byte(i)}, 4<<10)
	}
	old := backup(t, r, blank)
	last := evening{"/s/flag": []byte("y")}
	s := backup(t, r, last)
	forget(t, r, old)
	if p := plan(t, r, gc.PruneOptions{MaxUnused: unlimited}); p.Delete != 1 {
		t.Errorf("the plan deletes %d packs, want the one with the old snapshot's trees", p.Delete)
	}
	for _, max := range []func(int64) int64{unlimited, nil} {
		prune(t, r, gc.PruneOptions{MaxUnused: max})
		wantEvening(t, r, s, last)
	}
}

func TestPruneRewritesPacksThatAreMostlyUnused(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	first := evening{}
	for i := range 8 {
		first[fmt.Sprintf("/x/%d", i)] = noise(uint64(i), mib)
	}
	old := backup(t, r, first)
	left := evening{"/x/3": first["/x/3"], "/x/6": first["/x/6"]}
	s := backup(t, r, left)
	forget(t, r, old)

	if p := plan(t, r, gc.PruneOptions{MaxUnused: unlimited}); p.Rewrite != 0 {
		t.Errorf("%d packs are rewritten though all may stay unused", p.Rewrite)
	}
	if p := plan(t, r, gc.PruneOptions{MaxRepack: -1}); p.Rewrite != 0 {
		t.Errorf("%d packs are rewritten though none may be", p.Rewrite)
	}
	if p := plan(t, r, gc.PruneOptions{MaxRepack: mib}); p.Rewrite != 0 {
		t.Errorf("%d packs are rewritten, which takes more than 1 MiB", p.Rewrite)
	}
	p := prune(t, r, gc.PruneOptions{})
	if p.Rewrite == 0 || p.RewriteBytes > 3*mib {
		t.Errorf("%d packs and %d bytes are rewritten, want a pack and 2 MiB", p.Rewrite, p.RewriteBytes)
	}
	wantUnused(t, r, 0.05)
	wantEvening(t, r, s, left)
}

func TestPrunePutsSmallPacksAndSegmentsTogether(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	n := evening{}
	var s *snapshot.Snapshot
	const nights = 40
	for i := range nights {
		if s != nil {
			forget(t, r, s)
		}
		n[fmt.Sprintf("/x/%d", i)] = noise(uint64(i), 20<<10)
		s = backup(t, r, n)
	}
	prune(t, r, gc.PruneOptions{})
	if all, _ := packs(t, r); len(all) > 4 {
		t.Errorf("%d packs after %d nights, want a few", len(all), nights)
	}
	if n := files(t, r, "index"); n > 4 {
		t.Errorf("%d segments after %d nights, want a few", n, nights)
	}
	if n := files(t, r, "sessions"); n > 4 {
		t.Errorf("%d sessions after %d nights, want a few", n, nights)
	}
	wantEvening(t, r, s, n)
}

func TestPruneRemovesWhatAKilledRunLeft(t *testing.T) {
	faulty := storagetest.NewFaulty(mem.New())
	r := repotest.New(t, repotest.Options{Store: faulty})
	n := evening{"/a": noise(1, mib)}
	s := backup(t, r, n)
	_, before := packs(t, r)

	faulty.Fail(storagetest.Fault{Op: storagetest.Put, Name: "index/*", Forever: true})
	if _, err := tryBackup(repotest.Reopen(t, r, repo.Options{}), evening{"/b": noise(2, mib)}); err == nil {
		t.Fatal("the backup was not stopped")
	}
	faulty.Heal()
	if _, size := packs(t, r); size < before+mib {
		t.Fatal("the killed run left nothing")
	}

	p := prune(t, repotest.Reopen(t, r, repo.Options{}), gc.PruneOptions{})
	if p.Leftover == 0 || p.Freed < mib {
		t.Errorf("%d packs and %d bytes were left over, want some", p.Leftover, p.Freed)
	}
	if _, size := packs(t, r); size > before {
		t.Errorf("%d bytes are stored, want the %d from before the killed run", size, before)
	}
	wantEvening(t, r, s, n)
}

// What no index names may be what snapshots need, when the index was damaged.
func TestPruneDeletesNothingWhileTheIndexIsNotWhole(t *testing.T) {
	ctx := context.Background()
	r := repotest.New(t, repotest.Options{})
	n := evening{"/a": noise(1, 3*mib)}
	s := backup(t, r, n)
	lost := segments(t, r)
	n["/b"] = noise(2, 3*mib)
	second := backup(t, r, n)
	forget(t, r, s)
	// Trees of the first night are not needed any more, only its data is.
	for _, name := range lost {
		if err := r.Store().Remove(ctx, name); err != nil {
			t.Fatal(err)
		}
	}

	again := repotest.Reopen(t, r, repo.Options{})
	_, err := gc.PlanPrune(ctx, again, gc.PruneOptions{})
	wantError(t, err, gc.ErrUnlisted)

	repair, adopt, err := again.PlanIndexRepair(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.RepairIndex(ctx, repair, adopt); err != nil {
		t.Fatal(err)
	}
	prune(t, again, gc.PruneOptions{})
	wantEvening(t, r, second, n)
}

func segments(t *testing.T, r *repo.Repository) (names []string) {
	for info, err := range r.Store().List(context.Background(), "index") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

func TestPruneDeletesNothingWhileASnapshotCannotBeRead(t *testing.T) {
	ctx := context.Background()
	r := repotest.New(t, repotest.Options{Damaged: true})
	old := backup(t, r, evening{"/a": noise(1, mib)})
	s := backup(t, r, evening{"/b": noise(2, mib)})
	forget(t, r, old)
	for _, name := range []string{"snapshots/", "copies/snapshots/"} {
		spoil(t, r, name+string(s.ID), 40)
	}
	_, err := gc.PlanPrune(ctx, r, gc.PruneOptions{})
	wantError(t, err, gc.ErrUnsure)
}

func TestPruneDeletesNothingWhileATreeIsMissing(t *testing.T) {
	ctx := context.Background()
	r := repotest.New(t, repotest.Options{Damaged: true})
	old := backup(t, r, evening{"/a": noise(1, mib)})
	backup(t, r, evening{"/b": noise(2, mib)})
	forget(t, r, old)
	ix, err := r.Index(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for info := range ix.Packs() {
		if info.Class == index.Meta {
			if err := r.Store().Remove(ctx, packFile(info.ID)); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err = gc.PlanPrune(ctx, repotest.Reopen(t, r, repo.Options{}), gc.PruneOptions{})
	wantError(t, err, gc.ErrUnsure)
}

// spoil turns bits round in a stored file.
func spoil(t *testing.T, r *repo.Repository, name string, at int64) {
	t.Helper()
	ctx := context.Background()
	f, err := r.Store().Open(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, f.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	b[at] ^= 0xff
	if err := r.Store().(*mem.Store).Replace(ctx, name, b); err != nil {
		t.Fatal(err)
	}
}

func TestPlanChangesNothing(t *testing.T) {
	rec := storagetest.NewRecorder(mem.New())
	r := repotest.New(t, repotest.Options{Store: rec})
	old := backup(t, r, evening{"/a": noise(1, 3*mib)})
	n := evening{"/b": noise(2, 3*mib)}
	s := backup(t, r, n)
	rec.Reset()

	before := plan(t, r, gc.PruneOptions{Without: map[repo.DocumentID]bool{old.ID: true}})
	if before.Freed < 3*mib || before.Delete == 0 {
		t.Errorf("without the old snapshot %d bytes of %d packs are freed, want 3 MiB", before.Freed, before.Delete)
	}
	if err := before.Run(t.Context(), 0); err == nil {
		t.Error("a plan that supposes a snapshot gone was run")
	}
	if p := plan(t, r, gc.PruneOptions{}); p.Freed != 0 {
		t.Errorf("with both snapshots %d bytes are freed, want none", p.Freed)
	}
	if calls := rec.Calls(storagetest.Put, storagetest.Remove, storagetest.Replace); len(calls) > 0 {
		t.Errorf("a plan changed the repository: %v", calls)
	}
	wantEvening(t, r, s, n)
}

// After two dozen evenings on which a part of everything becomes another one, what is
// stored is what a repository takes that has never held anything else.
func TestAChurnedRepositoryTakesNoMoreThanItNeeds(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	n := evening{}
	var last []*snapshot.Snapshot
	var kept []evening
	for i := range uint64(24) {
		for k := range uint64(6) {
			n[fmt.Sprintf("/x%d/%d", k, (7*i+3*k)%20)] = noise(100*i+k, 60<<10+int(i+k)<<10)
		}
		last, kept = append(last, backup(t, r, n)), append(kept, maps.Clone(n))
		if len(last) > 3 {
			discard(t, r, last[0], 0)
			last, kept = last[1:], kept[1:]
		}
		if i%8 == 7 {
			prune(t, r, gc.PruneOptions{})
		}
	}
	wantUnused(t, r, 0.05)
	fresh := repotest.New(t, repotest.Options{})
	for _, n := range kept {
		backup(t, fresh, n)
	}
	_, least := packs(t, fresh)
	if _, size := packs(t, r); size > least*105/100 {
		t.Errorf("%d bytes are stored, %.1f %% more than the %d that are needed", size, 100*float64(size-least)/float64(least), least)
	}
	for i, s := range last {
		wantEvening(t, r, s, kept[i])
	}
}
