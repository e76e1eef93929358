package index

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
)

// ErrDamaged is the error of an Index whose files turned out to be damaged after it was opened. It cannot be used
// any longer; once it is closed, Open starts with an empty one.
var ErrDamaged = errors.New("index cache is damaged")

// Index says where every chunk of a repository is. All methods are safe for concurrent use.
type Index struct {
	options Options
	cache   *cache // nil when in memory
	shelf   *shelf

	write sync.Mutex // held by the one who changes anything below but claims

	writer partWriter // what tail holds; guarded by write

	mu      sync.RWMutex // held exclusively only to change fields, never to wait for a disk
	cat     catalog
	base    *base
	delta   *delta
	tail    part   // the last part, which is still growing
	last    uint32 // its number
	damaged map[DamagedBlock]struct{}

	claims claims
}

func newIndex(s *shelf, o Options) *Index {
	return &Index{options: o, shelf: s, cat: newCatalog(), base: new(base), delta: new(delta), claims: newClaims()}
}

// NewMemory returns an empty index that leaves nothing on disk. It needs about 45 bytes of memory per chunk.
func NewMemory() *Index { return newIndex(newMemoryShelf(), Options{}.withDefaults()) }

// Segments returns the names of the segments that were imported.
func (ix *Index) Segments() (map[string]bool, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	names := make(map[string]bool, len(ix.cat.segments))
	for name := range ix.cat.segments {
		names[name] = true
	}
	return names, ix.shelf.usable()
}

// Add makes a pack known that is durable but not yet listed in a segment. It is forgotten when the index is
// closed before Import names it. Claims on its chunks end. A pack that is known already stays as it is.
func (ix *Index) Add(d *Directory) error {
	if err := d.Check(true); err != nil {
		return fmt.Errorf("add pack %v: %w", d.Pack, err)
	}
	ix.write.Lock()
	defer ix.write.Unlock()
	return ix.admit([]*Directory{d})
}

// importChunks is roughly how many chunks Import admits at once.
const importChunks = 16 << 10

// Import enters a segment that is in the repository: dirs are the directories in it. Once it has returned, the
// next Open knows them too; when the process dies before, the segment is simply not imported. A segment that is
// known already stays as it is.
func (ix *Index) Import(name string, dirs []*Directory) error {
	for _, d := range dirs {
		if err := d.Check(true); err != nil {
			return fmt.Errorf("import segment %s: pack %v: %w", name, d.Pack, err)
		}
	}
	ix.write.Lock()
	defer ix.write.Unlock()
	if _, ok := ix.cat.segments[name]; ok {
		return nil
	}
	if err := ix.importSegment(name, dirs); err != nil {
		return fmt.Errorf("import segment %s: %w", name, err)
	}
	return nil
}

