package transfer_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/snapshot/transfer"
)

// nights are three backups of a practice.
func nights(t *testing.T, r *repo.Repository) {
	t.Helper()
	src := practice{
		"/srv/dump.sql": dump(60_000), "/srv/images/a.jpg": noise(1, 3<<20), "/srv/images/b.jpg": noise(2, 700<<10),
		"/srv/empty": "", "/srv/letters/note": "see you in May",
	}
	for i := range 400 {
		src[fmt.Sprintf("/srv/letters/%03d.txt", i)] = strings.Repeat(fmt.Sprintf("letter %d. ", i), 40+i)
	}
	save(t, r, 1, src)
	src["/srv/dump.sql"] = dump(60_500, 77, 20_000, 41_000)
	src["/srv/images/c.jpg"] = noise(3, 900<<10)
	save(t, r, 2, src)
	src["/srv/dump.sql"] = dump(60_700, 77, 20_000, 41_000, 900)
	src["/srv/letters/note"] = "see you in June"
	delete(src, "/srv/images/b.jpg")
	save(t, r, 3, src)
}

func TestEveryKindOfNodeArrives(t *testing.T) {
	for _, name := range []string{"gear-parity3", "rabin-parity0"} {
		t.Run(name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, companion bool) {
				from, o := golden(t, name), repotest.Options{Init: repo.InitOptions{Parity: 10, Level: pack.Best}}
				if companion {
					o.Init.Like = from
				}
				to := repotest.New(t, o)
				r := send(t, from, to)
				if len(r.Copied) != 2 || len(r.Failed) != 0 {
					t.Errorf("%d copied, %d failed", len(r.Copied), len(r.Failed))
				}
				alike(t, from, to)
			})
		})
	}
}

func TestASecondCopyingDoesNothing(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		from, to := pairOf(t, companion, repotest.Options{Init: repo.InitOptions{Parity: 5}})
		nights(t, from)
		r := send(t, from, to)
		if len(r.Copied) != 3 || r.Chunks == 0 || r.Packed == 0 || (r.Whole > 0) != companion {
			t.Errorf("%+v", r)
		}
		alike(t, from, to)
		before := filesOf(t, to.Store())
		r = send(t, from, repotest.Reopen(t, to, repo.Options{}))
		if len(r.Copied) != 0 || len(r.Present) != 3 || r.Chunks != 0 {
			t.Errorf("%+v", r)
		}
		if !maps.Equal(before, filesOf(t, to.Store())) {
			t.Error("it stored something")
		}
	})
}

func TestCompanionsHaveTheSameTreesAndBlocksAsTheyWere(t *testing.T) {
	from, to := pairOf(t, true, repotest.Options{Init: repo.InitOptions{Level: pack.Best}})
	nights(t, from)
	r := send(t, from, to)
	for _, p := range r.Copied {
		if p.From.Root.Tree.Refs[0] != p.To.Root.Tree.Refs[0] {
			t.Error("another tree")
		}
	}
	if r.Cut != 0 {
		t.Errorf("%d of %d blocks were cut, though all is needed", r.Cut, r.Whole)
	}
	want := blocks(t, from)
	got := blocks(t, to)
	if !maps.Equal(got, want) {
		t.Errorf("%d blocks, want the same %d", len(got), len(want))
	}
}

// blocks tells blocks by their first chunk: sealed length, codec, chunks.
func blocks(t *testing.T, r *repo.Repository) map[chunk.ID]string {
	t.Helper()
	ix, err := r.Index(t.Context())
	must(t, err)
	all := map[chunk.ID]string{}
	for info, err := range ix.Packs() {
		must(t, err)
		d, err := ix.Directory(info.ID)
		must(t, err)
		for _, b := range d.Blocks {
			all[b.Chunks[0].ID] = fmt.Sprint(b.Sealed, b.Codec, len(b.Chunks), d.Class)
		}
	}
	return all
}

func TestANightlyCopyingStoresOnlyWhatIsNew(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		from, to := pairOf(t, companion, repotest.Options{})
		src := practice{"/srv/dump.sql": dump(60_000), "/srv/x/image": noise(1, 2<<20)}
		save(t, from, 1, src)
		first := send(t, from, to)
		src["/srv/dump.sql"] = dump(60_000, 30_000)
		save(t, from, 2, src)
		second := send(t, from, to)
		if len(second.Copied) != 1 || second.Bytes*20 > first.Bytes || second.Bytes == 0 {
			t.Errorf("the first night %d bytes, the second %d", first.Bytes, second.Bytes)
		}
		alike(t, from, to)
	})
}

// What only a forgotten snapshot needed stays behind, though it lies in the same
// blocks.
func TestWhatIsNotNeededDoesNotTravel(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		from, to := pairOf(t, companion, repotest.Options{})
		secret := "the letter that was to be forgotten"
		src := practice{"/srv/a": strings.Repeat("kept ", 2000), "/srv/b": secret, "/srv/c": strings.Repeat("kept too ", 2000)}
		s := save(t, from, 1, src)
		delete(src, "/srv/b")
		save(t, from, 2, src)
		must(t, from.RemoveDocument(t.Context(), repo.Snapshots, s.ID))
		r := send(t, from, to)
		ix, err := to.Index(t.Context())
		must(t, err)
		if has, err := ix.Has(to.Hash([]byte(secret))); has || err != nil {
			t.Errorf("it travelled too: %v", err)
		}
		if companion && (r.Cut != 1 || len(r.Copied) != 1) {
			t.Errorf("%+v", r)
		}
		alike(t, from, to)
	})
}

