package snapshot_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"path"
	"sort"
	"strings"
	"sync/atomic"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// memSource is a source in memory: paths to contents. Folders come from the
// paths.
type memSource struct {
	files map[string]*memFile
	opens atomic.Int64
}

type memFile struct {
	data  []byte
	mtime int64
	inode uint64
	fail  error
}

func newMemSource() *memSource { return &memSource{files: map[string]*memFile{}} }

func (m *memSource) put(p string, data []byte) {
	f := m.files[p]
	if f == nil {
		f = &memFile{inode: uint64(len(m.files) + 1)}
		m.files[p] = f
	}
	f.data = data
	f.mtime++
}

func (f *memFile) meta() sources.Meta {
	at := sources.Time{Sec: 1_700_000_000 + f.mtime}
	return sources.Meta{Kind: sources.Regular, Mode: 0o644, Size: int64(len(f.data)), MTime: at, CTime: at, Inode: f.inode, Links: 1}
}

type memContent struct {
	src *memSource
	f   *memFile
}

func (c memContent) Open() (sources.File, error) {
	c.src.opens.Add(1)
	if c.f.fail != nil {
		return nil, c.f.fail
	}
	return &memOpen{bytes.NewReader(c.f.data), c.f}, nil
}
func (memContent) Attributes() ([]sources.Attribute, error) { return nil, nil }

type memOpen struct {
	io.Reader
	f *memFile
}

func (*memOpen) Close() error                  { return nil }
func (o *memOpen) Meta() (sources.Meta, error) { return o.f.meta(), nil }

func (m *memSource) Entries(context.Context) iter.Seq[sources.Entry] {
	dirs := map[string]bool{"/": true}
	for p := range m.files {
		for d := path.Dir(p); d != "/"; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	var all []string
	for p := range m.files {
		all = append(all, p)
	}
	for d := range dirs {
		all = append(all, d)
	}
	// A folder's content comes right after it: compare element by element.
	sort.Slice(all, func(i, k int) bool {
		return strings.ReplaceAll(all[i], "/", "\x00") < strings.ReplaceAll(all[k], "/", "\x00")
	})
	return func(yield func(sources.Entry) bool) {
		for _, p := range all {
			e := sources.Entry{Path: p, Content: memContent{m, m.files[p]}}
			if f := m.files[p]; f != nil {
				e.Meta = f.meta()
			} else {
				e.Meta = sources.Meta{Kind: sources.Dir, Mode: 0o755, MTime: sources.Time{Sec: 5}, Links: 2}
			}
			if !yield(e) {
				return
			}
		}
	}
}

// save makes a snapshot and returns it with the writer's bytes.
func save(t *testing.T, r *repo.Repository, src sources.Source, o snapshot.SaveOptions) (*snapshot.Snapshot, int64) {
	t.Helper()
	ctx := context.Background()
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	root, sum, err := snapshot.Save(ctx, r, w, src, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	s := &snapshot.Snapshot{Root: *root, Summary: sum, Host: "h", Complete: true}
	if err := s.Put(ctx, w); err != nil {
		t.Fatal(err)
	}
	added, _ := w.Added()
	return s, added
}

// content reads every file of a tree.
func content(t *testing.T, r *repo.Repository, n *snapshot.Node, p string, into map[string][]byte) map[string][]byte {
	t.Helper()
	ctx := context.Background()
	for c, err := range snapshot.Tree(ctx, r, n.Tree) {
		if err != nil {
			t.Fatal(err)
		}
		cp := path.Join(p, c.Name)
		if c.Meta.Kind == sources.Dir {
			content(t, r, c, cp, into)
			continue
		}
		data := []byte{}
		for ref, err := range snapshot.Chunks(ctx, r, c.Content) {
			if err != nil {
				t.Fatal(err)
			}
			b, err := r.Load(ctx, ref.ID)
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, b...)
		}
		into[cp] = data
	}
	return into
}

func same(t *testing.T, src *memSource, got map[string][]byte) {
	t.Helper()
	if len(got) != len(src.files) {
		t.Errorf("%d files came back of %d", len(got), len(src.files))
	}
	for p, f := range src.files {
		if !bytes.Equal(got[p], f.data) {
			t.Errorf("%s came back with %d bytes of %d, or others", p, len(got[p]), len(f.data))
		}
	}
}

func text(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "INSERT INTO patient VALUES (%d,'%x','note %d');\n", b.Len(), rng.Uint64(), rng.IntN(1000))
	}
	return b.Bytes()[:n]
}

