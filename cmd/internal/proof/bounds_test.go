package proof_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
	"chartkeep/snapshot/restore"
)

// size is how much a store holds, bytes.
func size(t testing.TB, st storage.Store) (n int64) {
	t.Helper()
	for info, err := range st.List(t.Context(), "") {
		must(t, err)
		n += info.Size
	}
	return n
}

// dump is what mysqldump writes of a table of appointments.
func dump(rows []string) string {
	return "CREATE TABLE appointment (id INT, patient INT, note TEXT);\n" + strings.Join(rows, "")
}

func row(rng *rand.Rand, id int) string {
	words := [...]string{"recall", "crown", "prophylaxis", "x-ray", "filling", "consult", "root canal", "no show", "call back", "insurance"}
	return fmt.Sprintf("INSERT INTO appointment VALUES (%d,%d,'2026-%02d-%02d %02d:%02d','%s %s %s %x');\n", id, rng.IntN(40_000),
		1+rng.IntN(12), 1+rng.IntN(28), 8+rng.IntN(10), 5*rng.IntN(12), words[rng.IntN(10)], words[rng.IntN(10)], words[rng.IntN(10)], rng.Uint64())
}

// nextDay updates 1 % of the rows, in runs of 50 that lie anywhere, and appends
// half a percent.
func nextDay(rng *rand.Rand, rows []string) []string {
	next := append([]string(nil), rows...)
	for range len(rows) / 100 / 50 {
		at := rng.IntN(len(rows) - 50)
		for i := range 50 {
			next[at+i] = row(rng, at+i)
		}
	}
	for range len(rows) / 200 {
		next = append(next, row(rng, len(next)))
	}
	return next
}

// TestASecondNightAddsWhatChanged bounds what a dump with edits in short runs adds
// on its second night. Of 40 MB some 0.6 MB are new, in 80 places and at the end,
// and they take 0.66 MB; whole chunks of a MiB would add 15 MB.
func TestASecondNightAddsWhatChanged(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var rows []string
	for bytes := 0; bytes < 40<<20; bytes += len(rows[len(rows)-1]) {
		rows = append(rows, row(rng, len(rows)))
	}
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st, Init: defaultParity})
	backup(t, r, tree{"srv/dump.sql": dump(rows)})
	first := size(t, st)
	rows = nextDay(rng, rows)
	s := backup(t, repotest.Reopen(t, r, repo.Options{}), tree{"srv/dump.sql": dump(rows)})
	added := size(t, st) - first
	t.Logf("the first night takes %d bytes, the second %d", first, added)
	if added > 1<<20 {
		t.Errorf("the second night adds %d bytes", added)
	}
	got, _, err := back(t.Context(), r, s)
	must(t, err)
	if got["srv/dump.sql"] != dump(rows) {
		t.Error("the second night's dump comes back changed")
	}
}

// TestOneFileOfManyIsRestoredFromAFewBlocks restores one file of a large snapshot
// and counts what is read of the packs.
func TestOneFileOfManyIsRestoredFromAFewBlocks(t *testing.T) {
	t.Parallel()
	st := storagetest.NewRecorder(mem.New())
	r := repotest.New(t, repotest.Options{Store: st, Init: defaultParity})
	src := tree{"srv/dump.sql": noise(1, 30<<20)}
	for i := range 600 {
		src[fmt.Sprintf("srv/%c/%03d.jpg", 'A'+i%26, i)] = noise(byte(i), 90<<10) + fmt.Sprint(i)
	}
	s := backup(t, r, src)

	r = repotest.Reopen(t, r, repo.Options{})
	_, err := r.Index(t.Context())
	must(t, err)
	st.Reset()
	n, err := snapshot.Lookup(t.Context(), r, &s.Root, "/srv/S/330.jpg")
	must(t, err)
	got := tree{}
	sum, err := restore.Run(t.Context(), r, n, &shelf{files: got}, restore.Options{})
	must(t, err)
	if got["330.jpg"] != src["srv/S/330.jpg"] || sum.Files != 1 {
		t.Fatalf("%d files come back, or another", sum.Files)
	}
	read := 0
	for _, c := range st.Calls(storagetest.Read) {
		read += c.Bytes
	}
	t.Logf("%d bytes are read", read)
	if read > 1<<20 {
		t.Errorf("to restore a file of %d bytes, %d are read", len(got["330.jpg"]), read)
	}
}