func TestWhatPeopleDecidedTravels(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		from, to := pairOf(t, companion, repotest.Options{})
		held := &snapshot.Hold{Who: "manager", When: 5, Reason: "audit"}
		s := save(t, from, 1, practice{"/srv/a": "one"}, func(s *snapshot.Snapshot) {
			s.Hold, s.Suspicion, s.Complete = held, []string{"the dump is empty"}, false
		})
		send(t, from, to)
		alike(t, from, to)

		// Afterwards each side has its own tags and holds, but what a person has said
		// to be right is right.
		w, err := from.NewWriter(t.Context(), repo.WriterOptions{})
		must(t, err)
		defer w.Abort()
		s, err = snapshot.Edit(t.Context(), from, w, s, func(s *snapshot.Snapshot) {
			s.Tags = []string{"looked at"}
			snapshot.Release("manager", "a quiet day", start)(s)
		})
		must(t, err)
		r := send(t, from, to)
		if len(r.Copied) != 0 || len(r.Present) != 1 {
			t.Errorf("%+v", r)
		}
		c := snapshots(t, to)
		if len(c) != 1 || c[0].Suspicious() || c[0].Hold == nil || c[0].Tags[0] != "night" || *c[0].Cleared != *s.Cleared {
			t.Errorf("%+v", c[0])
		}
	})
}

func TestNamesOfOtherSnapshotsAreThoseOfTheTarget(t *testing.T) {
	eachWay(t, func(t *testing.T, companion bool) {
		from, to := pairOf(t, companion, repotest.Options{})
		nights(t, from)
		send(t, from, to)
		all := snapshots(t, to)
		for i := range all {
			if i > 0 && (all[i].Parent != all[i-1].ID || all[i].Previous != all[i-1].ID) {
				t.Errorf("snapshot %d does not name the one before", i)
			}
		}
	})
}

func TestALineIsKnownWhateverWayItCame(t *testing.T) {
	a, b := pairOf(t, true, repotest.Options{})
	c := repotest.New(t, repotest.Options{})
	save(t, a, 1, practice{"/srv/a": "one"})
	send(t, a, b)
	send(t, b, c)
	for _, way := range [][2]*repo.Repository{{a, c}, {c, a}, {b, a}, {c, b}} {
		if r := send(t, way[0], way[1]); len(r.Present) != 1 || len(r.Copied) != 0 {
			t.Errorf("%+v", r)
		}
	}
}

func TestKeysThatDoNotReadAreRefused(t *testing.T) {
	from, to := pairOf(t, true, repotest.Options{})
	save(t, from, 1, practice{"/srv/a": "one"})
	all := snapshots(t, from)
	asWriter := func(r *repo.Repository) *repo.Repository {
		_, err := r.AddPassword(t.Context(), []byte("a writer"), crypt.Writer, "")
		must(t, err)
		w, err := repo.Open(t.Context(), r.Store(), []byte("a writer"), repo.Options{})
		must(t, err)
		t.Cleanup(func() { w.Close() })
		return w
	}
	for want, way := range map[error][2]*repo.Repository{
		transfer.ErrSourceKey: {asWriter(from), to},
		transfer.ErrTargetKey: {from, asWriter(to)},
		transfer.ErrSame:      {from, repotest.Reopen(t, from, repo.Options{})},
	} {
		if _, err := sendIn(t.Context(), way[0], way[1], all); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestAPlanCountsWhatRunCopies(t *testing.T) {
	from, to := pairOf(t, true, repotest.Options{})
	nights(t, from)
	p, err := transfer.New(t.Context(), from, to, snapshots(t, from), transfer.Options{})
	must(t, err)
	r, err := p.Run(t.Context())
	must(t, err)
	if p.Chunks != r.Chunks || p.Bytes != r.Bytes || len(p.Missing) != len(r.Copied) {
		t.Errorf("planned %d chunks, %d bytes; copied %d, %d", p.Chunks, p.Bytes, r.Chunks, r.Bytes)
	}
}

func TestOnlyWhatIsNewerWhateverTheClockSaid(t *testing.T) {
	from, to := pairOf(t, true, repotest.Options{})
	newer := func() int {
		t.Helper()
		p, err := transfer.New(t.Context(), from, to, snapshots(t, from), transfer.Options{Newer: true})
		must(t, err)
		r, err := p.Run(t.Context())
		must(t, err)
		return len(r.Copied)
	}
	src := practice{"/srv/a": "one"}
	save(t, from, 1, src)
	save(t, from, 2, src, func(s *snapshot.Snapshot) { s.Time = s.Time.AddDate(10, 0, 0) }) // a clock that jumped
	if n := newer(); n != 2 {
		t.Errorf("%d copied, want both", n)
	}
	first := snapshots(t, to)[0]
	must(t, to.RemoveDocument(t.Context(), repo.Snapshots, first.ID))
	save(t, from, 3, src)
	save(t, from, 1, src, func(s *snapshot.Snapshot) { s.Plan = "weekly" })
	if n := newer(); n != 2 {
		t.Errorf("%d copied, want the one of night 3 and the other plan's", n)
	}
	if n := newer(); n != 0 {
		t.Errorf("%d came back", n)
	}
}