func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	rng.Read(b)
	return b
}

func practice() *memSource {
	src := newMemSource()
	for i := range 300 {
		src.put(fmt.Sprintf("/srv/%c/patient%d/letter%d.rtf", 'A'+i%26, i%40, i), text(uint64(i), 100+i*37))
	}
	src.put("/srv/dump.sql", text(7, 9<<20))
	src.put("/srv/xray.bin", noise(8, 3<<20))
	src.put("/srv/empty", nil)
	src.put("/srv-a", []byte("sorts after /srv's content by path, before it by byte"))
	return src
}

func TestWhatIsSavedComesBack(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := practice()
	s, _ := save(t, r, src, snapshot.SaveOptions{})
	again := repotest.Reopen(t, r, repo.Options{})
	loaded, err := snapshot.Load(context.Background(), again, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, src, content(t, again, &loaded.Root, "/", map[string][]byte{}))
	if got := s.Summary.FilesNew; got != int64(len(src.files)) {
		t.Errorf("%d files counted as new of %d", got, len(src.files))
	}
}

func TestUnchangedIsNeitherReadNorStored(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := practice()
	first, _ := save(t, r, src, snapshot.SaveOptions{})
	src.opens.Store(0)
	second, added := save(t, r, src, snapshot.SaveOptions{Parent: &first.Root})
	if src.opens.Load() != 0 || added != 0 {
		t.Errorf("%d files opened and %d bytes added by an unchanged night", src.opens.Load(), added)
	}
	if first.Root.Tree.Refs[0].ID != second.Root.Tree.Refs[0].ID {
		t.Error("equal trees have different references")
	}
	if u := second.Summary; u.FilesUnmodified != int64(len(src.files)) || u.FilesNew+u.FilesChanged+u.DirsNew+u.DirsChanged != 0 {
		t.Errorf("counted as %+v", u)
	}
}

// TestATreeDependsOnTheSourceOnly changes, deletes and adds files at every place
// of a folder and holds the tree made with a parent against the one made
// without.
func TestATreeDependsOnTheSourceOnly(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	rng := rand.New(rand.NewPCG(1, 2))
	src := newMemSource()
	var parent *snapshot.Node
	for round := range 60 {
		for range 1 + rng.IntN(6) {
			p := fmt.Sprintf("/d%d/f%02d", rng.IntN(3), rng.IntN(30))
			if rng.IntN(3) == 0 {
				delete(src.files, p)
			} else {
				src.put(p, text(rng.Uint64(), rng.IntN(300)))
			}
		}
		with, _ := save(t, r, src, snapshot.SaveOptions{Parent: parent})
		without, _ := save(t, r, src, snapshot.SaveOptions{})
		if fmt.Sprint(with.Root.Tree) != fmt.Sprint(without.Root.Tree) {
			t.Fatalf("round %d: the tree made with a parent differs", round)
		}
		same(t, src, content(t, r, &with.Root, "/", map[string][]byte{}))
		parent = &with.Root
	}
}

