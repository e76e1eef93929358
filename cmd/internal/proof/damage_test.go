package proof_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/mem"
	"chartkeep/snapshot"
)

// patient is a small repository that is hurt in every way, one at a time.
type patient struct {
	st    *mem.Store
	code  []byte // opens it without a costly derivation
	cache string // folder of the local index; empty: there is none
	whole map[string][]byte
	saved map[repo.DocumentID]tree
	needs map[index.PackID]map[repo.DocumentID][]string // which files of which snapshot are in a pack
}

// newPatient makes a repository of two nights. The second leaves most of what
// the first stored as it is, so that both need the first one's packs.
func newPatient(t *testing.T, parity int) *patient {
	t.Helper()
	ctx := t.Context()
	p := &patient{st: mem.New(), saved: map[repo.DocumentID]tree{}}
	r, err := repo.Init(ctx, p.st, []byte("a password"), repo.InitOptions{Parity: parity, KDF: crypt.MinKDF}, repo.Options{})
	must(t, err)
	slots, err := r.Slots(ctx)
	must(t, err)
	code := crypt.NewRecoveryCode()
	_, err = r.AddRecovery(ctx, code, "")
	must(t, err)
	must(t, r.RemoveSlot(ctx, slots[0].ID))
	p.code = []byte(code.String())
	for n := 1; n <= 2; n++ {
		s := backup(t, r, night(n))
		p.saved[s.ID] = night(n)
	}
	p.whole = files(t, p.st)
	p.needs = needs(t, r)
	must(t, r.Close())
	return p
}

// needs finds out which files need which pack, by looking into the packs.
func needs(t *testing.T, r *repo.Repository) map[index.PackID]map[repo.DocumentID][]string {
	t.Helper()
	ix, err := r.Index(t.Context())
	must(t, err)
	all, _, err := snapshot.All(t.Context(), r)
	must(t, err)
	in := map[index.PackID]map[repo.DocumentID][]string{}
	for info, err := range ix.Packs() {
		must(t, err)
		in[info.ID] = map[repo.DocumentID][]string{}
		for _, s := range all {
			in[info.ID][s.ID] = filesIn(t, r, ix, info, s)
		}
	}
	return in
}

// filesIn names the files of a snapshot with a chunk in a pack. Of a pack of
// trees that is every file of a snapshot that has a tree in it.
func filesIn(t *testing.T, r *repo.Repository, ix *index.Index, info index.PackInfo, s *snapshot.Snapshot) (names []string) {
	t.Helper()
	var marks snapshot.Marks
	must(t, snapshot.Mark(t.Context(), r, &marks, []*snapshot.Node{&s.Root}, func(f snapshot.Fault) { t.Error(f.Err) }))
	touched := false
	for i := range uint64(info.Chunks) {
		touched = touched || marks.Has(info.First+i)
	}
	must(t, snapshot.Walk(t.Context(), r, &s.Root, "/", func(p string, n *snapshot.Node, err error) error {
		hit := info.Class == index.Meta && touched
		for _, ref := range n.Content.Refs {
			places, err := ix.Lookup(ref.ID)
			must(t, err)
			hit = hit || len(places) > 0 && places[0].Pack == info.ID
		}
		if hit {
			names = append(names, p[1:])
		}
		return err
	}))
	return names
}

// blow is one way of hurting a repository: a file with another content, or with
// nil none.
type blow struct {
	name    string // of the file
	what    string
	content []byte
	light   bool // whatever the file: nothing may be lost, and all can be mended
}

// strike hurts the patient, examines and mends it, and makes it whole again.
func (p *patient) strike(t *testing.T, b blow) {
	t.Helper()
	ctx := t.Context()
	defer func() {
		if bad := recover(); bad != nil {
			t.Fatalf("%s of %s: panic: %v", b.what, b.name, bad)
		}
	}()
	if b.content == nil {
		must(t, p.st.Remove(ctx, b.name))
	} else {
		must(t, p.st.Replace(ctx, b.name, b.content))
	}
	if err := p.survive(ctx, b); err != nil {
		t.Errorf("%s of %s: %v", b.what, b.name, err)
	}
	p.recover(t)
}

// recover puts back what the store held at first.
func (p *patient) recover(t *testing.T) {
	t.Helper()
	is := files(t, p.st)
	for _, n := range differences(is, p.whole) {
		if p.whole[n] == nil {
			must(t, p.st.Remove(t.Context(), n))
		} else {
			must(t, p.st.Replace(t.Context(), n, p.whole[n]))
		}
	}
}

