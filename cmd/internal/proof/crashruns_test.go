package proof_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

func TestAPowerCutLosesNothingThatWasSaved(t *testing.T) {
	t.Parallel()
	eachSeed(t, (*crashes).nights)
}

func (c *crashes) nights() {
	t, ctx := c.t, c.t.Context()
	r := c.init()
	defer r.Close()
	var saved []*snapshot.Snapshot
	for n := 1; n <= 3; n++ {
		// On the second night every pack is published as soon as it is stored.
		o := repo.WriterOptions{Publish: []time.Duration{0, time.Hour, 1, 0}[n]}
		c.during(fmt.Sprintf("backup %d", n), nothing, func() {
			s, err := saveWith(ctx, r, night(n), o)
			must(t, err)
			c.note(s, night(n))
			saved = append(saved, s)
		})
	}
	c.during("forget", under("snapshots/", "copies/snapshots/"), func() {
		c.strikeOut(saved[0].ID)
		must(t, r.RemoveDocument(ctx, repo.Snapshots, saved[0].ID))
	})
	c.during("prune", under("packs/", "index/", "sessions/", "copies/sessions/"), func() { must(t, prune(ctx, r)) })
	c.during("backup beside what was pruned", nothing, func() { c.note(backup(t, r, night(4)), night(4)) })
}

// What is forgotten can be taken back, wherever the power goes: while it is
// forgotten, pruned around, and taken back.
func TestAPowerCutLosesNothingThatIsInTheBin(t *testing.T) {
	t.Parallel()
	eachSeed(t, (*crashes).bin)
}

func (c *crashes) bin() {
	t, ctx := c.t, c.t.Context()
	r := c.init()
	defer r.Close()
	var saved []*snapshot.Snapshot
	c.store.FS.Before = nil
	for n := 1; n <= 3; n++ {
		saved = append(saved, backup(t, r, night(n)))
		c.note(saved[n-1], night(n))
	}
	c.store.FS.Before = c.cut
	week := repo.Discard{Now: time.Now(), Until: time.Now().AddDate(0, 0, 7)}
	first, second := saved[0].ID, saved[1].ID
	c.binned[first] = true
	c.strikeOut(second)
	bin := under("snapshots/", "copies/snapshots/", "bin/", "copies/bin/")
	c.during("forget", bin, func() {
		must(t, r.Discard(ctx, []repo.DocumentID{first}, week, func(repo.DocumentID, bool) {}))
		must(t, r.Discard(ctx, []repo.DocumentID{second}, repo.Discard{Now: time.Now()}, func(repo.DocumentID, bool) {}))
	})
	c.during("prune", under("packs/", "index/", "sessions/", "copies/sessions/", "bin/", "copies/bin/"), func() { must(t, prune(ctx, r)) })
	c.during("taking back", bin, func() { must(t, r.TakeBack(ctx, first)) })
}

func TestAPowerCutWhileKeysChangeLeavesOneThatOpens(t *testing.T) {
	t.Parallel()
	eachSeed(t, (*crashes).keys)
}

func (c *crashes) keys() {
	t, ctx := c.t, c.t.Context()
	r := c.init()
	defer r.Close()
	c.during("backup", nothing, func() { c.note(backup(t, r, night(1)), night(1)) })
	c.during("change of keys", under("keys/", "copies/keys/"), func() {
		for range 2 {
			code := crypt.NewRecoveryCode()
			slots, err := r.Slots(ctx)
			must(t, err)
			_, err = r.AddRecovery(ctx, code, "new")
			must(t, err)
			c.mu.Lock()
			c.code = []byte(code.String())
			c.mu.Unlock()
			must(t, r.RemoveSlot(ctx, slots[0].ID))
		}
	})
}

func TestAPowerCutDuringARepairHarmsNothing(t *testing.T) {
	t.Parallel()
	eachSeed(t, (*crashes).repair)
}

func (c *crashes) repair() {
	t, ctx := c.t, c.t.Context()
	r := c.init()
	defer r.Close()
	c.store.FS.Before = nil
	s := backup(t, r, night(1))
	whole := files(t, c.store)
	for name, b := range whole {
		turned := slices.Clone(b)
		turned[len(b)/2] ^= 1
		if strings.HasPrefix(name, "copies/") {
			continue
		}
		must(t, c.store.Replace(ctx, name, turned))
	}
	c.note(s, night(1))
	c.store.FS.Before = func(op storagetest.FSOp, path string) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cuts++
		c.states++
		left := c.store.Clone(c.rng)
		if c.known(left) {
			return nil
		}
		again, err := repo.Open(ctx, left, c.code, repo.Options{})
		if err == nil {
			defer again.Close()
			err = c.restores(ctx, again)
		}
		if err != nil {
			t.Errorf("power cut before %s %s: %v", op, path, err)
		}
		return nil
	}
	must(t, repair(ctx, r))
	c.store.FS.Before = nil
	for _, name := range differences(whole, files(t, c.store)) {
		if !strings.HasPrefix(name, "index/") {
			t.Errorf("%s is not what it was", name)
		}
	}
	faults, missing, err := inspect(ctx, r)
	if err != nil || len(faults)+len(missing) > 0 || c.cuts < 40 {
		t.Errorf("after %d cuts and a repair: %v %v %v", c.cuts, faults, missing, err)
	}
}

// repair mends all that a check finds, also of packs that no segment names yet, as
// repair packs and repair index do after one another.
func repair(ctx context.Context, r *repo.Repository) error {
	packs, err := allPacks(ctx, r)
	if err != nil {
		return err
	}
	unnamed, err := r.UnlistedPacks(ctx)
	if err != nil {
		return err
	}
	var faults []repo.Fault
	o := repo.CheckOptions{ReadData: append(packs, unnamed...), Fault: func(f repo.Fault) { faults = append(faults, f) }}
	if err := r.Check(ctx, o); err != nil {
		return err
	}
	if _, err := r.RepairTwins(ctx, faults); err != nil {
		return err
	}
	for _, f := range faults {
		if !f.Pack.IsZero() && strings.HasPrefix(f.File, "packs/") {
			if err := r.RepairPack(ctx, f.Pack); err != nil {
				return err
			}
		}
	}
	plan, adopt, err := r.PlanIndexRepair(ctx)
	if err != nil {
		return err
	}
	return r.RepairIndex(ctx, plan, adopt)
}
