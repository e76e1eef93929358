package index

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestMappedFilesTakeBoundedMemory writes, opens and reads much more than may stay mapped.
func TestMappedFilesTakeBoundedMemory(t *testing.T) {
	dir := t.TempDir()
	const limit = 64 << 20 // of which a quarter may be mapped, and a quarter of that before it is given back
	const bound = limit/16 + 3<<20
	within := func(bound int64, when string) {
		t.Helper()
		if got := residentLogs(t, dir); got > bound {
			t.Fatalf("%d bytes of log files are resident %s", got, when)
		}
	}
	o := Options{MemoryLimit: limit, foldEntries: 100_000}
	ix, err := Open(dir, [32]byte{1}, o)
	if err != nil {
		t.Fatal(err)
	}
	const segments, chunks = 13, 40_000 // 1.5 MB each, and what folding takes
	for n := range uint64(segments) {
		if err := ix.Import(strconv.Itoa(int(n)), syntheticSegment(0, n*chunks, (n+1)*chunks, 4000)); err != nil {
			t.Fatal(err)
		}
		within(bound, "after writing")
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	if ix, err = Open(dir, [32]byte{1}, o); err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	within(5<<19, "after opening") // of 6 MB; some was read since
	for n := uint64(0); n < segments*chunks; n += 4000 {
		if _, err := ix.Directory(PackID(syntheticID(1, n))); err != nil {
			t.Fatal(err)
		}
		within(bound, "after reading")
		if ok, err := ix.Has(syntheticID(0, n+17)); !ok || err != nil {
			t.Fatal("a chunk is lost: ", err)
		}
	}
}

// residentLogs returns how much of mapped log files below dir is resident, bytes.
func residentLogs(t *testing.T, dir string) (n int64) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	ours, mapped := false, false
	for line := range strings.Lines(string(smaps)) {
		f := strings.Fields(line)
		switch {
		case len(f) >= 5 && !strings.HasSuffix(f[0], ":"):
			name := f[len(f)-1]
			ours = strings.HasPrefix(name, dir) && strings.HasSuffix(name, ".vlog")
			mapped = mapped || ours
		case ours && f[0] == "Rss:":
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			n += kb << 10
		}
	}
	if !mapped {
		t.Fatal("no log file is mapped")
	}
	return n
}

func TestOnlySharedMappingsAreFound(t *testing.T) {
	for line, want := range map[string]string{
		"7f0000000000-7f0000800000 rw-s 00000000 fe:00 1234                       /c/a b/000001.vlog": "/c/a b/000001.vlog",
		"7f0000000000-7f0000800000 rw-p 00000000 fe:00 1234                       /c/000001.vlog":     "",
		"7f0000000000-7f0000800000 rw-p 00000000 00:00 0 ":                                            "",
		"7f0000800000-7f0000000000 rw-s 00000000 fe:00 1234                       /c/000001.vlog":     "",
		"": "",
	} {
		if _, _, name := sharedMapping(line); name != want {
			t.Errorf("%q: %q", line, name)
		}
	}
	if from, n, _ := sharedMapping("1000-3000 rw-s 00000000 fe:00 1234 /a"); from != 0x1000 || n != 0x2000 {
		t.Errorf("%x, %x", from, n)
	}
}