func (p *patient) open(ctx context.Context) (*repo.Repository, error) {
	return repo.Open(ctx, p.st, p.code, repo.Options{CacheDir: p.cache})
}

// survive restores from a hurt repository, examines it and mends it, each as a
// program of its own.
func (p *patient) survive(ctx context.Context, b blow) error {
	restored := p.with(ctx, func(r *repo.Repository) error { return p.restorable(ctx, r, b) })
	if restored != nil {
		return restored
	}
	return p.with(ctx, func(r *repo.Repository) error {
		faults, missing, err := inspect(ctx, r)
		if err != nil {
			return fmt.Errorf("it cannot be checked: %w", err)
		}
		if len(faults)+len(missing) == 0 {
			return errors.New("a full check finds nothing")
		}
		return p.mend(ctx, r, b, faults)
	})
}

// with opens the repository for some work on it.
func (p *patient) with(ctx context.Context, work func(*repo.Repository) error) error {
	r, err := p.open(ctx)
	if err != nil {
		return fmt.Errorf("it does not open: %w", err)
	}
	defer r.Close()
	return work(r)
}

// restorable restores both nights. What comes back is right; what does not is
// named; and only what lay in a damaged pack may stay away.
func (p *patient) restorable(ctx context.Context, r *repo.Repository, b blow) error {
	all, broken, err := snapshot.All(ctx, r)
	if err != nil || len(broken) > 0 || len(all) != len(p.saved) {
		return fmt.Errorf("%d snapshots are left, %v, %v", len(all), broken, err)
	}
	for _, s := range all {
		got, problems, err := back(ctx, r, s)
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		if err := p.compare(s.ID, got, problems, b); err != nil {
			return err
		}
	}
	return nil
}

func (p *patient) compare(id repo.DocumentID, got tree, problems map[string]error, b blow) error {
	for name, data := range p.saved[id] {
		is, there := got[name]
		switch {
		case there && is != data:
			return fmt.Errorf("%s comes back with other content", name)
		case !there && (b.light || !p.mayLose(b.name, id, name)):
			return fmt.Errorf("%s does not come back: %v", name, problems)
		case !there && len(problems) == 0:
			return fmt.Errorf("nobody says that %s does not come back", name)
		}
	}
	if len(got) > len(p.saved[id]) {
		return fmt.Errorf("%d files come back of %d", len(got), len(p.saved[id]))
	}
	return nil
}

func (p *patient) mayLose(stored string, id repo.DocumentID, name string) bool {
	pack, err := index.ParsePackID(path.Base(stored))
	return err == nil && path.Dir(path.Dir(stored)) == "packs" && slices.Contains(p.needs[pack][id], name)
}

// mend repairs what a check has found. Packs are byte for byte what they were;
// segments may have other names.
func (p *patient) mend(ctx context.Context, r *repo.Repository, b blow, faults []repo.Fault) error {
	if _, err := r.RepairTwins(ctx, faults); err != nil {
		return err
	}
	for _, f := range faults {
		if f.Pack.IsZero() || path.Base(f.File) != f.Pack.String() {
			continue
		}
		err := r.RepairPack(ctx, f.Pack)
		switch {
		case err != nil && (f.Mendable || b.light):
			return fmt.Errorf("mend: %w", err)
		case err != nil:
			return nil // beyond the parity
		}
	}
	plan, adopt, err := r.PlanIndexRepair(ctx)
	if err == nil {
		err = r.RepairIndex(ctx, plan, adopt)
	}
	if err != nil {
		return fmt.Errorf("mend the index: %w", err)
	}
	r.Close() // or it would hold the local index
	return p.mended(ctx, b)
}

func (p *patient) mended(ctx context.Context, b blow) error {
	for name, data := range p.whole {
		f, err := p.st.Open(ctx, name)
		if strings.HasPrefix(name, "index/") {
			continue
		}
		if err != nil && !b.light && strings.HasPrefix(name, "packs/") {
			return nil // a pack that is gone stays so
		}
		if err != nil {
			return fmt.Errorf("after mending: %w", err)
		}
		is := make([]byte, f.Size())
		if f.ReadAt(is, 0); string(is) != string(data) {
			return fmt.Errorf("mended, %s is not what it was", name)
		}
	}
	return p.with(ctx, func(r *repo.Repository) error {
		faults, missing, err := inspect(ctx, r)
		if err != nil || len(faults)+len(missing) > 0 {
			return fmt.Errorf("mended, it still has faults: %v %v %v", faults, missing, err)
		}
		return nil
	})
}

