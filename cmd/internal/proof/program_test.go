package proof_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/local"
)

// builds is a folder for what the tests build.
var builds string

// binary is the program, built when the first test asks for it: most of what draws
// seeds does without.
var binary = sync.OnceValue(func() string {
	program := filepath.Join(builds, "chartkeep")
	if out, err := exec.Command("go", "build", "-o", program, "chartkeep/cmd/chartkeep").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build the program: %v\n%s", err, out))
	}
	return program
})

func TestMain(m *testing.M) {
	flag.Set("test.parallel", fmt.Sprint(2*runtime.GOMAXPROCS(0))) // they wait for programs and for disks
	flag.Parse()
	debug.SetGCPercent(-1) // most tests hold little, and make much garbage
	debug.SetMemoryLimit(1 << 30)
	dir, err := os.MkdirTemp("", "chartkeep-proof")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Chmod(dir, 0o755) // some tests run it as another user
	builds = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// office is a machine with a repository, a cache and the program.
type office struct {
	testing.TB
	dir  string // holds repo, cache and home
	code string // a recovery code, which opens the repository without delay
}

// newOffice makes a repository. Its only key is a recovery code, so that the
// program can be run often.
func newOffice(t testing.TB, o repo.InitOptions) *office {
	t.Helper()
	f := &office{TB: t, dir: scratch(t)}
	st, err := local.Create(f.path("repo"))
	must(t, err)
	o.KDF = crypt.MinKDF
	r, err := repo.Init(t.Context(), st, []byte("a password"), o, repo.Options{})
	must(t, err)
	defer r.Close()
	slots, err := r.Slots(t.Context())
	must(t, err)
	code := crypt.NewRecoveryCode()
	_, err = r.AddRecovery(t.Context(), code, "")
	must(t, err)
	must(t, r.RemoveSlot(t.Context(), slots[0].ID))
	must(t, st.Close())
	must(t, os.Mkdir(f.path("home"), 0o700))
	f.code = code.String()
	return f
}

// scratch is a folder in memory, if there is room for it, as these tests write
// much and keep nothing.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "chartkeep-proof")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if os.RemoveAll(dir) != nil { // it keeps each folder above open: too many for a tree that is very deep
			exec.Command("rm", "-rf", dir).Run()
		}
	})
	return dir
}

func (f *office) path(elements ...string) string {
	return filepath.Join(append([]string{f.dir}, elements...)...)
}

// command prepares a run of the program.
func (f *office) command(args ...string) *exec.Cmd {
	c := exec.Command(binary(), args...)
	c.Env = []string{
		"CHARTKEEP_REPOSITORY=" + f.path("repo"), "CHARTKEEP_CACHE_DIR=" + f.path("cache"),
		"CHARTKEEP_PASSWORD=" + f.code, "HOME=" + f.path("home"), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + f.dir,
	}
	return c
}

// moments are at random in a run that takes about as long as the last one that came
// to its end. Most of them are before its end, however busy the machine is.
type moments struct {
	mu     sync.Mutex
	length time.Duration
}

func newMoments() *moments { return &moments{length: 60 * time.Millisecond} }

func (m *moments) next(rng *rand.Rand) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Duration(rng.Int64N(int64(m.length)))
}

// took is told how long a run took until its end; 0: it did not get there, and takes
// longer than was thought.
func (m *moments) took(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d == 0 {
		d = m.length * 6 / 5
	}
	m.length = min(max(d, time.Millisecond), time.Minute)
}

// outcome is what a run of the program left.
type outcome struct {
	code           int // exit code; -1 when a signal ended it
	stdout, stderr bytes.Buffer
	busy           float64 // seconds of a processor, where they are measured
}

func (f *office) run(args ...string) *outcome {
	f.Helper()
	c := f.command(args...)
	var o outcome
	c.Stdout, c.Stderr = &o.stdout, &o.stderr
	o.code = exitCode(f, c.Run())
	return &o
}

func exitCode(t testing.TB, err error) int {
	t.Helper()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode()
	}
	must(t, err)
	return 0
}

// ok runs the program and wants this exit code.
func (f *office) exits(code int, args ...string) *outcome {
	f.Helper()
	o := f.run(args...)
	if o.code != code {
		f.Fatalf("chartkeep %s: exit code %d, want %d\n%s", strings.Join(args, " "), o.code, code, &o.stderr)
	}
	return o
}

// summary is the last object that a run printed with --json.
func (o *outcome) summary(t testing.TB) (s summary) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(o.stdout.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil {
		t.Fatalf("not a summary: %q: %v", lines[len(lines)-1], err)
	}
	return s
}

type summary struct {
	Type        string `json:"message_type"`
	SnapshotID  string `json:"snapshot_id"`
	DataAdded   int64  `json:"data_added"`
	AddedPacked int64  `json:"data_added_packed"`
	Files       int64  `json:"total_files_processed"`
	Bytes       int64  `json:"total_bytes_processed"`
	Unmodified  int64  `json:"files_unmodified"`
	Errors      int64  `json:"errors"`
}

// inside opens the repository in this process, as another one would, without the
// local index, until the test ends.
func (f *office) inside() *repo.Repository {
	f.Helper()
	r, done := f.opened()
	f.Cleanup(done)
	return r
}

// opened is for a look: a test that takes thousands would keep too much open.
func (f *office) opened() (r *repo.Repository, done func()) {
	f.Helper()
	st, err := local.New(f.path("repo"))
	must(f, err)
	r, err = repo.Open(f.Context(), st, []byte(f.code), repo.Options{})
	must(f, err)
	return r, func() { r.Close(); st.Close() }
}

// sound does a full check in this process.
func (f *office) sound() {
	f.Helper()
	r, done := f.opened()
	defer done()
	faults, missing, err := inspect(f.Context(), r)
	must(f, err)
	for _, x := range faults {
		f.Errorf("check: %s: %v", x.File, x.Problem)
	}
	for _, x := range missing {
		f.Errorf("check: %v", x.Err)
	}
}

// plant writes a tree to a folder of the machine.
func (t tree) plant(f testing.TB, dir string) {
	f.Helper()
	for p, data := range t {
		full := filepath.Join(dir, filepath.FromSlash(p))
		must(f, os.MkdirAll(filepath.Dir(full), 0o755))
		must(f, os.WriteFile(full, []byte(data), 0o644))
	}
}

// within is the part of a tree that lies in a folder, as a program knows it.
func (t tree) within(dir string) tree {
	dir = strings.Trim(filepath.ToSlash(dir), "/") + "/"
	part := tree{}
	for p, data := range t {
		if rest, ok := strings.CutPrefix(p, dir); ok {
			part[rest] = data
		}
	}
	return part
}

// read reads all files of a folder.
func read(t testing.TB, dir string) tree {
	t.Helper()
	all := tree{}
	must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		all[strings.TrimPrefix(p, dir+"/")] = string(b)
		return err
	}))
	return all
}
