package proof_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

// An act is one thing that happens to a practice. What exactly, its seed says.
type act struct {
	kind string
	seed uint64
}

func (a act) String() string { return fmt.Sprintf("%s/%d", a.kind, a.seed) }

// world is a repository and the model of it: what a user believes is in it.
type world struct {
	store *storagetest.Crash
	code  []byte
	cache string // folder; empty: none
	now   time.Time

	src     tree
	listed  map[repo.DocumentID]tree
	binned  map[repo.DocumentID]tree
	until   map[repo.DocumentID]time.Time // of those in the bin
	pending tree                          // what a backup that was cut off was about to save
	hurt    bool                          // damage that no repair has mended yet
	crashes int
	backups int
}

func newWorld(ctx context.Context, cache string) (*world, error) {
	w := &world{
		store: storagetest.NewCrash(), cache: cache, now: time.Date(2026, 1, 5, 19, 30, 0, 0, time.UTC), src: tree{"srv/first": "first"},
		listed: map[repo.DocumentID]tree{}, binned: map[repo.DocumentID]tree{}, until: map[repo.DocumentID]time.Time{},
	}
	r, code, err := initWithCode(ctx, w.store)
	if err != nil {
		return nil, err
	}
	w.code = code
	return w, r.Close()
}

// initWithCode makes a repository that a recovery code opens without delay.
func initWithCode(ctx context.Context, st storage.Store) (*repo.Repository, []byte, error) {
	r, err := repo.Init(ctx, st, []byte("a password"), repo.InitOptions{Parity: 3, KDF: crypt.MinKDF}, repo.Options{})
	if err != nil {
		return nil, nil, err
	}
	slots, err := r.Slots(ctx)
	if err != nil {
		return nil, nil, err
	}
	code := crypt.NewRecoveryCode()
	if _, err = r.AddRecovery(ctx, code, ""); err == nil {
		err = r.RemoveSlot(ctx, slots[0].ID)
	}
	return r, []byte(code.String()), err
}

// acts are what can happen. Each works on an open repository, except for the user
// and the clock.
var acts = map[string]func(w *world, ctx context.Context, r *repo.Repository, rng *rand.Rand) error{
	"edit":   func(w *world, _ context.Context, _ *repo.Repository, rng *rand.Rand) error { w.edit(rng); return nil },
	"backup": (*world).backupAct,
	"forget": (*world).forgetAct,
	"take back": func(w *world, ctx context.Context, r *repo.Repository, rng *rand.Rand) error {
		id, ok := pick(rng, w.binned)
		if !ok {
			return nil
		}
		if err := r.TakeBack(ctx, id); err != nil {
			return err
		}
		w.listed[id] = w.binned[id]
		delete(w.binned, id)
		return nil
	},
	"prune": func(w *world, ctx context.Context, r *repo.Repository, _ *rand.Rand) error {
		if w.hurt {
			return nil
		}
		for id := range w.binned {
			if !w.now.Before(w.until[id]) {
				delete(w.binned, id)
			}
		}
		return pruneAt(ctx, r, w.now)
	},
	"restore": func(w *world, ctx context.Context, r *repo.Repository, rng *rand.Rand) error {
		id, ok := pick(rng, w.listed)
		if !ok {
			return nil
		}
		return comesBack(ctx, r, id, w.listed[id])
	},
	"damage": (*world).damageAct,
	"repair": func(w *world, ctx context.Context, r *repo.Repository, _ *rand.Rand) error {
		w.hurt = false
		return repair(ctx, r)
	},
	"lose the cache": func(w *world, _ context.Context, _ *repo.Repository, _ *rand.Rand) error {
		if w.cache == "" {
			return nil
		}
		return os.RemoveAll(filepath.Join(w.cache, "index"))
	},
	"clock": func(w *world, _ context.Context, _ *repo.Repository, rng *rand.Rand) error {
		w.now = w.now.Add(time.Duration(rng.Int64N(int64(20*24*time.Hour))) - 5*24*time.Hour)
		if rng.IntN(20) == 0 {
			w.now = w.now.AddDate(rng.IntN(3)-1, 0, 0)
		}
		return nil
	},
}

func pick(rng *rand.Rand, m map[repo.DocumentID]tree) (repo.DocumentID, bool) {
	if len(m) == 0 {
		return "", false
	}
	ids := slices.Sorted(maps.Keys(m))
	return ids[rng.IntN(len(ids))], true
}