// names are those of all files, sorted.
func (p *patient) names() []string { return slices.Sorted(maps.Keys(p.whole)) }

// TestAnyByteMayTurn turns a bit of one byte after the other; in the long form of
// every byte, without a local index and then beside one. Which bit that is depends on
// the byte and on the seed.
func TestAnyByteMayTurn(t *testing.T) {
	t.Parallel()
	patients := []*patient{newPatient(t, 3)}
	if *full {
		patients = append(patients, newPatient(t, 3))
		patients[1].cache = t.TempDir()
	}
	n, began := 0, time.Now()
	for _, p := range patients {
		for _, name := range p.names() {
			whole := p.whole[name]
			for i := range whole {
				if !*full && !telling(whole, i) {
					continue
				}
				if *full && !goesOn(began) {
					t.Logf("%d bytes turned, and not all", n)
					return
				}
				turned := slices.Clone(whole)
				turned[i] ^= 1 << ((uint64(i) + *from) % 8)
				p.strike(t, blow{name, fmt.Sprintf("turning byte %d of %d", i, len(whole)), turned, true})
				if n++; *full && n%5000 == 0 {
					fmt.Printf("%s: %d bytes\n", t.Name(), n)
				}
			}
		}
	}
	t.Logf("%d bytes turned, the last ones of %d files", n, len(patients[0].whole))
}

// telling chooses the bytes for the short form: one of each field at the front
// and the end of a file, where formats have their magic, lengths and checksums,
// and a few of what lies between.
func telling(whole []byte, i int) bool {
	edge := min(i, len(whole)-1-i)
	return edge < 100 && edge%7 == 0 || i%101 == 0
}

func TestAnyFileMayBeCutOffEmptiedLostOrSwapped(t *testing.T) {
	t.Parallel()
	p := newPatient(t, 3)
	for _, name := range p.names() {
		p.manhandle(t, name)
	}
}

// manhandle does to a file all that is done to whole files.
func (p *patient) manhandle(t *testing.T, name string) {
	whole := p.whole[name]
	small := !strings.HasPrefix(name, "packs/")
	for _, n := range []int{1, 17, len(whole) / 2, len(whole) - 89, len(whole) - 1} {
		if n > 0 {
			p.strike(t, blow{name, fmt.Sprintf("cutting off after %d bytes of %d", n, len(whole)), whole[:n], small})
		}
	}
	p.strike(t, blow{name, "emptying", []byte{}, small})
	p.strike(t, blow{name, "lengthening", append(slices.Clone(whole), 0), true})
	p.strike(t, blow{name, "losing", nil, small})
	for _, other := range p.names() {
		kind := func(n string) string { return strings.Split(n, "/")[0] }
		if kind(other) == kind(name) && other != name {
			p.strike(t, blow{name, "swapping with " + other, p.whole[other], small})
		}
	}
}

// With a local index much is known that the repository no longer says. That must
// neither hide damage nor make it worse.
func TestDamageIsFoundAndMendedBesideALocalIndex(t *testing.T) {
	t.Parallel()
	p := newPatient(t, 3)
	p.cache = t.TempDir()
	for i, name := range p.names() {
		whole := p.whole[name]
		turned := slices.Clone(whole)
		turned[len(whole)*i/len(p.whole)] ^= 4
		p.strike(t, blow{name, "turning a byte", turned, true})
		if *full || i%6 == 0 || strings.HasPrefix(name, "index/") {
			p.manhandle(t, name)
		}
	}
}

// Without parity every pack is still checked and what lies elsewhere comes back.
func TestWithoutParityDamageCostsWhatItHit(t *testing.T) {
	t.Parallel()
	p := newPatient(t, 0)
	for _, name := range p.names() {
		for i := 0; i < len(p.whole[name]); i += 307 {
			turned := slices.Clone(p.whole[name])
			turned[i] ^= 0x80
			p.strike(t, blow{name, fmt.Sprintf("turning byte %d", i), turned, !strings.HasPrefix(name, "packs/")})
		}
	}
}