// TestFewOpenFilesAreEnough saves files where 64 may be open, though more are opened
// ahead where that is allowed, and restores them where 256 may be: each lies in pieces
// in two packs, so that many are begun before any is complete.
func TestFewOpenFilesAreEnough(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	dir := f.path("src")
	src := tree{}
	for i := range 1500 {
		src[fmt.Sprintf("%d/log%d", i%150, i)] = rows(uint64(i), 300)
	}
	src.plant(t, dir)
	f.withFiles(64, "backup", dir)
	for p := range src {
		src[p] += rows(uint64(len(p)), 100) + p + rows(7, 200)
	}
	src.plant(t, dir)
	f.withFiles(64, "backup", dir)
	f.withFiles(256, "restore", "latest:"+dir, "--target", f.path("out"))
	if got := read(t, f.path("out")); !maps.Equal(got, src) {
		t.Errorf("%d files of %d come back, or others", len(got), len(src))
	}
}

// withFiles runs the program where so many files may be open, and wants it to end
// with 0.
func (f *office) withFiles(limit int, args ...string) {
	f.Helper()
	run := f.command(args...)
	c := exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, limit), "sh"}, run.Args...)...)
	c.Env = run.Env
	if out, err := c.CombinedOutput(); err != nil {
		f.Fatalf("%s: %v\n%s", args[0], err, out)
	}
}

// TestMemoryDoesNotGrowWithTheNumberOfFiles bounds the resident memory of the real
// program on 100,000 files. Most of what it needs is buffers and caches of a fixed
// size: 64 to 119 MiB were measured, and up to 128 on a computer so busy that the
// collector of garbage falls behind. 300 bytes for each file would show, and so
// would packs that stay in memory when they are stored.
func TestMemoryDoesNotGrowWithTheNumberOfFiles(t *testing.T) {
	t.Parallel()
	const bound = 144 << 10 // KiB
	f := newOffice(t, defaultParity)
	dir := f.path("many")
	plantMany(t, dir, 100)
	within := func(args ...string) {
		t.Helper()
		peak := f.resident(args...)
		t.Logf("%s needs %d MiB", args[0], peak>>10)
		if peak > bound {
			t.Errorf("%s needs %d KiB of memory", args[0], peak)
		}
	}
	within("backup", dir)
	within("backup", dir)
	within("check")
	within("restore", "latest", "--target", f.path("out"))

	// Every pack is half empty now, and is rewritten.
	for i := range 100 {
		for k := range 500 {
			must(t, os.Remove(manyName(dir, i, 2*k)))
		}
	}
	within("backup", dir)
	within("forget", "--keep-last", "1", "--bin-days", "0", "--prune")
}

// plantMany makes folders of 1000 files of a kilobyte that nothing else resembles.
func plantMany(t *testing.T, dir string, folders int) {
	t.Helper()
	content := make([]byte, 1000)
	rng := rand.NewChaCha8([32]byte{1})
	for i := range folders {
		must(t, os.MkdirAll(filepath.Dir(manyName(dir, i, 0)), 0o755))
		for k := range 1000 {
			rng.Read(content)
			must(t, os.WriteFile(manyName(dir, i, k), content, 0o644))
		}
	}
}

func manyName(dir string, folder, k int) string {
	return filepath.Join(dir, fmt.Sprintf("%03d", folder), fmt.Sprintf("P%06d.txt", k))
}

// measure runs a program and says how much memory it had resident at most, KiB.
// It is a process between this one and the program, for the program would inherit
// what this one needed.
const measure = `import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)`

// resident runs the program and returns its peak of resident memory, KiB.
func (f *office) resident(args ...string) int {
	f.Helper()
	run := f.command(args...)
	c := exec.Command("python3", append([]string{"-c", measure}, run.Args...)...)
	c.Env = run.Env
	out, err := c.Output()
	must(f, err)
	lines := strings.Fields(string(out))
	peak, err := strconv.Atoi(lines[len(lines)-1])
	must(f, err)
	return peak
}
