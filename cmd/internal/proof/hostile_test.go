package proof_test

import (
	"bytes"
	varint "encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/blake3"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// forger writes what no honest writer does, with a key that lets it in.
type forger struct {
	*office
	r *repo.Repository
	w *repo.Writer
}

// forged is a node's stored form.
type forged struct {
	Name   []byte   `cbor:"1,keyasint"`
	Kind   uint8    `cbor:"2,keyasint"`
	Mode   uint32   `cbor:"3,keyasint,omitempty"`
	Size   int64    `cbor:"8,keyasint,omitempty"`
	MTime  [2]int64 `cbor:"9,keyasint"`
	CTime  [2]int64 `cbor:"10,keyasint"`
	Target []byte   `cbor:"16,keyasint,omitempty"`
	Level  uint8    `cbor:"19,keyasint,omitempty"`
	Refs   []byte   `cbor:"20,keyasint,omitempty"`
}

func file(name string, refs ...snapshot.Ref) forged {
	n := forged{Name: []byte(name), Kind: uint8(sources.Regular), Mode: 0o644, Refs: encode(refs)}
	for _, r := range refs {
		n.Size += int64(r.Size)
	}
	return n
}

func folder(name string, refs ...snapshot.Ref) forged {
	return forged{Name: []byte(name), Kind: uint8(sources.Dir), Mode: 0o755, Level: 1, Refs: encode(refs)}
}

func link(name, target string) forged {
	return forged{Name: []byte(name), Kind: uint8(sources.Symlink), Mode: 0o777, Size: int64(len(target)), Target: []byte(target)}
}

func encode(refs []snapshot.Ref) (b []byte) {
	for _, r := range refs {
		b = append(b, r.ID[:]...)
		b = varint.AppendUvarint(b, r.Size)
		b = varint.AppendUvarint(b, uint64(len(r.Name)))
		b = append(b, r.Name...)
	}
	return b
}

// put stores a chunk as any writer does.
func (f *forger) put(class index.Class, b []byte) chunk.ID {
	lane := f.w.Lane(class)
	id, _, err := lane.Put(b)
	must(f, err)
	return id
}

// as stores a block whose payload and chunks need have nothing to do with each
// other.
func (f *forger) as(class index.Class, codec index.Codec, payload []byte, chunks ...index.Chunk) {
	must(f, f.w.PutBlock(class, chunks, repo.Compressed{Codec: codec, Payload: payload}))
}

// list stores a piece of a tree.
func (f *forger) list(nodes ...forged) snapshot.Ref {
	piece := []byte{1, 0}
	for _, n := range nodes {
		b, err := cbor.Marshal(n)
		must(f, err)
		piece = append(piece, b...)
	}
	return snapshot.Ref{ID: f.put(index.Meta, piece), Size: uint64(len(nodes)), Name: string(nodes[0].Name)}
}

func (f *forger) content(data string) snapshot.Ref {
	return snapshot.Ref{ID: f.put(index.Data, []byte(data)), Size: uint64(len(data))}
}

// snapshot stores a manifest with this root.
func (f *forger) snapshot(refs ...snapshot.Ref) {
	must(f, f.w.Flush())
	s := &snapshot.Snapshot{
		Time: time.Now(), Host: "forged", Complete: true,
		Root: snapshot.Node{Meta: sources.Meta{Kind: sources.Dir, Mode: 0o755, Links: 1}, Tree: snapshot.List{Level: 1, Refs: refs}},
	}
	must(f, s.Put(f.Context(), f.w))
}

// zeros compresses so many bytes into a block of very few.
func (f *forger) zeros(n int) []byte {
	var b bytes.Buffer
	e, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedFastest))
	must(f, err)
	for page := make([]byte, 1<<20); n > 0; n -= len(page) {
		_, err := e.Write(page)
		must(f, err)
	}
	must(f, e.Close())
	return b.Bytes()
}

