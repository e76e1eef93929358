package proof_test

import (
	"maps"
	"slices"
	"testing"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// ruin turns every third byte in the middle of a file's data, far more than any
// parity mends, and leaves its front and its end.
func ruin(t *testing.T, st storage.Store, name string, from, to float64) {
	t.Helper()
	b, err := storage.ReadAll(t.Context(), st, name, 1<<30)
	must(t, err)
	for i := int(from * float64(len(b))); i < int(to*float64(len(b))); i += 3 {
		b[i] ^= 0x55
	}
	must(t, storage.Replace(t.Context(), st, name, b))
}

// without names the files of a snapshot that have nothing between two parts of a pack,
// in which whatever is there is lost.
func without(t *testing.T, r *repo.Repository, s *snapshot.Snapshot, info index.PackInfo, from, to float64) (names []string) {
	t.Helper()
	ix, err := r.Index(t.Context())
	must(t, err)
	must(t, snapshot.Walk(t.Context(), r, &s.Root, "/", func(p string, n *snapshot.Node, err error) error {
		hit := n.Meta.Kind != sources.Regular
		for _, ref := range n.Content.Refs {
			places, err := ix.Lookup(ref.ID)
			must(t, err)
			for _, at := range places {
				hit = hit || at.Pack == info.ID && at.BlockOffset < uint32(to*float64(info.Size)) && at.BlockOffset+at.BlockSealed > uint32(from*float64(info.Size))
			}
		}
		if !hit {
			names = append(names, p[1:])
		}
		return err
	}))
	return names
}

// largestPack is that of file content.
func largestPack(t *testing.T, r *repo.Repository) (largest index.PackInfo) {
	t.Helper()
	ix, err := r.Index(t.Context())
	must(t, err)
	for info, err := range ix.Packs() {
		must(t, err)
		if info.Class == index.Data && info.Size > largest.Size {
			largest = info
		}
	}
	return largest
}

// practice is a night with files of several blocks.
func practice() tree {
	t := night(1)
	for i := range byte(6) {
		t["srv/images/"+string('a'+rune(i))+".jpg"] = noise(10+i, 700<<10)
	}
	return t
}

// TestDamageBeyondParityHealsFromTheSource ruins a third of a pack. The files in
// the rest come back at once; when the damage is on record, the next night that
// still has the other files makes the old snapshot whole again.
func TestDamageBeyondParityHealsFromTheSource(t *testing.T) {
	t.Parallel()
	r := repotest.New(t, repotest.Options{Damaged: true, Init: repo.InitOptions{Parity: 3}})
	src := practice()
	s := backup(t, r, src)
	pack := largestPack(t, r)
	unharmed := without(t, r, s, pack, 0.3, 0.6)
	ruin(t, r.Store(), "packs/"+pack.ID.String()[:2]+"/"+pack.ID.String(), 0.3, 0.6)

	r = repotest.Reopen(t, r, repo.Options{})
	got, problems, err := back(t.Context(), r, s)
	must(t, err)
	for p, data := range got {
		if data != src[p] {
			t.Errorf("%s comes back with other content", p)
		}
	}
	if is := slices.Sorted(maps.Keys(got)); !slices.Equal(is, slices.Sorted(slices.Values(unharmed))) || len(is) == 0 {
		t.Errorf("%q come back, and unharmed are %q", is, unharmed)
	}
	if len(got)+len(problems) != len(src) || len(problems) == 0 {
		t.Errorf("of %d files %d come back and %d are named: %v", len(src), len(got), len(problems), problems)
	}
	record(t, r)

	r = repotest.Reopen(t, r, repo.Options{})
	backup(t, r, src)
	r = repotest.Reopen(t, r, repo.Options{})
	got, problems, err = back(t.Context(), r, s)
	must(t, err)
	if len(got) != len(src) || len(problems) > 0 {
		t.Errorf("after another night %d files of %d come back; %v", len(got), len(src), problems)
	}
}

// record checks a repository and puts what is lost on record.
func record(t *testing.T, r *repo.Repository) {
	t.Helper()
	faults, _, err := inspect(t.Context(), r)
	must(t, err)
	var lost []index.DamagedBlock
	for _, f := range faults {
		lost = append(lost, f.Lost...)
	}
	if len(lost) == 0 {
		t.Fatalf("the check names no lost block: %v", faults)
	}
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	must(t, err)
	defer w.Abort()
	must(t, w.RecordDamage(t.Context(), lost))
}

// TestALostPackHealsFromTheSource loses a pack with all that was in it.
func TestALostPackHealsFromTheSource(t *testing.T) {
	t.Parallel()
	r := repotest.New(t, repotest.Options{Damaged: true, Init: repo.InitOptions{Parity: 3}})
	src := practice()
	s := backup(t, r, src)
	id := largestPack(t, r).ID.String()
	must(t, r.Store().Remove(t.Context(), "packs/"+id[:2]+"/"+id))
	r = repotest.Reopen(t, r, repo.Options{})
	record(t, r)
	r = repotest.Reopen(t, r, repo.Options{})
	backup(t, r, src)
	got, problems, err := back(t.Context(), repotest.Reopen(t, r, repo.Options{}), s)
	must(t, err)
	if len(got) != len(src) || len(problems) > 0 {
		t.Errorf("after another night %d files of %d come back; %v", len(got), len(src), problems)
	}
}
