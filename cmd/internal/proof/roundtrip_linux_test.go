package proof_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// needsRoot skips what only root can plant. The tests that a change must pass run
// as root.
func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make devices, owners and trusted attributes")
	}
}

// planted makes a folder "tree" with everything that a file system knows, and
// returns where: in memory if the file system there knows all of it, too, and in
// the long form always on a disk.
func planted(t *testing.T) (dir string) {
	t.Helper()
	if !*full {
		dir = scratch(t)
		if _, err := plant(filepath.Join(dir, "tree")); err == nil {
			return dir
		}
	}
	dir = t.TempDir()
	if out, err := plant(filepath.Join(dir, "tree")); err != nil {
		t.Fatalf("plant: %v\n%s", err, out)
	}
	return dir
}

func plant(dir string) (out []byte, err error) {
	args := []string{"testdata/plant.py", dir}
	if *full {
		args = append(args, "long")
	}
	return exec.Command("python3", args...).CombinedOutput()
}

// entry is what testdata/list.py says of a file.
type entry map[string]any

// list lists a folder by a program that shares nothing with ours.
func list(t *testing.T, dir string) map[string]entry {
	t.Helper()
	out, err := exec.Command("python3", "testdata/list.py", dir).Output()
	must(t, err)
	all := map[string]entry{}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e entry
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber() // a float64 does not hold a time's nanoseconds
		must(t, d.Decode(&e))
		all[e["path"].(string)] = e
	}
	must(t, lines.Err())
	return all
}

// alike compares two listings. How many blocks a file takes on disk may differ by
// a few.
func alike(t *testing.T, want, got map[string]entry) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		w, g := maps.Clone(want[path]), maps.Clone(got[path])
		if g == nil {
			t.Errorf("%q is missing", path)
			continue
		}
		if more := blocks(g) - blocks(w); more > 16 || more < -16 {
			t.Errorf("%q takes %v blocks and took %v", path, g["blocks"], w["blocks"])
		}
		delete(w, "blocks")
		delete(g, "blocks")
		for key := range w {
			if !reflect.DeepEqual(w[key], g[key]) {
				t.Errorf("%q: %s is %v and was %v", path, key, g[key], w[key])
			}
		}
	}
	for path := range got {
		if want[path] == nil {
			t.Errorf("%q has come from nowhere", path)
		}
	}
}

func blocks(e entry) int64 {
	n, _ := e["blocks"].(json.Number)
	blocks, _ := n.Int64()
	return blocks
}

func TestEverythingThatTheFileSystemKnowsComesBack(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	f := newOffice(t, defaultParity)
	at := planted(t)
	dir, out := filepath.Join(at, "tree"), filepath.Join(at, "out")
	was := list(t, dir)
	s := f.exits(0, "backup", "--json", dir).summary(t)
	if s.Errors != 0 || int(s.Files) < 20_000 {
		t.Errorf("the summary counts %d files, %d errors", s.Files, s.Errors)
	}
	if packed := s.AddedPacked; packed > 20<<20 {
		t.Errorf("%d bytes of content and some holes take %d bytes in the repository", s.Bytes, packed)
	}
	f.exits(0, "restore", "latest:"+dir, "--target", out, "--verify")
	alike(t, was, list(t, out))
	alike(t, was, list(t, dir)) // reading has changed nothing

	again := f.exits(0, "backup", "--json", dir).summary(t)
	if again.Unmodified != s.Files || again.DataAdded > 64<<10 {
		t.Errorf("a second night finds %d files of %d unchanged and adds %d bytes", again.Unmodified, s.Files, again.DataAdded)
	}
	// Over what is there already, and where it is not what it ought to be.
	must(t, os.WriteFile(filepath.Join(out, "content", "text4096"), []byte("scribbled over"), 0o600))
	must(t, os.Remove(filepath.Join(out, "special", "fifo")))
	must(t, os.Mkdir(filepath.Join(out, "special", "fifo"), 0o700))
	f.exits(0, "restore", "latest:"+dir, "--target", out)
	alike(t, was, list(t, out))
	f.sound()
}

// busy writes, cuts, replaces and removes files below a folder until stop is
// called. What grows grows to some 10 MB.
func busy(t *testing.T, dir string) (stop func()) {
	t.Helper()
	var ended atomic.Bool
	done := make(chan struct{})
	must(t, os.MkdirAll(dir, 0o755))
	grow := func(name string) {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			file.WriteString(strings.Repeat("another line\n", 100))
			file.Close()
		}
	}
	go func() {
		defer close(done)
		for i := 0; !ended.Load(); i++ {
			if time.Sleep(time.Millisecond / 4); i < 8000 {
				grow("grows")
			}
			passing := filepath.Join(dir, fmt.Sprintf("passing%d", i%50))
			if os.WriteFile(passing, make([]byte, 100_000), 0o644) != nil || i%2 == 0 {
				os.Remove(passing)
			}
			os.Truncate(filepath.Join(dir, "shrinks"), int64(max(0, 10<<20-i*1000)))
			os.Rename(filepath.Join(dir, "passing1"), filepath.Join(dir, "passing1 moved"))
			folder := fmt.Sprintf("folder%d", i)
			os.Mkdir(filepath.Join(dir, folder), 0o755)
			grow(folder + "/file")
			os.RemoveAll(filepath.Join(dir, folder))
		}
	}()
	return func() { ended.Store(true); <-done }
}

