package repo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/local"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// createGoldens makes the listings and the golden repositories that are missing.
func createGoldens(t *testing.T) {
	for night := 1; night <= 2; night++ {
		if _, err := os.Stat(goldenListing(night)); err == nil {
			continue
		}
		var out strings.Builder
		for _, e := range goldenEntries(night) {
			var state snapshot.State
			if e.err != nil {
				state = snapshot.Unreadable
			}
			out.WriteString(goldenLine(e.path, &e.meta, e.attributes, state, sum(e.data)))
		}
		if err := os.WriteFile(goldenListing(night), []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, g := range goldens {
		dir := filepath.Join(golden, g.name)
		if _, err := os.Stat(dir); err == nil {
			t.Logf("%s is there and stays as it is", g.name)
			continue
		}
		if err := createRepository(t.Context(), i, dir); err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
	}
}

func sum(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

func createRepository(ctx context.Context, i int, dir string) error {
	g := goldens[i]
	st, err := local.Create(dir)
	if err != nil {
		return err
	}
	defer st.Close()
	r, err := repo.Init(ctx, st, []byte(goldenPassword), repo.InitOptions{
		Chunking: chunk.DefaultParams(g.algorithm), Parity: g.parity, KDF: g.kdf, Label: "Dr. Müller",
	}, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	code, err := crypt.ParseRecoveryCode(goldenCode)
	if err == nil {
		_, err = r.AddRecovery(ctx, code, "recovery card")
	}
	if err == nil && g.writer {
		_, err = r.AddPassword(ctx, []byte(goldenWriter), crypt.Writer, "nightly run")
	}
	var parent *snapshot.Snapshot
	for night := 1; night <= 2 && err == nil; night++ {
		parent, err = saveNight(ctx, r, night, parent)
	}
	return err
}

func saveNight(ctx context.Context, r *repo.Repository, night int, parent *snapshot.Snapshot) (*snapshot.Snapshot, error) {
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	s := goldenManifest(night)
	o := snapshot.SaveOptions{}
	if parent != nil {
		o.Parent, s.Parent, s.Previous = &parent.Root, parent.ID, parent.ID
	}
	root, summary, err := snapshot.Save(ctx, r, w, goldenSource(night), o)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return nil, err
	}
	s.Root, s.Summary, s.Complete = *root, summary, summary.Errors == 0
	if err := s.Put(ctx, w); err != nil || night == 1 {
		return s, err
	}
	return s, recordCheck(ctx, r, w)
}

// recordCheck says that all packs were read whole after the second night.
func recordCheck(ctx context.Context, r *repo.Repository, w *repo.Writer) error {
	log, err := r.CheckLog(ctx)
	if err != nil {
		return err
	}
	packs, err := packIDs(ctx, r)
	if err != nil {
		return err
	}
	return w.PutCheckLog(ctx, log, goldenChecked, packs)
}

func goldenManifest(night int) *snapshot.Snapshot {
	s := &snapshot.Snapshot{
		Time: time.Date(2026, 1, 30+night, 19, 30, 0, 123456789, time.FixedZone("CST", -6*3600)),
		Host: "elm", User: "anna", Plan: "nightly", Tags: []string{"golden", "month-end"}, Paths: []string{"/srv/practice"}, Version: "golden",
		Sequence: uint64(night), Dated: night == 1,
	}
	if night == 1 {
		s.Hold = &snapshot.Hold{Who: "anna", When: s.Time.Unix(), Reason: "audit 2026"}
		return s
	}
	s.Tags = nil
	return s
}

// goldenSource is one night of the practice.
type goldenSource int

func (night goldenSource) Entries(context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		for _, e := range goldenEntries(int(night)) {
			entry := sources.Entry{Path: e.path, Meta: e.meta, Content: e, Err: e.err}
			if e.err != nil {
				entry.Content = nil
			}
			if !yield(entry) {
				return
			}
		}
	}
}

// goldenEntry is an entry of the practice, with its content.
type goldenEntry struct {
	path       string
	meta       sources.Meta
	attributes []sources.Attribute
	data       []byte
	extents    []sources.Extent
	err        error
}

func (e *goldenEntry) Attributes() ([]sources.Attribute, error) { return e.attributes, nil }

func (e *goldenEntry) Open() (sources.File, error) {
	return &goldenFile{bytes.NewReader(e.data), e}, nil
}

type goldenFile struct {
	*bytes.Reader
	entry *goldenEntry
}

var _ io.ReaderAt = (*goldenFile)(nil)

func (f *goldenFile) Close() error                       { return nil }
func (f *goldenFile) Meta() (sources.Meta, error)        { return f.entry.meta, nil }
func (f *goldenFile) Extents() ([]sources.Extent, error) { return f.entry.extents, nil }

// practice gathers entries, in the order of a source.
type practice struct {
	night   int
	entries []*goldenEntry
}

func (p *practice) add(path string, kind sources.Kind, mode uint32, change func(*goldenEntry)) {
	n := int64(len(p.entries))
	e := &goldenEntry{path: path, meta: sources.Meta{
		Kind: kind, Mode: mode, UID: 1000, GID: 100, User: "anna", Group: "praxis", Inode: uint64(1000 + n), Device: 66, Links: 1,
		MTime: sources.Time{Sec: 1_700_000_000 + n, Nsec: 1}, CTime: sources.Time{Sec: 1_700_000_100 + n, Nsec: 999_999_999},
	}}
	if change != nil {
		change(e)
	}
	e.meta.Size = int64(len(e.data) + len(e.meta.Target))
	p.entries = append(p.entries, e)
}

func (p *practice) file(path string, data []byte, change func(*goldenEntry)) {
	p.add(path, sources.Regular, 0o640, func(e *goldenEntry) {
		e.data = data
		if change != nil {
			change(e)
		}
	})
}

func goldenEntries(night int) []*goldenEntry {
	p := &practice{night: night}
	for _, dir := range []string{"/", "/srv"} {
		p.add(dir, sources.Dir, 0o755, func(e *goldenEntry) { e.meta.UID, e.meta.User, e.meta.GID, e.meta.Group = 0, "root", 0, "" })
	}
	p.add("/srv/practice", sources.Dir, 0o2770, func(e *goldenEntry) {
		e.meta.Links = 3
		e.attributes = []sources.Attribute{{Name: "system.posix_acl_default", Value: []byte("\x02\x00\x00\x00\x01\x00\x07\x00\xff\xff\xff\xff")}, {Name: "user.note", Value: []byte("praxis")}}
	})
	p.special()
	p.content()
	p.letters()
	p.rest()
	slices.SortFunc(p.entries, func(a, b *goldenEntry) int {
		return slices.Compare(strings.Split(a.path, "/"), strings.Split(b.path, "/"))
	})
	return p.entries
}

// special are devices and the like.
func (p *practice) special() {
	const dir = "/srv/practice/"
	p.add(dir+"block", sources.BlockDevice, 0o660, func(e *goldenEntry) { e.meta.RDev = 0x0801 })
	p.add(dir+"char", sources.CharDevice, 0o666, func(e *goldenEntry) { e.meta.RDev = 0x0103 })
	p.add(dir+"fifo", sources.FIFO, 0o600, nil)
	p.add(dir+"socket", sources.Socket, 0o777, nil)
	p.add(dir+"link", sources.Symlink, 0o777, func(e *goldenEntry) { e.meta.Target = "letters/000.txt" })
	p.add(dir+"dangling", sources.Symlink, 0o777, func(e *goldenEntry) { e.meta.Target = "../\xe9\xff nowhere" })
	p.add(dir+"locked", sources.Regular, 0, func(e *goldenEntry) { e.err = errors.New("permission denied") })
	p.add(dir+"empty folder", sources.Dir, 0o1777, nil)
}

// content are files of all sorts of content.
func (p *practice) content() {
	const dir = "/srv/practice/"
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 8_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	p.file(dir+"photo.jpg", append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), noise...), nil)
	p.file(dir+"scan.raw", goldenScan(random), nil)
	p.file(dir+"dump.sql", goldenDump(p.night), func(e *goldenEntry) { e.meta.MTime.Sec += int64(p.night) })
	p.file(dir+"empty", nil, nil)
	sparse := make([]byte, 3<<20)
	copy(sparse, "head of a database")
	copy(sparse[1<<20:], "page in the middle")
	p.file(dir+"sparse.db", sparse, func(e *goldenEntry) {
		e.extents = []sources.Extent{{Offset: 0, Length: 4096}, {Offset: 1 << 20, Length: 4096}}
	})
}