// hostilities are repositories that somebody made to harm whoever opens them.
var hostilities = []struct {
	name  string
	forge func(f *forger)
}{
	{"a block that unpacks to far more than it says", func(f *forger) {
		id := chunk.ID{1}
		f.as(index.Data, index.Zstd, f.zeros(512<<20), index.Chunk{ID: id, Length: 1000})
		f.snapshot(f.list(file("bomb", snapshot.Ref{ID: id, Size: 1000})))
	}},
	{"a tree that unpacks to far more than it says", func(f *forger) {
		id := chunk.ID{2}
		f.as(index.Meta, index.Zstd, f.zeros(512<<20), index.Chunk{ID: id, Length: 1000})
		f.snapshot(snapshot.Ref{ID: id, Size: 1, Name: "x"})
	}},
	{"many blocks that unpack to as much as they may", func(f *forger) {
		zero := make([]byte, index.MaxPlain)
		id, payload := f.r.Hash(zero), f.zeros(index.MaxPlain)
		var refs []snapshot.Ref
		f.as(index.Data, index.Zstd, payload, index.Chunk{ID: id, Length: index.MaxPlain})
		for i := range 40 {
			other := chunk.ID{3, byte(i)}
			f.as(index.Data, index.Zstd, payload, index.Chunk{ID: other, Length: index.MaxPlain})
			refs = append(refs, snapshot.Ref{ID: other, Size: index.MaxPlain})
		}
		f.snapshot(f.list(file("bomb", append(refs, snapshot.Ref{ID: id, Size: index.MaxPlain})...)))
	}},
	{"a file of 2⁶² bytes that are a hole", func(f *forger) {
		f.snapshot(f.list(file("hole", snapshot.Ref{Size: 1 << 62})))
	}},
	{"a file whose sizes add up to more than there can be", func(f *forger) {
		n := file("over", snapshot.Ref{Size: 1 << 63}, snapshot.Ref{Size: 1 << 63})
		n.Size = 0
		f.snapshot(f.list(n))
	}},
	{"a file that says it is longer than its chunks", func(f *forger) {
		n := file("long", f.content("short"))
		n.Size = 1 << 50
		f.snapshot(f.list(n))
	}},
	{"a file of a million times the same million chunks", func(f *forger) {
		one := f.content(strings.Repeat("x", 4096))
		for level := range 2 {
			refs := slices.Repeat([]snapshot.Ref{one}, 2000)
			one = snapshot.Ref{ID: f.put(index.Meta, append([]byte{1, byte(level)}, encode(refs)...)), Size: 2000 * one.Size}
		}
		n := file("again", slices.Repeat([]snapshot.Ref{one}, 100)...)
		n.Level = 2
		f.snapshot(f.list(n))
	}},
	{"a tree that is a part of itself", func(f *forger) {
		id := chunk.ID{4}
		b, err := cbor.Marshal(folder("deeper", snapshot.Ref{ID: id, Size: 1, Name: "deeper"}))
		must(f, err)
		piece := append([]byte{1, 0}, b...)
		f.as(index.Meta, index.Raw, piece, index.Chunk{ID: id, Length: uint32(len(piece))})
		f.snapshot(snapshot.Ref{ID: id, Size: 1, Name: "deeper"})
	}},
	{"a list of one level that says it is of another", func(f *forger) {
		one := f.content("x")
		piece := f.put(index.Meta, append([]byte{1, 7}, encode([]snapshot.Ref{one})...))
		n := file("level", snapshot.Ref{ID: piece, Size: 1})
		n.Level = 250
		f.snapshot(f.list(n))
	}},
	{"a tree deeper than any system's paths", func(f *forger) {
		ref := f.list(file("bottom", f.content("x")))
		for range 3000 {
			ref = f.list(folder("d", ref))
		}
		f.snapshot(ref)
	}},
	{"a block that holds one chunk twice", func(f *forger) {
		data := []byte("twice the same, twice the same")
		c := index.Chunk{ID: f.r.Hash(data[:15]), Length: 15}
		f.as(index.Data, index.Raw, data, c, c)
		f.snapshot(f.list(file("twice", snapshot.Ref{ID: c.ID, Size: 15})))
	}},
	{"packs that say they hold what they do not", func(f *forger) {
		good := f.content("the right content")
		for i := range 3 {
			f.as(index.Data, index.Raw, []byte("another content!!"), index.Chunk{ID: good.ID, Length: 17})
			f.as(index.Data, index.Raw, []byte{byte(i)}, index.Chunk{ID: good.ID, Length: 1})
		}
		f.snapshot(f.list(file("name", good)))
	}},
	{"nodes that are no nodes", func(f *forger) {
		piece := f.put(index.Meta, []byte("\x01\x00\xbf\xff\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"))
		f.snapshot(snapshot.Ref{ID: piece, Size: 1, Name: "x"})
	}},
}

// TestAHostileRepositoryHarmsNobody has the program read what somebody made who
// has a key: it fails or not, but it does not crash, takes no more memory and time
// than it may, and writes nowhere but where it was told to.
func TestAHostileRepositoryHarmsNobody(t *testing.T) {
	for _, h := range hostilities {
		t.Run(h.name, func(t *testing.T) {
			f := forge(t, h.forge)
			f.endure()
		})
	}
}

