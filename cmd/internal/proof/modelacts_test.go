package proof_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/storage"
)

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

// damageAct turns a byte of some packs, or takes one of two copies. Where a power cut
// left one only, it stays: two faults are more than two copies cover.
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
			_, err := storage.ReadAll(ctx, w.store, strings.TrimPrefix(info.Name, "copies/"), 1<<30)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err = errors.Join(err, w.store.Remove(ctx, info.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}
