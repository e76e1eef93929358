package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartkeep/gc"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

// packOf returns the pack that holds a chunk of this content.
func packOf(t *testing.T, r *repo.Repository, data string) index.Place {
	t.Helper()
	places, err := r.Places(t.Context(), r.Hash([]byte(data)))
	must(t, err)
	if len(places) == 0 {
		t.Fatal("no such chunk")
	}
	return places[0]
}

func packFile(p index.PackID) string { return "packs/" + p.String()[:2] + "/" + p.String() }

func TestDamageCostsTheSnapshotsThatNeedIt(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		st := storagetest.NewFaulty(mem.New())
		from := repotest.New(t, repotest.Options{Store: st, Damaged: true})
		o := repotest.Options{}
		if companion {
			o.Init.Like = from
		}
		to := repotest.New(t, o)
		image := noise(1, 100<<10)
		src := practice{"/srv/a.txt": "whole", "/srv/x/image": image, "/srv/x/note": "a note"}
		bad := save(t, from, 1, src)
		src["/srv/x/image"] = noise(2, 100<<10)
		good := save(t, from, 2, src)
		at := packOf(t, from, image)
		st.Spoil(storagetest.Damage{Name: packFile(at.Pack), Offset: int64(at.BlockOffset) + 50, Flip: 1})

		from = repotest.Reopen(t, from, repo.Options{}) // without the blocks it has in memory
		r := send(t, from, to)
		if len(r.Failed) != 1 || len(r.Copied) != 1 || r.Failed[0].Snapshot.ID != bad.ID || r.Copied[0].From.ID != good.ID {
			t.Fatalf("%+v", r)
		}
		text := r.Failed[0].Error()
		if !strings.Contains(text, bad.ID.Short()) || !strings.Contains(text, "/srv/x/image") || !strings.Contains(text, "chunk") {
			t.Errorf("it says %q", text)
		}
		sameSnapshot(t, from, to, snapshots(t, from)[1], snapshots(t, to)[0])

		// When the source has been mended, the rest follows.
		st.Heal()
		if r := send(t, repotest.Reopen(t, from, repo.Options{}), to); len(r.Copied) != 1 || len(r.Present) != 1 {
			t.Errorf("%+v", r)
		}
		alike(t, from, to)
	})
}

func TestDamagedTreesAreNamedToo(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		st := storagetest.NewFaulty(mem.New())
		from := repotest.New(t, repotest.Options{Store: st, Damaged: true})
		o := repotest.Options{}
		if companion {
			o.Init.Like = from
		}
		to := repotest.New(t, o)
		save(t, from, 1, practice{"/srv/a.txt": "whole"})
		for info, err := range st.List(t.Context(), "packs") {
			must(t, err)
			for at := int64(88); at < info.Size; at += 64 {
				st.Spoil(storagetest.Damage{Name: info.Name, Offset: at, Flip: 1})
			}
		}
		r := send(t, repotest.Reopen(t, from, repo.Options{}), to)
		if len(r.Copied) != 0 || len(r.Failed) != 1 || r.Failed[0].Lost[0].Path != "/" {
			t.Errorf("%+v", r)
		}
	})
}

// A chunk that parity can mend, or that lies in a second pack, is no loss.
func TestParityIsUsedOnTheWay(t *testing.T) {
	st := storagetest.NewFaulty(mem.New())
	from := repotest.New(t, repotest.Options{Store: st, Damaged: true, Init: repo.InitOptions{Parity: 10}})
	to := repotest.New(t, repotest.Options{Init: repo.InitOptions{Like: from}})
	image := noise(1, 100<<10)
	save(t, from, 1, practice{"/srv/a": dump(3000), "/srv/image": image})
	at := packOf(t, from, image)
	st.Spoil(storagetest.Damage{Name: packFile(at.Pack), Offset: int64(at.BlockOffset) + 50, Flip: 1})
	from = repotest.Reopen(t, from, repo.Options{})
	if r := send(t, from, to); len(r.Copied) != 1 || len(r.Failed) != 0 {
		t.Errorf("%+v", r)
	}
	alike(t, from, to)
}

// From a companion at once, by content with the next snapshot that needs it.
func TestWhatTheTargetHasLostComesBack(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		from, to := pairOf(t, companion, repotest.Options{})
		image := noise(1, 100<<10)
		src := practice{"/srv/x/image": image, "/srv/y": "a letter"}
		save(t, from, 1, src)
		send(t, from, to)
		at := packOf(t, to, image)
		w, err := to.NewWriter(t.Context(), repo.WriterOptions{})
		must(t, err)
		defer w.Abort()
		must(t, w.RecordDamage(t.Context(), []index.DamagedBlock{{Pack: at.Pack, Offset: at.BlockOffset}}))
		if !companion {
			src["/srv/y"] = "another letter"
			save(t, from, 2, src)
		}
		to = repotest.Reopen(t, to, repo.Options{})
		send(t, from, to)
		if again := packOf(t, to, image); again.Pack == at.Pack {
			t.Error("the best place is still the damaged one")
		}
		alike(t, from, to)
	})
}

