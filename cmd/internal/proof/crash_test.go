package proof_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

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
	code    []byte                   // what opens the repository
}

// copied is the ledger as it is now. What is reported later is not asked of a state
// that was left before.
func (l *ledger) copied() *ledger {
	return &ledger{
		saved: maps.Clone(l.saved), records: maps.Clone(l.records), binned: maps.Clone(l.binned),
		flux: l.flux, settled: l.settled, code: l.code,
	}
}

// crashes runs steps on a file system whose power it cuts before each operation.
type crashes struct {
	*ledger
	t     *testing.T
	store *storagetest.Crash
	rng   *rand.Rand
	cuts  int
	each  int // examine every so many cuts
	tries int // states that are made of each
	step  string
	ended atomic.Bool // too much has failed

	looking errgroup.Group // at states, beside each other and beside what makes more
	states  int            // that were left
	seen    map[string]bool
	again   int // of the states: those that were there before, to the byte
}

func newCrashes(t *testing.T, seed uint64) *crashes {
	c := &crashes{
		t: t, store: storagetest.NewCrash(), rng: rand.New(rand.NewPCG(seed, 7)), each: 3, tries: 2,
		seen:   map[string]bool{},
		ledger: &ledger{saved: map[repo.DocumentID]tree{}, records: map[string]bool{}, binned: map[repo.DocumentID]bool{}, settled: map[string]bool{}},
	}
	c.looking.SetLimit(runtime.GOMAXPROCS(0))
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
	states, again, cuts, seed, began := 0, 0, 0, *from, time.Now()
	for first := true; first || *full && states < manyStates && goesOn(began) && !t.Failed(); first = false {
		c := newCrashes(t, seed)
		test(c)
		must(t, c.looking.Wait())
		states, again, cuts, seed = states+c.states, again+c.again, cuts+c.cuts, seed+1
		if *full && seed%10 == 0 {
			fmt.Printf("%s: %d states, %d of them different, up to seed %d\n", t.Name(), states, states-again, seed-1)
		}
	}
	t.Logf("seeds %d to %d: the power was cut %d times, %d states were left by it, %d of them different; %v each",
		*from, seed-1, cuts, states, states-again, time.Since(began)/time.Duration(max(states, 1)))
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
	if c.cuts%c.each != 0 && op != storagetest.FSRenameNew && op != storagetest.FSRemove || c.ended.Load() {
		return nil
	}
	where := fmt.Sprintf("%s, before %s %s", c.step, op, path)
	known := c.copied()
	for range c.tries {
		c.states++
		left := c.store.Clone(c.rng)
		if c.known(left) {
			continue
		}
		c.looking.Go(func() error {
			if c.ended.Load() {
				return nil
			}
			if err := known.examine(c.t.Context(), left); err != nil && c.ended.CompareAndSwap(false, true) {
				c.t.Errorf("power cut during %s: %v", where, err)
			}
			return nil
		})
	}
	return nil
}

// known reports whether a state was left before, to the byte, when the same was to
// be asked of it. It is looked at once.
func (c *crashes) known(left *storagetest.Crash) bool {
	key := fmt.Sprintf("%x %s %q %d %d %d", left.FS.Fingerprint(), c.step, c.code, len(c.saved), len(c.records), len(c.binned))
	if c.seen[key] {
		c.again++
		return true
	}
	c.seen[key] = true
	return false
}

// examine wants everything that was reported as saved, a check that finds no
// damage, and a next run that goes on and leaves nothing open.
func (l *ledger) examine(ctx context.Context, left *storagetest.Crash) error {
	r, err := repo.Open(ctx, left, l.code, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := l.unharmed(ctx, r); err != nil {
		return err
	}
	return l.goesOn(ctx, left)
}

// unharmed allows for what a cut can leave: one copy of two of a file that was
// being written, which is the second one, or removed, which is the other.
func (l *ledger) unharmed(ctx context.Context, r *repo.Repository) error {
	err := onlyHalf(ctx, r, func(file string) bool {
		second := !strings.HasPrefix(file, "copies/")
		return second && !l.settled[file] || !second && l.flux(file)
	})
	if err != nil {
		return err
	}
	return errors.Join(l.restores(ctx, r), l.remembers(ctx, r))
}

// remembers wants every record that was reported as written, and no gap.
func (l *ledger) remembers(ctx context.Context, r *repo.Repository) error {
	records, broken, err := r.Records(ctx, 0)
	if err = errors.Join(append(broken, err)...); err != nil {
		return err
	}
	there := map[string]bool{}
	for _, rec := range records {
		there[strings.Join(rec.Errors, "")] = true
	}
	for what := range l.records {
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

func (l *ledger) restores(ctx context.Context, r *repo.Repository) error {
	for id, want := range l.saved {
		if l.binned[id] {
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
func (l *ledger) goesOn(ctx context.Context, left *storagetest.Crash) error {
	r, err := repo.Open(ctx, left, l.code, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	s, err := save(ctx, r, night(9))
	if err == nil { // a backup ends what was begun, and only a prune what was to go
		err = onlyHalf(ctx, r, l.flux)
	}
	if err == nil {
		err = prune(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("the next run: %w", err)
	}
	again, err := repo.Open(ctx, left, l.code, repo.Options{})
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
	return l.restores(ctx, again)
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