func (w *world) edit(rng *rand.Rand) {
	next := maps.Clone(w.src)
	for range 1 + rng.IntN(5) {
		name := fmt.Sprintf("srv/%c/f%d", 'a'+rng.IntN(4), rng.IntN(20))
		switch was, there := next[name]; {
		case !there:
			next[name] = noise(byte(rng.IntN(40)), rng.IntN(30_000)) // some of it is the same as elsewhere
		case rng.IntN(3) == 0:
			delete(next, name)
		default:
			at := rng.IntN(len(was) + 1)
			next[name] = was[:at] + rows(rng.Uint64(), rng.IntN(30)) + was[at:]
		}
	}
	if len(next) > 0 {
		w.src = next
	}
}

func (w *world) backupAct(ctx context.Context, r *repo.Repository, _ *rand.Rand) error {
	w.pending = w.src
	wr, err := r.NewWriter(ctx, repo.WriterOptions{Concurrency: 1})
	if err != nil {
		return err
	}
	defer wr.Abort()
	s, err := saveTo(ctx, r, wr, w.src)
	if err != nil {
		return err
	}
	s.Time = w.now
	if err := s.Put(ctx, wr); err != nil {
		return err
	}
	w.listed[s.ID] = w.src
	w.backups++
	return nil
}

// forgetAct forgets a snapshot, for some days or for good, but never the last.
func (w *world) forgetAct(ctx context.Context, r *repo.Repository, rng *rand.Rand) error {
	if len(w.listed) < 2 {
		return nil
	}
	id, _ := pick(rng, w.listed)
	d := repo.Discard{Now: w.now, Until: w.now.AddDate(0, 0, 1+rng.IntN(14))}
	if err := r.Discard(ctx, []repo.DocumentID{id}, d, func(repo.DocumentID, bool) {}); err != nil {
		return err
	}
	w.binned[id], w.until[id] = w.listed[id], d.Until
	delete(w.listed, id)
	return nil
}