func TestErrorsOfEitherSideEndIt(t *testing.T) {
	for want, fault := range map[error]storagetest.Fault{
		storage.ErrNoSpace: {Op: storagetest.Put, Name: "packs/*/*", Forever: true, Err: storage.ErrNoSpace},
		storage.ErrAbsent:  {Op: storagetest.Read, Name: "packs/*/*", Forever: true, Err: storage.Absent(errors.New("pulled"))},
	} {
		eachWay(t, func(t *testing.T, companion bool) {
			st := map[bool]*storagetest.Faulty{true: storagetest.NewFaulty(mem.New()), false: storagetest.NewFaulty(mem.New())}
			from := repotest.New(t, repotest.Options{Store: st[true]})
			o := repotest.Options{Store: st[false]}
			if companion {
				o.Init.Like = from
			}
			to := repotest.New(t, o)
			save(t, from, 1, practice{"/srv/dump": dump(20_000), "/srv/image": noise(1, 1<<20)})
			side := st[want == storage.ErrAbsent]
			side.Fail(fault)
			_, err := trySend(t, repotest.Reopen(t, from, repo.Options{}), to)
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			side.Heal()
			if len(snapshots(t, to)) > 0 {
				t.Error("there is a manifest")
			}
			send(t, from, to) // in the same process
			alike(t, from, to)
		})
	}
}

// ofContent reports whether a file is a pack of content. Those of trees are small, and
// come at any time.
func ofContent(name string, parts [][]byte) bool {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	return strings.HasPrefix(name, "packs/") && size > 1<<20
}

// cutAfter ends the context when a pack of content is stored.
type cutAfter struct {
	storage.Store
	cancel context.CancelFunc
}

func (c *cutAfter) Put(ctx context.Context, name string, parts ...[]byte) error {
	err := c.Store.Put(ctx, name, parts...)
	if ofContent(name, parts) {
		c.cancel()
	}
	return err
}

// big is some packs of content.
func big() practice {
	src := practice{"/srv/dump.sql": dump(40_000)}
	for i := range 6 {
		src[fmt.Sprintf("/srv/images/%d", i)] = noise(byte(i), 9<<20)
	}
	return src
}

func TestAnInterruptedCopyingGoesOnWhereItWas(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		from := repotest.New(t, repotest.Options{})
		st := &cutAfter{Store: mem.New()}
		o := repotest.Options{Store: st}
		if companion {
			o.Init.Like = from
		}
		to := repotest.New(t, o)
		save(t, from, 1, big())
		ctx, cancel := context.WithCancel(t.Context())
		st.cancel = cancel
		if _, err := sendIn(ctx, from, to, snapshots(t, from)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		r := send(t, from, to)
		if len(r.Copied) != 1 || r.Bytes > 45<<20 { // of 57 MiB
			t.Errorf("%d bytes were copied again", r.Bytes)
		}
		alike(t, from, to)
	})
}

// onePack is a store that fails when it has got one pack of content and is given
// another, or a segment.
type onePack struct {
	storage.Store
	has, healed atomic.Bool
}

func (o *onePack) Put(ctx context.Context, name string, parts ...[]byte) error {
	if !o.healed.Load() && (strings.HasPrefix(name, "index/") || ofContent(name, parts) && o.has.Swap(true)) {
		return storagetest.ErrInjected
	}
	return o.Store.Put(ctx, name, parts...)
}

// A process that was killed publishes nothing any more.
func TestPacksThatNoIndexNamesAreUsed(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		st := &onePack{Store: mem.New()}
		from, to := pairOf(t, companion, repotest.Options{Store: st})
		save(t, from, 1, big())
		if _, err := trySend(t, from, to); !errors.Is(err, storagetest.ErrInjected) {
			t.Fatal(err)
		}
		st.healed.Store(true)
		r := send(t, from, repotest.Reopen(t, to, repo.Options{}))
		if len(r.Copied) != 1 || r.Bytes == 0 || r.Bytes > 45<<20 { // of 57 MiB
			t.Errorf("%d bytes were copied again", r.Bytes)
		}
		alike(t, from, repotest.Reopen(t, to, repo.Options{}))
	})
}