func (ix *Index) importSegment(name string, dirs []*Directory) error {
	for rest := dirs; len(rest) > 0; {
		n, chunks := 0, 0
		for n < len(rest) && (n == 0 || chunks < importChunks) {
			chunks += rest[n].NumChunks()
			n++
		}
		if err := ix.admit(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return ix.list(ix.newSegment(name, dirs))
}

// newSegment makes the segment of packs that are known.
func (ix *Index) newSegment(name string, dirs []*Directory) *segment {
	s := &segment{name: name, number: ix.cat.nextSegment}
	_, _ = rand.Read(s.tag[:]) // never fails
	seen := make(map[PackID]bool, len(dirs))
	for _, d := range dirs {
		if !seen[d.Pack] {
			seen[d.Pack] = true
			s.packs = append(s.packs, ix.cat.byID[d.Pack])
		}
	}
	return s
}

// list makes a segment known, and durable.
func (ix *Index) list(s *segment) error {
	if err := ix.shelf.put(s.records()); err != nil {
		return err
	}
	ix.mu.Lock()
	ix.cat.nextSegment++
	ix.cat.list(s)
	ix.mu.Unlock()
	return ix.settle()
}

// settle makes the catalog durable, and folds the delta into the base when it is time.
func (ix *Index) settle() error {
	if ix.foldDue() {
		return ix.fold()
	}
	return ix.commit(ix.base)
}

// commit makes the catalog durable with the given base.
func (ix *Index) commit(b *base) error {
	if ix.writer.chunks() > 0 {
		if err := ix.shelf.put([]record{{key: partKey(ix.last), value: ix.tail}}); err != nil {
			return err
		}
	}
	return ix.shelf.commit(appendRoot(nil, &ix.cat, b))
}

// Forget removes segments that are no longer in the repository, and the packs that no other segment lists.
// Unknown names are ignored.
func (ix *Index) Forget(segments ...string) error {
	ix.write.Lock()
	defer ix.write.Unlock()
	ix.mu.Lock()
	gone, dropped := ix.cat.unlist(segments)
	ix.mu.Unlock()
	if len(gone) == 0 {
		return nil
	}
	if err := ix.settle(); err != nil {
		return fmt.Errorf("forget segments: %w", err)
	}
	ix.shelf.remove(append(ix.unused(dropped), pieces(gone)...))
	return nil
}

func pieces(segments []*segment) []key {
	var keys []key
	for _, s := range segments {
		keys = append(keys, s.pieces(len(s.packs))...)
	}
	return keys
}

// unused returns the keys of those parts of packs that are gone which hold nothing else.
func (ix *Index) unused(gone []*pack) []key {
	var keys []key
	seen := make(map[uint32]bool)
	for _, p := range gone {
		for n := range p.parts() {
			if !seen[n] && n < ix.last && len(ix.cat.inPart(n)) == 0 {
				keys = append(keys, partKey(n))
			}
			seen[n] = true
		}
	}
	return keys
}

// admit makes packs known. Their parts reach the disk, but no root leads to them until a segment lists the packs.
func (ix *Index) admit(dirs []*Directory) error {
	fresh, err := ix.unknown(dirs)
	if err != nil {
		return err
	}
	last := ix.last
	var records []record
	for _, d := range fresh {
		ix.writer.appendPack(d, func(p part) {
			records = append(records, record{key: partKey(last), value: p})
			last++
		})
	}
	if err := ix.shelf.put(records); err != nil {
		return err
	}
	tail := ix.writer.part()
	ix.mu.Lock()
	for _, d := range fresh {
		ix.enter(d)
	}
	ix.tail, ix.last = tail, last
	ix.mu.Unlock()
	for _, d := range dirs {
		ix.claims.end(d)
	}
	return nil
}

// unknown returns the directories whose packs are not known.
func (ix *Index) unknown(dirs []*Directory) ([]*Directory, error) {
	seen := make(map[PackID]bool, len(dirs))
	var fresh []*Directory
	next := ix.cat.next
	for _, d := range dirs {
		if seen[d.Pack] || ix.cat.byID[d.Pack] != nil {
			continue
		}
		seen[d.Pack] = true
		fresh = append(fresh, d)
		if next += uint64(d.NumChunks()); next > maxOrdinals {
			return nil, fmt.Errorf("index is full: %d chunks", ix.cat.next)
		}
	}
	return fresh, nil
}

// enter makes a pack known whose parts are in place. The caller holds ix.mu exclusively.
func (ix *Index) enter(d *Directory) {
	p := &pack{PackInfo: PackInfo{
		ID: d.Pack, Session: d.Session, Class: d.Class, Size: d.Size,
		Chunks: uint32(d.NumChunks()), First: ix.cat.next,
	}}
	ix.cat.add(p)
	ordinal := uint32(p.First)
	for i := range d.Blocks {
		for j := range d.Blocks[i].Chunks {
			ix.delta.insert(&d.Blocks[i].Chunks[j].ID, ordinal)
			ordinal++
		}
	}
}

// Close gives the cache up. Packs that were added but not imported are forgotten. It returns an error as well when
// the cache could not be written since some time: nothing is lost, but the next Open knows less.
func (ix *Index) Close() error {
	ix.write.Lock()
	defer ix.write.Unlock()
	ix.shelf.remove(ix.unused(ix.dropUnlisted()))
	closed, err := ix.shelf.close()
	if ix.cache != nil {
		err = errors.Join(err, ix.cache.release(ix.shelf.worn.Load(), closed))
		ix.cache = nil
	}
	if err != nil {
		return fmt.Errorf("close index cache: %w", err)
	}
	return nil
}

// dropUnlisted removes the packs that no segment lists from the catalog.
func (ix *Index) dropUnlisted() []*pack {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	var gone []*pack
	for _, p := range ix.cat.packs {
		if p.listed == 0 {
			gone = append(gone, p)
		}
	}
	ix.cat.drop(gone)
	return gone
}
