package proof_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartkeep/gc"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

// ledger is what a user may rely on at a moment.
type ledger struct {
	mu      sync.Mutex
	saved   map[repo.DocumentID]tree // reported as saved, and not forgotten since
	records map[string]bool          // run records that were reported as written, by the error they hold
	binned  map[repo.DocumentID]bool // of these: forgotten, but to be had from the bin
	flux    func(file string) bool   // files that the step under way makes or removes
	settled map[string]bool          // files that were whole before it
}

// crashes runs steps on a file system whose power it cuts before each operation.
type crashes struct {
	*ledger
	t     *testing.T
	store *storagetest.Crash
	code  []byte
	rng   *rand.Rand
	cuts  int
	each  int // examine every so many cuts
	tries int // states that are made of each
	step  string
	ended bool // too much has failed

	states int // that were looked at
}

func newCrashes(t *testing.T, seed uint64) *crashes {
	c := &crashes{
		t: t, store: storagetest.NewCrash(), rng: rand.New(rand.NewPCG(seed, 7)), each: 3, tries: 2,
		ledger: &ledger{saved: map[repo.DocumentID]tree{}, records: map[string]bool{}, binned: map[repo.DocumentID]bool{}, settled: map[string]bool{}},
	}
	if *full {
		c.each, c.tries = 1, 6
	}
	return c
}

// manyStates is how many states each test makes in its long form: together, a
// million.
const manyStates = 1_000_000 / 7

// eachSeed runs a test once, or in its long form with one seed after the other
// until there were states enough. States of another seed are others at the same
// moments.
func eachSeed(t *testing.T, test func(c *crashes)) {
	states, cuts, seed, began := 0, 0, *from, time.Now()
	for first := true; first || *full && states < manyStates && !t.Failed(); first = false {
		c := newCrashes(t, seed)
		test(c)
		states, cuts, seed = states+c.states, cuts+c.cuts, seed+1
		if *full && seed%10 == 0 {
			fmt.Printf("%s: %d states up to seed %d\n", t.Name(), states, seed-1)
		}
	}
	t.Logf("seeds %d to %d: the power was cut %d times, %d states were left by it; %v each", *from, seed-1, cuts, states, time.Since(began)/time.Duration(max(states, 1)))
}

// init makes a repository that a recovery code opens, which takes no time.
func (c *crashes) init() *repo.Repository { return c.initLike(nil) }

func (c *crashes) initLike(like *repo.Repository) *repo.Repository {
	r, err := repo.Init(c.t.Context(), c.store, []byte("a password"), repo.InitOptions{Parity: 3, KDF: crypt.MinKDF, Like: like}, repo.Options{})
	must(c.t, err)
	slots, err := r.Slots(c.t.Context())
	must(c.t, err)
	code := crypt.NewRecoveryCode()
	_, err = r.AddRecovery(c.t.Context(), code, "")
	must(c.t, err)
	must(c.t, r.RemoveSlot(c.t.Context(), slots[0].ID))
	must(c.t, r.Close())
	c.code = []byte(code.String())
	r, err = repo.Open(c.t.Context(), c.store, c.code, repo.Options{})
	must(c.t, err)
	c.store.FS.Before = c.cut
	return r
}

// during runs a step. Only files that flux is true for may come or go in it.
func (c *crashes) during(step string, flux func(file string) bool, do func()) {
	c.mu.Lock()
	c.step, c.flux, c.settled = step, flux, map[string]bool{}
	for n := range files(c.t, c.store) {
		c.settled[n] = true
	}
	before := c.cuts
	c.mu.Unlock()
	do()
	if c.cuts == before {
		c.t.Errorf("%s: the power was never cut", step)
	}
}

