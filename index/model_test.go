package index

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartkeep/chunk"
)

// A model is what an Index should be, in the simplest way.
type model struct {
	segments map[string][]*Directory
	added    map[PackID]*Directory
	claimed  map[chunk.ID]bool
	damaged  map[DamagedBlock]bool
}

func newModel() *model {
	return &model{map[string][]*Directory{}, map[PackID]*Directory{}, map[chunk.ID]bool{}, map[DamagedBlock]bool{}}
}

func (m *model) packs() map[PackID]*Directory {
	packs := make(map[PackID]*Directory)
	for _, d := range m.added {
		packs[d.Pack] = d
	}
	for _, dirs := range m.segments {
		for _, d := range dirs {
			packs[d.Pack] = d
		}
	}
	return packs
}

// places returns where the chunks are, sound places and damaged ones.
func (m *model) places() (sound, damaged map[chunk.ID][]Place) {
	sound, damaged = make(map[chunk.ID][]Place), make(map[chunk.ID][]Place)
	for _, d := range m.packs() {
		for _, b := range d.Blocks {
			to := sound
			if m.damaged[DamagedBlock{d.Pack, b.Offset}] {
				to = damaged
			}
			offset := uint32(0)
			for _, c := range b.Chunks {
				to[c.ID] = append(to[c.ID], Place{d.Pack, d.Session, d.Class, b.Codec, b.Offset, b.Sealed, b.Plain, offset, c.Length})
				offset += c.Length
			}
		}
	}
	return sound, damaged
}

func (m *model) unclaim(d *Directory) {
	for _, b := range d.Blocks {
		for _, c := range b.Chunks {
			delete(m.claimed, c.ID)
		}
	}
}

func (m *model) forget(segments ...string) {
	for _, name := range segments {
		delete(m.segments, name)
	}
}

// reopen does what Close and Open do.
func (m *model) reopen() {
	clear(m.added)
	clear(m.claimed)
	clear(m.damaged)
}

// check compares the index with the model; the chunks of other are unknown to both or to neither.
func (m *model) check(t *testing.T, ix *Index, other []chunk.ID) {
	t.Helper()
	names, err := ix.Segments()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]bool)
	for name := range m.segments {
		want[name] = true
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatal("segments", diff)
	}
	m.checkPacks(t, ix)
	m.checkChunks(t, ix, other)
}