// damageAct turns a byte of some packs, or takes one of two copies.
func (w *world) damageAct(ctx context.Context, _ *repo.Repository, rng *rand.Rand) error {
	if w.hurt {
		return nil
	}
	w.hurt = true
	for info, err := range w.store.List(ctx, "") {
		if err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(info.Name, "packs/") && rng.IntN(2) == 0:
			b, err := storage.ReadAll(ctx, w.store, info.Name, 1<<30)
			if err != nil {
				return err
			}
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			if err := w.store.Replace(ctx, info.Name, b); err != nil {
				return err
			}
		case strings.HasPrefix(info.Name, "copies/") && rng.IntN(4) == 0:
			if err := w.store.Remove(ctx, info.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// do does one act. One in so many is cut off by a power cut, after which the
// practice goes on with what is left.
func (w *world) do(ctx context.Context, a act, oneIn int) error {
	rng := rand.New(rand.NewPCG(a.seed, 9))
	r, err := repo.Open(ctx, w.store, w.code, repo.Options{CacheDir: w.indexFolder()})
	if err != nil {
		return err
	}
	defer r.Close()
	cuts := slices.Contains([]string{"backup", "forget", "prune", "take back", "repair"}, a.kind) && rng.IntN(oneIn) == 0
	if !cuts {
		return acts[a.kind](w, ctx, r, rng)
	}
	var left *storagetest.Crash
	after := rng.IntN(60)
	before := *w
	before.listed, before.binned, before.until = maps.Clone(w.listed), maps.Clone(w.binned), maps.Clone(w.until)
	var mu sync.Mutex // packs are stored beside each other
	w.store.FS.Before = func(storagetest.FSOp, string) error {
		mu.Lock()
		defer mu.Unlock()
		if after--; after < 0 {
			if left == nil {
				left = w.store.Clone(rng)
			}
			return errors.New("the power is gone")
		}
		return nil
	}
	err = acts[a.kind](w, ctx, r, rng)
	w.store.FS.Before = nil
	if left == nil {
		return err // it had ended
	}
	done := *w
	*w = before
	w.store, w.crashes = left, w.crashes+1
	return w.settle(ctx, &done)
}

func (w *world) indexFolder() string {
	if w.cache == "" {
		return ""
	}
	return filepath.Join(w.cache, "index")
}

// settle finds out what became of the act that was cut off: all of it, nothing,
// or a part that does no harm.
func (w *world) settle(ctx context.Context, done *world) error {
	r, err := repo.Open(ctx, w.store, w.code, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	all, broken, err := snapshot.All(ctx, r)
	if err = errors.Join(append(broken, err)...); err != nil {
		return err
	}
	listed := map[repo.DocumentID]tree{}
	for _, s := range all {
		switch {
		case w.listed[s.ID] != nil:
			listed[s.ID] = w.listed[s.ID]
		case w.binned[s.ID] != nil: // taken back
			listed[s.ID] = w.binned[s.ID]
		default:
			listed[s.ID] = done.pending // saved, and nobody was told
		}
	}
	binned := map[repo.DocumentID]tree{}
	bin, _, _, err := r.Discarded(ctx)
	if err != nil {
		return err
	}
	for _, d := range bin {
		if binned[d.Snapshot] = w.listed[d.Snapshot]; w.binned[d.Snapshot] != nil {
			binned[d.Snapshot] = w.binned[d.Snapshot]
		}
		w.until[d.Snapshot] = d.Until
	}
	for id := range w.listed {
		if listed[id] == nil && binned[id] == nil {
			return fmt.Errorf("snapshot %s is gone, from the list and from the bin", id.Short())
		}
	}
	for id := range w.binned {
		if listed[id] == nil && binned[id] == nil && done.binned[id] != nil {
			return fmt.Errorf("snapshot %s is gone from the bin", id.Short())
		}
	}
	w.listed, w.binned = listed, binned
	return nil
}

// agrees compares the repository with the model.
func (w *world) agrees(ctx context.Context) error {
	r, err := repo.Open(ctx, w.store, w.code, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	ids, err := r.ListDocuments(ctx, repo.Snapshots)
	if err != nil {
		return err
	}
	if want := slices.Sorted(maps.Keys(w.listed)); !slices.Equal(ids, want) {
		return fmt.Errorf("%d snapshots are listed, want %d", len(ids), len(want))
	}
	for id, want := range w.listed {
		if err := comesBack(ctx, r, id, want); err != nil {
			return err
		}
	}
	bin, _, _, err := r.Discarded(ctx)
	if err != nil {
		return err
	}
	there := map[repo.DocumentID]bool{}
	for _, d := range bin {
		there[d.Snapshot] = true
	}
	for id := range w.binned {
		if !there[id] {
			return fmt.Errorf("snapshot %s is not in the bin", id.Short())
		}
	}
	if w.hurt {
		return nil
	}
	return onlyHalf(ctx, r, func(string) bool { return true })
}

// play plays acts in a new world and returns how many went well.
func play(ctx context.Context, t testing.TB, list []act, cached bool, oneIn int) (w *world, went int, err error) {
	cache := ""
	if cached {
		if cache, err = os.MkdirTemp(scratch(t), "cache"); err != nil {
			return nil, 0, err
		}
	}
	if w, err = newWorld(ctx, cache); err != nil {
		return nil, 0, err
	}
	for i, a := range list {
		if err = w.do(ctx, a, oneIn); err == nil && (i%4 == 3 || i == len(list)-1) {
			err = w.agrees(ctx)
		}
		if err != nil {
			return w, i, fmt.Errorf("%v: %w", a, err)
		}
	}
	return w, len(list), nil
}

// some draws acts. Backups are the most common.
func some(seed uint64, n int) (list []act) {
	rng := rand.New(rand.NewPCG(seed, 3))
	kinds := slices.Sorted(maps.Keys(acts))
	kinds = append(kinds, "edit", "edit", "backup", "backup", "backup", "forget", "prune")
	for range n {
		list = append(list, act{kinds[rng.IntN(len(kinds))], rng.Uint64N(1e6)})
	}
	return list
}

// shrink leaves out what a failure does not need, as far as it gets in a minute.
func shrink(ctx context.Context, t testing.TB, list []act, cached bool, oneIn int) []act {
	until := time.Now().Add(time.Minute)
	for size := len(list) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(list) && time.Now().Before(until); {
			fewer := slices.Concat(list[:at], list[at+size:])
			if _, _, err := play(ctx, t, fewer, cached, oneIn); err != nil {
				list = fewer
			} else {
				at += size
			}
		}
	}
	return list
}

// TestTheRepositoryAgreesWithItsModel plays random lives and compares all that a
// user believes with all that is there.
func TestTheRepositoryAgreesWithItsModel(t *testing.T) {
	lives, length := uint64(3), 40
	if *full {
		lives, length = 1000, 200
	}
	crashed, backups := 0, 0
	for seed := *from; seed < *from+lives; seed++ {
		list := some(seed, length)
		w, went, err := play(t.Context(), t, list, seed%2 == 0, 5)
		if err != nil {
			t.Errorf("seed %d, act %d: %v", seed, went, err)
			least := shrink(t.Context(), t, list[:went+1], seed%2 == 0, 5)
			t.Fatalf("the shortest that fails: %v", least)
		}
		crashed, backups = crashed+w.crashes, backups+w.backups
	}
	t.Logf("seeds %d to %d: %d acts, %d backups, %d power cuts", *from, *from+lives-1, lives*uint64(length), backups, crashed)
}

// TestTenYearsOfNights saves every night for ten years, keeps two weeks, a year's
// months and all years, and cuts the power in one of five runs. What is kept then
// takes as much as it would in a new repository.
func TestTenYearsOfNights(t *testing.T) {
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
