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
	"sync"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
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
	t.Parallel()
	lives, length := uint64(3), 40
	if *full {
		lives, length = 1000, 200
	}
	crashed, backups := 0, 0
	seed, acts, began := *from, 0, time.Now()
	for ; seed < *from+lives && goesOn(began); seed++ {
		list := some(seed, length)
		w, went, err := play(t.Context(), t, list, seed%2 == 0, 5)
		if err != nil {
			t.Errorf("seed %d, act %d: %v", seed, went, err)
			least := shrink(t.Context(), t, list[:went+1], seed%2 == 0, 5)
			t.Fatalf("the shortest that fails: %v", least)
		}
		crashed, backups, acts = crashed+w.crashes, backups+w.backups, acts+went
		if *full && seed%50 == 0 {
			fmt.Printf("%s: %d acts, %d backups, %d power cuts, up to seed %d\n", t.Name(), acts, backups, crashed, seed)
		}
	}
	t.Logf("seeds %d to %d: %d acts, %d backups, %d power cuts", *from, seed-1, acts, backups, crashed)
}