func (m *model) checkPacks(t *testing.T, ix *Index) {
	t.Helper()
	packs := m.packs()
	end := uint64(0)
	for p, err := range ix.Packs() {
		if err != nil {
			t.Fatal(err)
		}
		d, ok := packs[p.ID]
		if !ok {
			t.Fatalf("unknown or repeated pack %v", p.ID)
		}
		delete(packs, p.ID)
		if p.First < end || int(p.Chunks) != d.NumChunks() || p.Session != d.Session || p.Class != d.Class || p.Size != d.Size {
			t.Fatalf("pack is %+v", p)
		}
		end = p.First + uint64(p.Chunks)
		got, err := ix.Directory(p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(AppendDirectory(nil, d, true), AppendDirectory(nil, got, true)) {
			t.Fatal("directory", cmp.Diff(d, got))
		}
	}
	if end > ix.Chunks() || len(packs) > 0 {
		t.Fatalf("%d packs are missing, last ordinal %d of %d", len(packs), end, ix.Chunks())
	}
	if _, err := ix.Directory(PackID{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func (m *model) checkChunks(t *testing.T, ix *Index, other []chunk.ID) {
	t.Helper()
	sound, damaged := m.places()
	ordinals := make(map[uint64]chunk.ID)
	first := make(map[PackID]PackInfo)
	for p := range ix.Packs() {
		first[p.ID] = p
	}
	check := func(id chunk.ID) {
		t.Helper()
		if has, err := ix.Has(id); err != nil || has != (len(sound[id]) > 0) {
			t.Fatalf("Has is %v, %v for a chunk of %d sound places", has, err, len(sound[id]))
		}
		got, err := ix.Lookup(id)
		if err != nil || len(got) != len(sound[id])+len(damaged[id]) {
			t.Fatalf("found %d of %d+%d places: %v", len(got), len(sound[id]), len(damaged[id]), err)
		}
		comparePlaces(t, sound[id], got[:len(sound[id])])
		comparePlaces(t, damaged[id], got[len(sound[id]):])
		n, ok, err := ix.Ordinal(id)
		if err != nil || ok != (len(got) > 0) || ok && n >= ix.Chunks() {
			t.Fatalf("ordinal %d of %d, %v %v", n, ix.Chunks(), ok, err)
		}
		if earlier, taken := ordinals[n]; ok && taken && earlier != id {
			t.Fatalf("ordinal %d is given twice", n)
		}
		if ok {
			ordinals[n] = id
			if p := first[got[0].Pack]; n < p.First || n >= p.First+uint64(p.Chunks) {
				t.Fatalf("ordinal %d is not of the first place", n)
			}
		}
	}
	for id := range sound {
		check(id)
	}
	for id := range damaged {
		check(id)
	}
	for _, id := range other {
		check(id)
	}
}

func comparePlaces(t *testing.T, want, got []Place) {
	t.Helper()
	left := make(map[Place]int, len(want))
	for _, p := range want {
		left[p]++
	}
	for _, p := range got {
		if left[p]--; left[p] < 0 {
			t.Fatalf("found %+v, not one of %+v", p, want)
		}
	}
}

// A universe is a set of chunks small enough for packs to overlap, with IDs that agree in their fingerprints.
type universe struct {
	rng *rand.Rand
	ids []chunk.ID
}

func newUniverse(rng *rand.Rand, size int) *universe {
	u := &universe{rng: rng}
	for i := range size {
		var id chunk.ID
		fill(rng, id[:])
		if i > 0 && rng.IntN(4) == 0 {
			copy(id[:6], u.ids[rng.IntN(i)][:6]) // 48 bits, of which 44 are looked at
		}
		u.ids = append(u.ids, id)
	}
	return u
}

func (u *universe) id() chunk.ID { return u.ids[u.rng.IntN(len(u.ids))] }

// directory makes a directory of random chunks, now and then a long one.
func (u *universe) directory() *Directory {
	blocks, most := u.rng.IntN(6), 20
	if u.rng.IntN(12) == 0 {
		most = 700
	}
	d := randomDirectory(u.rng, blocks, 1)
	for i := range d.Blocks {
		b := &d.Blocks[i]
		b.Chunks, b.Plain = nil, 0
		for range 1 + u.rng.IntN(most) {
			c := Chunk{ID: u.id(), Length: 1 + u.rng.Uint32N(5000)}
			b.Chunks = append(b.Chunks, c)
			b.Plain += c.Length
		}
	}
	return d
}

func pick[K comparable, V any](rng *rand.Rand, m map[K]V, less func(a, b K) int) (K, bool) {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, less)
	if len(keys) == 0 {
		var none K
		return none, false
	}
	return keys[rng.IntN(len(keys))], true
}

// A trial does the same to an index and to a model.
type trial struct {
	t  *testing.T
	ix *Index
	m  *model
	u  *universe
	n  int
}

func (r *trial) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *trial) importSegment() {
	var dirs []*Directory
	for _, d := range r.m.packs() { // some that are known
		if r.u.rng.IntN(4) == 0 {
			dirs = append(dirs, d)
		}
	}
	for range r.u.rng.IntN(4) {
		dirs = append(dirs, r.u.directory())
	}
	if len(dirs) > 0 && r.u.rng.IntN(4) == 0 {
		dirs = append(dirs, dirs[0])
	}
	r.n++
	name := fmt.Sprint("segment ", r.n)
	r.must(r.ix.Import(name, dirs))
	r.must(r.ix.Import(name, nil))
	r.m.segments[name] = dirs
	for _, d := range dirs {
		delete(r.m.added, d.Pack)
		r.m.unclaim(d)
	}
}

func (r *trial) forget() {
	a, ok := pick(r.u.rng, r.m.segments, compareStrings)
	if ok {
		r.must(r.ix.Forget(a, "unheard of"))
		r.m.forget(a)
	}
}

func compareStrings(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

func (r *trial) add() {
	d := r.u.directory()
	r.must(r.ix.Add(d))
	r.must(r.ix.Add(d))
	r.m.added[d.Pack] = d
	r.m.unclaim(d)
}

func (r *trial) claim() {
	sound, _ := r.m.places()
	for range 50 {
		id := r.u.id()
		want := len(sound[id]) == 0 && !r.m.claimed[id]
		if fresh, err := r.ix.Claim(id); err != nil || fresh != want {
			r.t.Fatalf("Claim is %v instead of %v: %v", fresh, want, err)
		}
		if want {
			r.m.claimed[id] = true
		}
		if r.u.rng.IntN(3) == 0 {
			r.ix.Unclaim(id)
			delete(r.m.claimed, id)
		}
	}
}

func (r *trial) damage() {
	clear(r.m.damaged)
	var blocks []DamagedBlock
	for _, d := range r.m.packs() {
		for _, b := range d.Blocks {
			if r.u.rng.IntN(5) == 0 {
				blocks = append(blocks, DamagedBlock{d.Pack, b.Offset})
				r.m.damaged[DamagedBlock{d.Pack, b.Offset}] = true
			}
		}
	}
	r.ix.SetDamaged(blocks)
}

func (r *trial) run(steps int, reopen func()) {
	for range steps {
		switch n := r.u.rng.IntN(20); {
		case n < 6:
			r.importSegment()
		case n < 9:
			r.forget()
		case n < 14:
			r.add()
		case n < 17:
			r.claim()
		case n < 18:
			r.damage()
		case n < 19:
			r.m.check(r.t, r.ix, r.u.ids)
		default:
			reopen()
		}
	}
	r.m.check(r.t, r.ix, r.u.ids)
}

func TestIndexAgreesWithModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := Options{foldEntries: 500, maxGaps: 50_000}
			open := func() *Index {
				ix, err := Open(dir, [32]byte{7}, o)
				if err != nil {
					t.Fatal(err)
				}
				return ix
			}
			r := &trial{t: t, ix: open(), m: newModel(), u: newUniverse(rand.New(rand.NewPCG(seed, 1)), 1500)}
			r.run(60, func() {
				r.must(r.ix.Close())
				r.m.reopen()
				r.ix = open()
				r.m.check(t, r.ix, r.u.ids)
			})
			r.must(r.ix.Close())
		})
	}
}

func TestIndexInMemoryAgreesWithModel(t *testing.T) {
	for seed := range uint64(2) {
		r := &trial{t: t, ix: NewMemory(), m: newModel(), u: newUniverse(rand.New(rand.NewPCG(seed, 2)), 1500)}
		r.run(40, func() {})
		r.must(r.ix.Close())
	}
}

func TestIndexThatTurnedFromItsDiskAgreesWithModel(t *testing.T) {
	dir := t.TempDir()
	open := func() *Index {
		ix, err := Open(dir, [32]byte{7}, Options{foldEntries: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return ix
	}
	r := &trial{t: t, ix: open(), m: newModel(), u: newUniverse(rand.New(rand.NewPCG(5, 3)), 1500)}
	r.run(20, func() {})
	stored := make(map[string][]*Directory)
	for name, dirs := range r.m.segments {
		stored[name] = dirs
	}
	r.must(r.ix.shelf.remember(nil, fs.ErrPermission))
	r.run(20, func() {})
	if err := r.ix.Close(); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("Close did not say why: %v", err)
	}
	r.m.reopen()
	r.m.segments = stored
	r.ix = open()
	r.run(20, func() {})
	r.must(r.ix.Close())
}