// goldenScan is a volume of 16-bit samples behind one odd byte, large enough to
// have blocks of its own.
func goldenScan(random *rand.Rand) []byte {
	scan := []byte{1}
	for i := range 131_200 {
		scan = binary.LittleEndian.AppendUint16(scan, uint16(2000+int(800*math.Sin(float64(i)/200))+random.IntN(2)))
	}
	return scan
}

// letters are many small files in one folder: one changes, one goes, one comes.
func (p *practice) letters() {
	p.add("/srv/practice/letters", sources.Dir, 0o750, nil)
	for i := range 200 {
		switch {
		case i == 7 && p.night == 2, i == 8 && p.night == 1:
			continue
		}
		p.file(fmt.Sprintf("/srv/practice/letters/%03d.txt", i), []byte(goldenLetter(i)), func(e *goldenEntry) {
			e.meta.Inode, e.meta.MTime.Sec, e.meta.CTime.Sec = uint64(5000+i), 1_600_000_000+int64(i), 1_600_000_000+int64(i)
			if i == 9 && p.night == 2 {
				e.data, e.meta.MTime.Sec = append(e.data, " P.S."...), e.meta.MTime.Sec+1
			}
		})
	}
}

// rest are links, attributes, odd names and odd times.
func (p *practice) rest() {
	const dir = "/srv/practice/"
	for _, name := range []string{"hard 1", "hard 2"} {
		p.file(dir+name, []byte("one file, two names"), func(e *goldenEntry) {
			e.meta.Inode, e.meta.Links = 4711, 2
			e.meta.MTime, e.meta.CTime = sources.Time{Sec: 1_650_000_000}, sources.Time{Sec: 1_650_000_000}
		})
	}
	p.file(dir+"na\xefve \xff.txt", []byte("not UTF-8"), func(e *goldenEntry) {
		e.attributes = []sources.Attribute{{Name: "user.empty", Value: []byte{}}, {Name: "user.origin", Value: []byte("scanner\x00 2")}}
	})
	p.file(dir+"old", []byte("before 1970"), func(e *goldenEntry) {
		e.meta.MTime, e.meta.BTime = sources.Time{Sec: -1_000_000_001, Nsec: 5}, sources.Time{Sec: -2, Nsec: 7}
		e.meta.UID, e.meta.User = math.MaxUint32, ""
	})
	p.file(dir+"tool", []byte("#!/bin/sh\n"), func(e *goldenEntry) { e.meta.Mode, e.meta.Attrs = 0o6755, 0x21 })
}

func goldenLetter(i int) string {
	return fmt.Sprintf("Dear patient %d,\n\nplease come to see us on day %d.\n", i*7919%1000, i)
}

// goldenDump is a table of which some rows change each night.
func goldenDump(night int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	var out bytes.Buffer
	for i := range 3500 {
		balance := random.IntN(100_000)
		if night == 2 && i >= 2000 && i < 2020 {
			balance++
		}
		fmt.Fprintf(&out, "INSERT INTO patient VALUES (%d,'Patient %d','2026-01-%02d','active',%d.%02d);\n", i, i*7919%3500, i%28+1, balance/100, balance%100)
	}
	return out.Bytes()
}