// TestFilesThatChangeWhileTheyAreReadHarmNothing backs up a folder in which
// files grow, shrink, come and vanish meanwhile.
func TestFilesThatChangeWhileTheyAreReadHarmNothing(t *testing.T) {
	f := newOffice(t, defaultParity)
	dir := f.path("busy")
	still := morning(9, 300)
	still.plant(t, filepath.Join(dir, "still"))
	must(t, os.MkdirAll(filepath.Join(dir, "moving"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "moving", "shrinks"), make([]byte, 10<<20), 0o644))
	stop := busy(t, filepath.Join(dir, "moving"))
	defer stop()
	noticed := 0
	for range 5 {
		o := f.exits(0, "backup", dir)
		noticed += strings.Count(o.stderr.String(), "changed while it was read")
	}
	stop()
	if noticed == 0 {
		t.Error("no backup noticed that anything changed")
	}
	final, err := os.ReadFile(filepath.Join(dir, "moving", "grows"))
	must(t, err)
	for _, s := range f.snapshots() {
		got, problems, err := back(t.Context(), f.inside(), s)
		must(t, err)
		if got = got.within(dir); len(problems) > 0 || !maps.Equal(got.within("still"), still) {
			t.Errorf("what did not change comes back changed; %v", problems)
		}
		if grown := got["moving/grows"]; len(grown) > 0 && !strings.HasPrefix(string(final), grown) {
			t.Errorf("a file that was appended to comes back with %d bytes that it never began with", len(grown))
		}
	}
	f.sound()
}

// TestAnUnreadableFolderCostsOnlyItself backs up as a user who may not read
// everything.
func TestAnUnreadableFolderCostsOnlyItself(t *testing.T) {
	needsRoot(t)
	f := newOffice(t, defaultParity)
	must(t, chownAll(f.dir, 65534))
	src, err := os.MkdirTemp("/tmp", "chartkeep-proof")
	must(t, err)
	defer os.RemoveAll(src)
	must(t, os.Chmod(src, 0o755))
	tree{"open/a": "a", "closed/b": "b", "file": "c", "secret": "d"}.plant(t, src)
	must(t, os.Chmod(filepath.Join(src, "closed"), 0o700))
	must(t, os.Chmod(filepath.Join(src, "secret"), 0o600))
	c := f.command("backup", "--json", src)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var o outcome
	c.Stdout, c.Stderr = &o.stdout, &o.stderr
	if code := exitCode(t, c.Run()); code != 3 {
		t.Fatalf("exit code %d\n%s", code, &o.stderr)
	}
	if n := o.summary(t).Errors; n != 2 {
		t.Errorf("%d errors are counted", n)
	}
	for _, name := range []string{"closed", "secret"} {
		if !strings.Contains(o.stderr.String(), name) {
			t.Errorf("%s is not named:\n%s", name, &o.stderr)
		}
	}
	got, _, err := back(t.Context(), f.inside(), f.snapshots()[0])
	must(t, err)
	if want := (tree{"open/a": "a", "file": "c"}); !maps.Equal(got.within(src), want) {
		t.Errorf("%v comes back", got.within(src))
	}
	must(t, chownAll(f.dir, 0))
	f.exits(0, "backup", src)
	got, _, err = back(t.Context(), f.inside(), f.snapshots()[1])
	must(t, err)
	if len(got.within(src)) != 4 {
		t.Errorf("read by one who may, %v comes back", got.within(src))
	}
}

func chownAll(dir string, id int) error {
	return filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(p, id, id)
		}
		return err
	})
}

// TestARestoreBesideDamageSaysWhatItCouldNotBringBack damages the repository of
// the real program within the parity and beyond it.
func TestARestoreBesideDamageSaysWhatItCouldNotBringBack(t *testing.T) {
	f := newOffice(t, defaultParity)
	src := f.path("src")
	want := practice()
	want.plant(t, src)
	f.exits(0, "backup", src)
	r := f.inside()
	pack := largestPack(t, r)
	name := "packs/" + pack.ID.String()[:2] + "/" + pack.ID.String()
	whole, err := os.ReadFile(f.path("repo", name))
	must(t, err)

	ruin(t, r.Store(), name, 0.5, 0.505)
	out := f.path("out")
	f.exits(0, "restore", "latest:"+src, "--target", out, "--verify")
	if got := read(t, out); !maps.Equal(got, want) {
		t.Errorf("with damage within the parity %d files of %d come back, or others", len(got), len(want))
	}
	f.exits(13, "check", "--read-data")
	f.exits(0, "repair", "packs")
	mended, err := os.ReadFile(f.path("repo", name))
	must(t, err)
	if string(mended) != string(whole) {
		t.Error("the mended pack is not what it was")
	}
	f.exits(0, "check", "--read-data")

	unharmed := without(t, r, f.snapshots()[0], pack, 0.3, 0.6)
	ruin(t, r.Store(), name, 0.3, 0.6)
	must(t, os.RemoveAll(out))
	o := f.run("restore", "latest:"+src, "--target", out)
	if o.code == 0 {
		t.Error("a restore that lacks files exits with 0")
	}
	got := read(t, out)
	for p, data := range want {
		is, there := got[p]
		if there && is != data {
			t.Errorf("%s comes back with other content", p)
		}
		if !there && !strings.Contains(o.stderr.String(), filepath.Base(p)) {
			t.Errorf("nobody says that %s is missing:\n%s", p, &o.stderr)
		}
	}
	for i := range unharmed {
		unharmed[i] = strings.TrimPrefix(unharmed[i], src[1:]+"/")
	}
	if is := slices.Sorted(maps.Keys(got)); !slices.Equal(is, slices.Sorted(slices.Values(unharmed))) || len(is) == 0 || len(is) == len(want) {
		t.Errorf("%q come back, and unharmed are %q", is, unharmed)
	}
	f.exits(13, "check", "--read-data")
}
