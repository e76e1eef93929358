package proof_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/storage/mem"
	"chartkeep/snapshot"
)

// TestTenYearsOfNights saves every night for ten years, keeps two weeks, a year's
// months and all years, and cuts the power in one of five runs. What is kept then
// takes as much as it would in a new repository.
func TestTenYearsOfNights(t *testing.T) {
	t.Parallel()
	nights := 40
	if *full {
		nights = 3650
	}
	ctx := t.Context()
	w, err := newWorld(ctx, "")
	must(t, err)
	rng := rand.New(rand.NewPCG(*from, 4))
	for n := range nights {
		w.now = w.now.AddDate(0, 0, 1)
		w.edit(rng)
		w.src["srv/ct"] = noise(byte(n), 200<<10)
		must(t, w.do(ctx, act{"backup", rng.Uint64()}, 5))
		if n%7 == 6 {
			must(t, w.retain(ctx, 14))
			must(t, w.do(ctx, act{"prune", rng.Uint64()}, 5))
		}
		if n%30 == 29 {
			must(t, w.agrees(ctx))
		}
	}
	must(t, w.retain(ctx, 14))
	w.now = w.now.AddDate(0, 1, 0)
	must(t, w.do(ctx, act{"prune", 1}, 1<<30))
	must(t, w.agrees(ctx))
	is, want := size(t, w.store), w.anew(t)
	t.Logf("%d nights, %d power cuts: %d snapshots take %d bytes, %d in a new repository (%+.1f %%)", nights, w.crashes, len(w.listed), is, want, 100*float64(is-want)/float64(want))
	if is > want*105/100 {
		t.Errorf("%d bytes are used, %d are needed", is, want)
	}
}

// retain forgets what is older than some nights, but for the first of each month.
func (w *world) retain(ctx context.Context, nights int) error {
	r, err := repo.Open(ctx, w.store, w.code, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	all, broken, err := snapshot.All(ctx, r)
	if err = errors.Join(append(broken, err)...); err != nil {
		return err
	}
	for i, s := range all[:max(0, len(all)-nights)] {
		first := i == 0 || all[i-1].Time.Month() != s.Time.Month()
		if first && s.Time.After(w.now.AddDate(-1, 0, 0)) || first && s.Time.Month() == time.January {
			continue
		}
		d := repo.Discard{Now: w.now, Until: w.now.AddDate(0, 0, 7)}
		if err := r.Discard(ctx, []repo.DocumentID{s.ID}, d, func(repo.DocumentID, bool) {}); err != nil {
			return err
		}
		w.binned[s.ID], w.until[s.ID] = w.listed[s.ID], d.Until
		delete(w.listed, s.ID)
	}
	return nil
}

// anew is how much a new repository takes for what is listed.
func (w *world) anew(t *testing.T) int64 {
	st := mem.New()
	r, _, err := initWithCode(t.Context(), st)
	must(t, err)
	defer r.Close()
	wr, err := r.NewWriter(t.Context(), repo.WriterOptions{Concurrency: 1})
	must(t, err)
	defer wr.Abort()
	var made []*snapshot.Snapshot
	for _, src := range w.listed {
		root, sum, err := snapshot.Save(t.Context(), r, wr, src, snapshot.SaveOptions{})
		must(t, err)
		made = append(made, &snapshot.Snapshot{Root: *root, Summary: sum, Host: "proof", Complete: true})
	}
	must(t, wr.Flush())
	for _, s := range made {
		must(t, s.Put(t.Context(), wr))
	}
	return size(t, st)
}
