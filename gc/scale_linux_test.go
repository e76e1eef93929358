package gc_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"chartkeep/chunk"
	"chartkeep/gc"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/local"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// smallest cuts as small as the format allows, so that a repository of very many
// chunks takes little space.
var smallest = chunk.Sizes{Min: 64, Avg: 72, Max: 96}

// pruneLimit is how much memory a prune of ten million chunks may take, bytes.
const pruneLimit = 300 << 20

// TestPrunesStayWithinBoundsOfMemory prunes a repository of many chunks, all packs
// of which are rewritten, in a process of its own. CHARTKEEP_GC_CHUNKS says of how
// many; ten million take 4 GB of disk and ten minutes.
func TestPrunesStayWithinBoundsOfMemory(t *testing.T) {
	chunks, _ := strconv.Atoi(os.Getenv("CHARTKEEP_GC_CHUNKS"))
	if chunks == 0 {
		chunks = 50_000
	}
	dir := t.TempDir()
	key := manyChunks(t, dir, chunks)
	c := exec.Command(os.Args[0], "-test.run=^TestPruneInAProcessOfItsOwn$", "-test.v")
	c.Env = append(os.Environ(), pruneIn+"="+dir, "CHARTKEEP_PASSWORD="+key)
	out, err := c.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// manyChunks saves three evenings with much in common, and forgets the first.
func manyChunks(t *testing.T, dir string, chunks int) (key string) {
	st, err := local.Create(filepath.Join(dir, "repo"))
	if err != nil {
		t.Fatal(err)
	}
	o := repo.InitOptions{KDF: crypt.MinKDF, Chunking: chunk.Params{Algorithm: chunk.Gear, Fine: smallest, Coarse: smallest}}
	r, err := repo.Init(t.Context(), st, []byte("a password"), o, repo.Options{CacheDir: filepath.Join(dir, "cache")})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	code := crypt.NewRecoveryCode()
	if _, err := r.AddRecovery(t.Context(), code, ""); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	// A tenth is new on each of the two other evenings; and chunks are a little smaller than asked for.
	n := stacks{files: 100, size: int64(chunks) * 57 / 100}
	for n.changed = range 3 {
		s := saveStacks(t, r, n)
		if n.changed == 0 {
			forget(t, r, s)
		}
	}
	t.Logf("saved in %v", time.Since(began).Round(time.Second))
	return code.String()
}

func saveStacks(t *testing.T, r *repo.Repository, src sources.Source) *snapshot.Snapshot {
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	root, sum, err := snapshot.Save(t.Context(), r, w, src, snapshot.SaveOptions{})
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &snapshot.Snapshot{Root: *root, Summary: sum, Host: "server", Complete: true, Time: time.Now()}
	if err := s.Put(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	return s
}

// stacks is an evening of large files, a tenth of each of which changes each time.
type stacks struct {
	files   int
	size    int64
	changed int
}

func (n stacks) Entries(context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		if !yield(sources.Entry{Path: "/", Meta: sources.Meta{Kind: sources.Dir, Mode: 0o755, Links: 2}, Content: stack{}}) {
			return
		}
		for i := range n.files {
			s := stack{seed: byte(i), size: n.size, changed: byte(n.changed)}
			if !yield(sources.Entry{Path: fmt.Sprintf("/%03d", i), Meta: s.meta(), Content: s}) {
				return
			}
		}
	}
}

// stack is a file whose bytes are made as they are read.
type stack struct {
	seed, changed byte
	size          int64
}

func (s stack) meta() sources.Meta {
	return sources.Meta{Kind: sources.Regular, Mode: 0o644, Size: s.size, Inode: uint64(s.seed) + 2, Links: 1}
}
func (s stack) Attributes() ([]sources.Attribute, error) { return nil, nil }

// Open makes the file of ten stretches. Which of them changes is another one in
// the next file, so that something changes in every pack.
func (s stack) Open() (sources.File, error) {
	var parts []io.Reader
	for i := range byte(10) {
		seed := [32]byte{s.seed, i}
		if i == s.seed%10 {
			seed[2] = s.changed
		}
		parts = append(parts, io.LimitReader(rand.NewChaCha8(seed), s.size/10))
	}
	return openStack{io.MultiReader(parts...), s}, nil
}

type openStack struct {
	io.Reader
	s stack
}

func (openStack) Close() error                  { return nil }
func (o openStack) Meta() (sources.Meta, error) { return o.s.meta(), nil }

// pruneIn names, in the environment, the folder of the repository that this process
// is to prune.
const pruneIn = "CHARTKEEP_GC_PRUNE_IN"

func TestPruneInAProcessOfItsOwn(t *testing.T) {
	dir := os.Getenv(pruneIn)
	if dir == "" {
		t.Skip("part of TestPrunesStayWithinBoundsOfMemory")
	}
	debug.SetGCPercent(25) // as the program does
	st, err := local.New(filepath.Join(dir, "repo"))
	if err != nil {
		t.Fatal(err)
	}
	rec := storagetest.NewRecorder(st)
	r, err := repo.Open(t.Context(), rec, []byte(os.Getenv("CHARTKEEP_PASSWORD")), repo.Options{CacheDir: filepath.Join(dir, "cache")})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rec.Reset()
	began := time.Now()
	p := plan(t, r, gc.PruneOptions{MaxUnused: func(int64) int64 { return 0 }})
	took := time.Since(began)
	blocks, known := metaBlocks(t, r)
	reads := len(rec.Calls(storagetest.Read))
	t.Logf("%d chunks, %d tree blocks: planned in %v with %d reads, at most %d MiB resident", known, blocks, took.Round(time.Millisecond), reads, peakMemory(t)>>20)
	if reads > 2*blocks+200 {
		t.Errorf("%d reads for %d blocks of trees: what snapshots share is read more than once", reads, blocks)
	}
	rec.Reset()
	debug.FreeOSMemory() // as the program does, too
	debug.SetMemoryLimit(176 << 20)
	began = time.Now()
	if err := p.Run(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	peak := peakMemory(t)
	t.Logf("%d of %d packs rewritten in %v, at most %d MiB resident", p.Rewrite, p.Packs, time.Since(began).Round(time.Millisecond), peak>>20)
	if peak > pruneLimit {
		t.Errorf("%d MiB were resident, want at most %d", peak>>20, pruneLimit>>20)
	}
	if p.Rewrite == 0 || p.Freed == 0 {
		t.Error("nothing of the first evening is freed")
	}
}

func metaBlocks(t *testing.T, r *repo.Repository) (blocks, chunks int) {
	ix, err := r.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for info, err := range ix.Packs() {
		if err != nil {
			t.Fatal(err)
		}
		chunks += int(info.Chunks)
		if info.Class != index.Meta {
			continue
		}
		d, err := ix.Directory(info.ID)
		if err != nil {
			t.Fatal(err)
		}
		blocks += len(d.Blocks)
	}
	return blocks, chunks
}

// peakMemory is the most that was resident of this process, bytes.
func peakMemory(t *testing.T) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