func forge(t *testing.T, how func(*forger)) *forger {
	t.Helper()
	f := &forger{office: newOffice(t, repo.InitOptions{Parity: 3})}
	f.r = f.inside()
	w, err := f.r.NewWriter(t.Context(), repo.WriterOptions{Concurrency: 1})
	must(t, err)
	defer w.Abort()
	f.w = w
	how(f)
	return f
}

// endure reads it with all that reads.
func (f *forger) endure() {
	f.Helper()
	f.bounded("check", "--read-data")
	f.bounded("restore", "latest", "--target", f.path("target", "out"))
	f.bounded("repair", "snapshots", "-n")
	if *full {
		f.bounded("ls", "-R", "latest")
		f.bounded("find", "nothing-of-this-name")
		f.bounded("prune", "-n")
	}
}

// The bounds of whoever reads a hostile repository.
const (
	mostMemory = 256 << 10 // KiB
	mostTime   = 60 * time.Second
)

// bounded runs it within bounds. Of the memory a process in between tells, as a
// program inherits the peak of the one that started it.
func (f *office) bounded(args ...string) *outcome {
	f.Helper()
	return f.boundedRun(f.command(args...))
}

func (f *office) boundedRun(run *exec.Cmd) *outcome {
	f.Helper()
	c := exec.Command("python3", append([]string{"-c", measureLimited, fmt.Sprint(mostTime.Seconds())}, run.Args...)...)
	c.Env = run.Env
	var o outcome
	c.Stdout, c.Stderr = &o.stdout, &o.stderr
	o.code = exitCode(f, c.Run())
	said, what := o.stderr.String(), strings.Join(run.Args[1:], " ")
	if o.code < 0 || o.code == 2 || o.code > 130 || strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") {
		f.Errorf("chartkeep %s: exit code %d\n%.3000s", what, o.code, said)
	}
	lines := strings.Fields(o.stdout.String())
	if peak, err := strconv.Atoi(lines[len(lines)-1]); err != nil || peak > mostMemory {
		f.Errorf("chartkeep %s takes %d KiB of memory, more than %d", what, peak, mostMemory)
	}
	return &o
}

// measureLimited is measure for a program that has so many seconds.
const measureLimited = `import resource, subprocess, sys
try:
    code = subprocess.call(sys.argv[2:], timeout=float(sys.argv[1]))
except subprocess.TimeoutExpired:
    code = 200
print()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code if code >= 0 else 201)`

// TestNamesDoNotLeadOutOfTheTarget restores trees whose names and links point
// elsewhere.
func TestNamesDoNotLeadOutOfTheTarget(t *testing.T) {
	names := []string{"..", "../escaped", "/tmp/chartkeep-escaped", ".", "", "/", "a/../../escaped", "nul\x00l", "..\x00", "a/b", "./x"}
	if !*full {
		names = names[:3]
	}
	for _, name := range names {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			f := forge(t, func(f *forger) {
				inner := f.list(file("escaped", f.content("evil")))
				f.snapshot(f.list(file(name, f.content("evil"))), f.list(folder(name, inner)), f.list(file("zz-good", f.content("good"))))
			})
			f.staysInside()
		})
	}
	t.Run("below a link", func(t *testing.T) {
		f := forge(t, func(f *forger) {
			inner := f.list(file("escaped", f.content("evil")))
			outside := f.path("outside")
			f.snapshot(f.list(link("a", outside), folder("a", inner)), f.list(link("a", outside)), f.list(folder("a", inner)), f.list(file("zz-good", f.content("good"))))
		})
		f.staysInside()
	})
	t.Run("through a link", func(t *testing.T) {
		f := forge(t, func(f *forger) {
			f.snapshot(f.list(link("a", f.path("outside", "planted")), file("a", f.content("evil"))))
		})
		f.staysInside()
	})
}

