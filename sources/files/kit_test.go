package files

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartkeep/sources"
)

// put makes a file, and the folders above it.
func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// walkAll returns the entries of a source at or below the folder root.
func walkAll(t *testing.T, o Options, root string) []sources.Entry {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	prefix := entryPath(root)
	var list []sources.Entry
	for e := range s.Entries(t.Context()) {
		if e.Path == prefix || strings.HasPrefix(e.Path, prefix+"/") {
			list = append(list, e)
		}
	}
	return list
}

// memoryDir is a temporary folder for large trees: in memory, where the system
// has a place for that.
func memoryDir(t *testing.T) string {
	t.Helper()
	const shared = "/dev/shm"
	if _, err := os.Stat(shared); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(shared, "chartkeep-test")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// entryPath is how an entry names a path of this system.
func entryPath(path string) string {
	return "/" + strings.Join(elements(path), "/")
}

// relative returns the entries' paths below root, and fails for entries with an
// error.
func relative(t *testing.T, list []sources.Entry, root string) []string {
	t.Helper()
	var paths []string
	for _, e := range list {
		if e.Err != nil {
			t.Errorf("%s: %v", e.Path, e.Err)
		}
		if p := strings.TrimPrefix(e.Path, entryPath(root)); p != "" {
			paths = append(paths, p[1:])
		}
	}
	return paths
}

// independent lists what is below root in the order of a walk, with the
// standard library.
func independent(t *testing.T, root string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if rel, _ := filepath.Rel(root, p); rel != "." {
			paths = append(paths, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func wantPaths(t *testing.T, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%d paths, want %d; they differ from %d on:\n got %.300q\nwant %.300q",
				len(got), len(want), i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
}

// grow makes a random tree of n entries, with names that sort around the slash.
func grow(t *testing.T, root string, r *rand.Rand, n int) {
	t.Helper()
	dirs := []string{root}
	for i := range n {
		dir := dirs[r.IntN(len(dirs))]
		name := strings.Map(func(rune) rune {
			return rune("ab-.+0Z~é"[r.IntN(8)])
		}, strings.Repeat("x", 1+r.IntN(4))) + fmt.Sprint(i%7)
		path := filepath.Join(dir, name)
		if r.IntN(3) > 0 {
			_ = os.WriteFile(path, nil, 0o644)
		} else if os.Mkdir(path, 0o755) == nil {
			dirs = append(dirs, path)
		}
	}
}