// The power goes at some moment of the copying. What the drive holds then is
// whole, and the next copying uses the packs that are there, though no index
// names them.
func TestAPowerCutCostsNothingButTime(t *testing.T) {
	from := repotest.New(t, repotest.Options{})
	src := big()
	save(t, from, 1, src)
	src["/srv/dump.sql"] = dump(40_000, 500)
	save(t, from, 2, src)
	rng := rand.New(rand.NewPCG(3, 3))
	st := storagetest.NewCrash()
	to := repotest.New(t, repotest.Options{Store: st, Init: repo.InitOptions{Like: from}})
	var after []*storagetest.Crash
	st.FS.Before = func(op storagetest.FSOp, path string) error {
		if op == storagetest.FSRenameNew && rng.IntN(3) == 0 {
			after = append(after, st.Clone(rng))
		}
		return nil
	}
	whole := send(t, from, to)
	st.FS.Before = nil
	reused := 0
	for i := 0; i < len(after); i += max(1, len(after)/5) {
		left, err := repo.Open(t.Context(), after[i], repotest.Password, repo.Options{})
		must(t, err)
		r := send(t, from, left)
		if len(r.Copied)+len(r.Present) != 2 {
			t.Errorf("cut %d: %+v", i, r)
		}
		if r.Bytes < whole.Bytes*3/4 {
			reused++
		}
		alike(t, from, left)
		for _, f := range repotest.Check(t, left) {
			if !f.CutOff { // a second copy that was still to come
				t.Errorf("cut %d: %s: %v", i, f.File, f.Problem)
			}
		}
		must(t, left.Close())
	}
	if reused == 0 {
		t.Errorf("in none of %d cuts anything was used again", len(after))
	}
}

// Both sides are locked for the copying, as every command does.
func TestBackupsAndPrunesOnBothSidesMeanwhile(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		ctx := t.Context()
		stores := [2]storage.Store{storagetest.NewCrash(), storagetest.NewCrash()} // they have locks
		from := repotest.New(t, repotest.Options{Store: stores[0]})
		o := repotest.Options{Store: stores[1]}
		if companion {
			o.Init.Like = from
		}
		to := repotest.New(t, o)
		src := big()
		old := save(t, from, 1, src)
		delete(src, "/srv/images/3")
		save(t, from, 2, src)
		save(t, to, 1, practice{"/srv/own": noise(77, 3<<20)}, func(s *snapshot.Snapshot) { s.Host = "other" })
		own := save(t, to, 2, practice{"/srv/own": noise(78, 3<<20)}, func(s *snapshot.Snapshot) { s.Host = "other" })
		must(t, from.RemoveDocument(ctx, repo.Snapshots, old.ID))
		must(t, to.RemoveDocument(ctx, repo.Snapshots, own.ID))

		chosen := snapshots(t, from)
		done := make(chan error, 4)
		locked := make(chan struct{})
		go func() {
			done <- func() error {
				for _, r := range []*repo.Repository{from, to} {
					unlock, err := r.Lock(ctx, storage.Shared, time.Minute)
					if err != nil {
						return err
					}
					defer unlock.Close()
				}
				close(locked)
				r, err := sendIn(ctx, from, to, chosen)
				if err == nil && len(r.Copied) != 1 {
					err = fmt.Errorf("%+v", r)
				}
				return err
			}()
		}()
		<-locked
		for _, r := range []*repo.Repository{repotest.Reopen(t, from, repo.Options{}), repotest.Reopen(t, to, repo.Options{})} {
			go func() { done <- prune(ctx, r) }()
		}
		save(t, repotest.Reopen(t, to, repo.Options{}), 3, practice{"/srv/own": noise(79, 1<<20)}, func(s *snapshot.Snapshot) { s.Host = "other" })
		src["/srv/new"] = noise(80, 1<<20)
		save(t, repotest.Reopen(t, from, repo.Options{}), 3, src)
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		from, to = repotest.Reopen(t, from, repo.Options{}), repotest.Reopen(t, to, repo.Options{})
		send(t, from, to)
		alike(t, from, to)
		if n := len(snapshots(t, to)); n != 4 {
			t.Errorf("%d snapshots", n)
		}
	})
}

func prune(ctx context.Context, r *repo.Repository) error {
	plan, err := func() (*gc.PrunePlan, error) {
		unlock, err := r.Lock(ctx, storage.Shared, time.Minute)
		if err != nil {
			return nil, err
		}
		defer unlock.Close()
		return gc.PlanPrune(ctx, r, gc.PruneOptions{})
	}()
	if err != nil {
		return err
	}
	return plan.Run(ctx, time.Minute)
}