// cut looks at what is left when the power goes now.
func (c *crashes) cut(op storagetest.FSOp, path string) error {
	if op == storagetest.FSRenameNew && strings.Contains(path, "sessions") {
		time.Sleep(5 * time.Millisecond) // whoever does not wait for a session is ahead now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts++
	if c.cuts%c.each != 0 && op != storagetest.FSRenameNew && op != storagetest.FSRemove || c.ended {
		return nil
	}
	for range c.tries {
		c.states++
		if err := c.examine(c.store.Clone(c.rng)); err != nil {
			c.t.Errorf("power cut during %s, before %s %s: %v", c.step, op, path, err)
			c.ended = true
			return nil
		}
	}
	return nil
}

// examine wants everything that was reported as saved, a check that finds no
// damage, and a next run that goes on and leaves nothing open.
func (c *crashes) examine(left *storagetest.Crash) error {
	ctx := c.t.Context()
	r, err := repo.Open(ctx, left, c.code, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := c.unharmed(ctx, r); err != nil {
		return err
	}
	return c.goesOn(ctx, left)
}

// unharmed allows for what a cut can leave: one copy of two of a file that was
// being written, which is the second one, or removed, which is the other.
func (c *crashes) unharmed(ctx context.Context, r *repo.Repository) error {
	err := onlyHalf(ctx, r, func(file string) bool {
		second := !strings.HasPrefix(file, "copies/")
		return second && !c.settled[file] || !second && c.flux(file)
	})
	if err != nil {
		return err
	}
	return errors.Join(c.restores(ctx, r), c.remembers(ctx, r))
}

// remembers wants every record that was reported as written, and no gap.
func (c *crashes) remembers(ctx context.Context, r *repo.Repository) error {
	records, broken, err := r.Records(ctx, 0)
	if err = errors.Join(append(broken, err)...); err != nil {
		return err
	}
	there := map[string]bool{}
	for _, rec := range records {
		there[strings.Join(rec.Errors, "")] = true
	}
	for what := range c.records {
		if !there[what] {
			return fmt.Errorf("the record of %q is lost", what)
		}
	}
	gaps, _, err := r.VerifyLog(ctx)
	for _, g := range gaps {
		err = errors.Join(err, g)
	}
	return err
}

// onlyHalf does a full check. Nothing may be wrong but that one of two copies is
// missing, where it may be.
func onlyHalf(ctx context.Context, r *repo.Repository, mayMiss func(file string) bool) error {
	faults, missing, err := inspect(ctx, r)
	if err != nil || len(missing) > 0 {
		return fmt.Errorf("check: %v, %w", missing, err)
	}
	for _, f := range faults {
		if !errors.Is(f.Problem, fs.ErrNotExist) || !f.Mendable || !mayMiss(f.File) {
			return fmt.Errorf("check: %s: %w", f.File, f.Problem)
		}
	}
	return nil
}

func (c *crashes) restores(ctx context.Context, r *repo.Repository) error {
	for id, want := range c.saved {
		if c.binned[id] {
			if err := r.TakeBack(ctx, id); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		s, err := snapshot.Load(ctx, r, id)
		if err != nil {
			return err
		}
		got, problems, err := back(ctx, r, s)
		if err != nil || len(problems) > 0 || !maps.Equal(got, want) {
			return fmt.Errorf("snapshot %s: %d files of %d, %v, %w", id.Short(), len(got), len(want), problems, err)
		}
	}
	return nil
}

// goesOn backs up and prunes on what is left.
func (c *crashes) goesOn(ctx context.Context, left *storagetest.Crash) error {
	r, err := repo.Open(ctx, left, c.code, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	s, err := save(ctx, r, night(9))
	if err == nil { // a backup ends what was begun, and only a prune what was to go
		err = onlyHalf(ctx, r, c.flux)
	}
	if err == nil {
		err = prune(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("the next run: %w", err)
	}
	again, err := repo.Open(ctx, left, c.code, repo.Options{})
	if err != nil {
		return err
	}
	defer again.Close()
	faults, missing, err := inspect(ctx, again)
	if err != nil || len(faults)+len(missing) > 0 {
		return fmt.Errorf("check after the next run: %v %v %w", faults, missing, err)
	}
	if got, problems, err := back(ctx, again, s); err != nil || !maps.Equal(got, night(9)) {
		return fmt.Errorf("the next run's snapshot: %v, %w", problems, err)
	}
	return c.restores(ctx, again)
}

func prune(ctx context.Context, r *repo.Repository) error { return pruneAt(ctx, r, time.Time{}) }

// pruneAt frees all that nobody needs, at some time of the bin.
func pruneAt(ctx context.Context, r *repo.Repository, now time.Time) error {
	p, err := gc.PlanPrune(ctx, r, gc.PruneOptions{Now: now, MaxUnused: func(int64) int64 { return 0 }})
	if err != nil {
		return err
	}
	return p.Run(ctx, 0)
}

// under is for steps that touch files of these folders.
func under(folders ...string) func(string) bool {
	return func(file string) bool {
		return slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(file, f) })
	}
}

func nothing(string) bool { return false }

// note enters a snapshot that was reported as saved.
func (c *crashes) note(s *snapshot.Snapshot, t tree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saved[s.ID] = t
}

func (c *crashes) strikeOut(id repo.DocumentID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.saved, id)
}

func TestAPowerCutLosesNothingThatWasSaved(t *testing.T) { eachSeed(t, (*crashes).nights) }

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
func TestAPowerCutLosesNothingThatIsInTheBin(t *testing.T) { eachSeed(t, (*crashes).bin) }

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

func TestAPowerCutWhileKeysChangeLeavesOneThatOpens(t *testing.T) { eachSeed(t, (*crashes).keys) }

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

func TestAPowerCutDuringARepairHarmsNothing(t *testing.T) { eachSeed(t, (*crashes).repair) }

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

// repair mends all that a check finds.
func repair(ctx context.Context, r *repo.Repository) error {
	faults, _, err := inspect(ctx, r)
	if err != nil {
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