func TestOneChangeInALargeFolderCostsLittle(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := newMemSource()
	for i := range 20_000 {
		src.put(fmt.Sprintf("/patients/P%06d", i), []byte(fmt.Sprint(i)))
	}
	first, _ := save(t, r, src, snapshot.SaveOptions{})
	src.put("/patients/P012345", []byte("changed"))
	_, added := save(t, r, src, snapshot.SaveOptions{Parent: &first.Root})
	if added > 48<<10 {
		t.Errorf("one changed file among 20,000 added %d bytes of plaintext", added)
	}
}

func TestAnUnreadableFileIsMarkedAndTheOthersSaved(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := newMemSource()
	src.put("/a", []byte("good"))
	src.put("/b", []byte("bad"))
	src.files["/b"].fail = io.ErrNoProgress
	var named []string
	s, _ := save(t, r, src, snapshot.SaveOptions{Problem: func(p string, err error) { named = append(named, p) }})
	if s.Summary.Errors != 1 || fmt.Sprint(named) != "[/b]" {
		t.Errorf("%d errors, named %v", s.Summary.Errors, named)
	}
	b, err := snapshot.Lookup(context.Background(), r, &s.Root, "/b")
	if err != nil || b.State&snapshot.Unreadable == 0 {
		t.Errorf("node %+v, %v", b, err)
	}
	src.files["/b"].fail = nil
	s, _ = save(t, r, src, snapshot.SaveOptions{Parent: &s.Root})
	same(t, src, content(t, r, &s.Root, "/", map[string][]byte{}))
}

// attributed gives every file extended attributes.
type attributed struct {
	*memSource
	attributes []sources.Attribute
}

type attributedContent struct {
	sources.Content
	attributes []sources.Attribute
}

func (c attributedContent) Attributes() ([]sources.Attribute, error) { return c.attributes, nil }

func (a attributed) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		for e := range a.memSource.Entries(ctx) {
			if e.Content != nil && e.Meta.Kind == sources.Regular {
				e.Content = attributedContent{e.Content, a.attributes}
			}
			if !yield(e) {
				return
			}
		}
	}
}

func TestLargeAttributesNeitherFailARunNorFillAPiece(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := newMemSource()
	for i := range 400 {
		src.put(fmt.Sprintf("/f%03d", i), []byte("x"))
	}
	large := attributed{src, []sources.Attribute{{Name: "user.large", Value: noise(1, 60<<10)}}}
	s, _ := save(t, r, large, snapshot.SaveOptions{})
	same(t, src, content(t, r, &s.Root, "/", map[string][]byte{}))
	n, err := snapshot.Lookup(context.Background(), r, &s.Root, "/f200")
	if err != nil || len(n.Attributes) != 1 || !bytes.Equal(n.Attributes[0].Value, large.attributes[0].Value) {
		t.Errorf("the attribute did not come back (%v)", err)
	}

	problems := 0
	tooLarge := attributed{src, []sources.Attribute{{Name: "user.huge", Value: make([]byte, 2<<20)}}}
	s, _ = save(t, r, tooLarge, snapshot.SaveOptions{Problem: func(string, error) { problems++ }})
	same(t, src, content(t, r, &s.Root, "/", map[string][]byte{}))
	if problems != len(src.files) {
		t.Errorf("%d problems told for %d files", problems, len(src.files))
	}
}

func TestTextThatIsNotUTF8NeverMakesASnapshotUnreadable(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	ctx := context.Background()
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	root, _, err := snapshot.Save(ctx, r, w, practice(), snapshot.SaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	bad := "a\xff"
	s := &snapshot.Snapshot{Root: *root, Host: bad, User: bad, Plan: bad, Tags: []string{bad}, Hold: &snapshot.Hold{Who: bad, Reason: bad}, Paths: []string{"/" + bad}}
	if err := s.Put(ctx, w); err != nil {
		t.Fatal(err)
	}
	got, err := snapshot.Load(ctx, r, s.ID)
	if err != nil || got.Paths[0] != "/"+bad || got.Tags[0] != "a\ufffd" {
		t.Errorf("%+v, %v", got, err)
	}
}
