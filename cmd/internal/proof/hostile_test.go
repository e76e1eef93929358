package proof_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/snapshot"
)

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
		ref, depth := f.list(file("bottom", f.content("x"))), 10_000
		if *full {
			depth = 20_000
		}
		for range depth {
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
	t.Parallel()
	for _, h := range hostilities {
		t.Run(h.name, func(t *testing.T) {
			f := forge(t, h.forge)
			f.endure()
		})
	}
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
	mostMemory = 256 << 10        // KiB
	mostTime   = 60               // seconds of a processor, however busy the computer is,
	mostWait   = 10 * time.Minute // and whatever it waits for
)

// bounded runs it within bounds. Of the memory a process in between tells, as a
// program inherits the peak of the one that started it.
func (f *office) bounded(args ...string) *outcome {
	f.Helper()
	return f.boundedRun(f.command(args...))
}

func (f *office) boundedRun(run *exec.Cmd) *outcome {
	f.Helper()
	c := exec.Command("python3", append([]string{"-c", measureLimited, fmt.Sprint(mostWait.Seconds()), fmt.Sprint(mostTime)}, run.Args...)...)
	c.Env = run.Env
	var o outcome
	c.Stdout, c.Stderr = &o.stdout, &o.stderr
	began := time.Now()
	o.code = exitCode(f, c.Run())
	said, what := o.stderr.String(), strings.Join(run.Args[1:], " ")
	if o.code < 0 || o.code == 2 || o.code > 130 || strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") {
		f.Errorf("chartkeep %s: exit code %d\n%.3000s", what, o.code, said)
	}
	lines := strings.Fields(o.stdout.String())
	peak, err := strconv.Atoi(lines[len(lines)-2])
	if err != nil || peak > mostMemory {
		f.Errorf("chartkeep %s takes %d KiB of memory, more than %d", what, peak, mostMemory)
	}
	o.busy, err = strconv.ParseFloat(lines[len(lines)-1], 64)
	if err != nil || o.busy > mostTime {
		f.Errorf("chartkeep %s takes %v s of a processor, more than %d", what, o.busy, mostTime)
	}
	f.Logf("chartkeep %s: exit code %d, %d MiB, %.1f s of a processor in %v", what, o.code, peak>>10, o.busy, time.Since(began).Round(time.Millisecond))
	return &o
}

// measureLimited is measure for a program that has so many seconds, and so many of a
// processor, which it prints, too.
const measureLimited = `import resource, subprocess, sys
try:
    most = int(sys.argv[2])
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
    code = subprocess.call(sys.argv[3:], timeout=float(sys.argv[1]), preexec_fn=limit)
except subprocess.TimeoutExpired:
    code = 200
print()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
sys.exit(code if code >= 0 else 201)`