// staysInside restores, several times and over what is there, and wants nothing
// new but below the target.
func (f *forger) staysInside() {
	f.Helper()
	must(f, os.MkdirAll(f.path("outside"), 0o755))
	must(f, os.WriteFile(f.path("outside", "planted"), []byte("mine"), 0o644))
	before := f.outside()
	f.bounded("ls", "-R", "latest")
	if o := f.bounded("check"); o.code == 0 {
		f.Errorf("the check finds nothing to say")
	}
	for _, args := range [][]string{{}, {"--overwrite", "always"}, {"--overwrite", "always", "--delete"}} {
		f.bounded(append([]string{"restore", "latest", "--target", f.path("target", "out")}, args...)...)
	}
	if after := f.outside(); !maps.Equal(before, after) {
		f.Errorf("outside of the target there is now %v; there was %v", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
	if _, err := os.Lstat("/tmp/chartkeep-escaped"); err == nil {
		f.Errorf("a file was written to an absolute path")
		os.Remove("/tmp/chartkeep-escaped")
	}
}

// outside lists what lies in the office but not in the target, nor in what the
// program keeps for itself.
func (f *forger) outside() map[string]string {
	all := map[string]string{}
	must(f, filepath.WalkDir(f.dir, func(p string, d fs.DirEntry, err error) error {
		switch p {
		case f.path("target", "out"), f.path("repo"), f.path("cache"), f.path("home"):
			return fs.SkipDir
		}
		if err == nil && d.Type().IsRegular() {
			b, err := os.ReadFile(p)
			all[p] = string(b)
			return err
		}
		return err
	}))
	return all
}

// TestHostileFilesAreNotTakenIntoMemory puts files into the repository's folders
// that are far larger than they may be, and key slots that ask for more than any
// computer has.
func TestHostileFilesAreNotTakenIntoMemory(t *testing.T) {
	f := newOffice(t, defaultParity)
	night(1).plant(t, f.path("src"))
	f.exits(0, "backup", f.path("src"))
	id := strings.Repeat("0a", 32)
	for i, name := range []string{
		"snapshots/" + id, "copies/snapshots/" + id, "index/" + id, "log/" + id, "bin/" + id, "damage/" + id, "checks/" + id,
		"packs/0a/" + id, "packs/0a/" + id[:32], "sessions/" + id[:32], "keys/" + id[:32], "keys/" + id,
	} {
		if !*full && i%3 != 0 {
			continue
		}
		huge := f.path("repo", name)
		must(t, os.MkdirAll(filepath.Dir(huge), 0o755))
		must(t, os.WriteFile(huge, nil, 0o600))
		must(t, os.Truncate(huge, 2<<30))
		for _, args := range [][]string{{"snapshots"}, {"check", "--read-data"}, {"restore", "latest", "--target", f.path("out")}} {
			f.bounded(args...)
		}
		must(t, os.Remove(huge))
	}
	slot, err := f.inside().AddPassword(t.Context(), []byte("another"), crypt.Owner, "")
	must(t, err)
	for _, kdf := range [][3]uint32{{1 << 31, 64 << 10, 4}, {3, 1 << 31, 4}, {3, 64 << 10, 255}, {0, 0, 0}, {3, 8, 1}} {
		forgeSlot(f, slot, kdf)
		if o := f.bounded("snapshots"); o.code != 0 {
			t.Errorf("beside a key that asks for %v: exit code %d\n%s", kdf, o.code, &o.stderr)
		}
		c := f.command("snapshots")
		c.Env = append(c.Env, "CHARTKEEP_PASSWORD=no password at all")
		began := time.Now()
		if o := f.boundedRun(c); o.code == 0 || time.Since(began) > mostTime/2 {
			t.Errorf("a password beside a key that asks for %v: exit code %d after %v", kdf, o.code, time.Since(began))
		}
	}
}

// slotBody is a key slot's stored form.
type slotBody struct {
	Version    uint8     `cbor:"1,keyasint"`
	Repository [16]byte  `cbor:"2,keyasint"`
	ID         [16]byte  `cbor:"3,keyasint"`
	Kind       uint8     `cbor:"4,keyasint"`
	Role       uint8     `cbor:"5,keyasint"`
	Label      string    `cbor:"6,keyasint"`
	Created    int64     `cbor:"7,keyasint"`
	KDF        [3]uint32 `cbor:"8,keyasint"`
	Salt       [16]byte  `cbor:"9,keyasint"`
	Commitment [32]byte  `cbor:"10,keyasint"`
	Wrapped    []byte    `cbor:"11,keyasint"`
}

// forgeSlot gives a password's key slot other costs of derivation. Nothing but a
// checksum keeps one from that until it is opened.
func forgeSlot(f *office, id string, kdf [3]uint32) {
	f.Helper()
	const magic, checksum = 8, 16
	was, err := os.ReadFile(f.path("repo", "keys", id))
	must(f, err)
	var body slotBody
	must(f, cbor.Unmarshal(was[magic+checksum:], &body))
	body.KDF = kdf
	mode, err := cbor.CoreDetEncOptions().EncMode()
	must(f, err)
	b, err := mode.Marshal(body)
	must(f, err)
	sum := blake3.Sum256(b)
	for _, dir := range []string{"keys", "copies/keys"} {
		must(f, os.WriteFile(f.path("repo", dir, id), slices.Concat(was[:magic], sum[:checksum], b), 0o600))
	}
}
