package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

func openTarget(t *testing.T, dir string, o TargetOptions) *Target {
	t.Helper()
	target, err := OpenTarget(dir, o)
	must(t, err)
	t.Cleanup(func() { target.Close() })
	return target
}

func TestReplacingAFileLeavesItsOtherNameAndItsReaderAlone(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/file", "old")
	must(t, os.Link(root+"/file", root+"/other"))
	reader, err := os.Open(root + "/file")
	must(t, err)
	defer reader.Close()
	target := openTarget(t, root, TargetOptions{})
	must(t, target.WriteFile("/file", []byte("new"), sources.Meta{Kind: sources.Regular, Mode: 0o644}, nil))
	wantContent(t, root+"/file", "new")
	wantContent(t, root+"/other", "old")
	if b, _ := io.ReadAll(reader); string(b) != "old" {
		t.Errorf("its reader sees %q", b)
	}
	in := openTarget(t, root, TargetOptions{InPlace: true})
	must(t, os.Remove(root+"/file"))
	must(t, os.Link(root+"/other", root+"/file"))
	must(t, in.WriteFile("/file", []byte("n"), sources.Meta{Kind: sources.Regular, Mode: 0o644}, nil))
	wantContent(t, root+"/other", "n")
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if b, err := os.ReadFile(path); string(b) != want || err != nil {
		t.Errorf("%s holds %.50q, %v, want %.50q", path, b, err, want)
	}
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	must(t, err)
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func TestWhatStandsInTheWayIsReplacedButForFoldersInUse(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/outside/x", "safe")
	in := root + "/in"
	target := openTarget(t, in, TargetOptions{})
	strict := openTarget(t, in, TargetOptions{Strict: true})
	m := sources.Meta{Kind: sources.Regular, Mode: 0o644}
	put(t, in+"/full/x", "keep")

	for name, do := range map[string]func(path string) error{
		"WriteFile": func(p string) error { return target.WriteFile(p, []byte("new"), m, nil) },
		"InPlace": func(p string) error {
			return openTarget(t, in, TargetOptions{InPlace: true}).WriteFile(p, []byte("new"), m, nil)
		},
		"Symlink": func(p string) error { return target.Symlink(p, "t") },
		"Special": func(p string) error { return target.Special(p, sources.Meta{Kind: sources.FIFO}) },
		"Link": func(p string) error {
			put(t, in+"/linked", "")
			defer os.Remove(in + "/linked")
			return target.Link(p, "/linked")
		},
		"Mkdir": target.Mkdir,
	} {
		for kind, occupy := range map[string]func() error{
			"link":         func() error { return os.Symlink(root+"/outside", in+"/thing") },
			"file":         func() error { return os.WriteFile(in+"/thing", []byte("old"), 0o644) },
			"fifo":         func() error { return unix.Mkfifo(in+"/thing", 0o644) },
			"empty folder": func() error { return os.Mkdir(in+"/thing", 0o755) },
		} {
			must(t, occupy())
			if err := do("/thing"); err != nil {
				t.Errorf("%s over a %s: %v", name, kind, err)
			}
			wantNames(t, in, "full", "thing")
			must(t, os.RemoveAll(in+"/thing"))
		}
		if name == "Mkdir" {
			continue
		}
		if err := do("/full"); !errors.Is(err, ErrOccupied) {
			t.Errorf("%s over a folder that is not empty: %v", name, err)
		}
		wantNames(t, in, "full")
	}
	must(t, os.Symlink(root+"/outside", in+"/thing"))
	if err := strict.Mkdir("/thing"); !errors.Is(err, ErrOccupied) {
		t.Errorf("a strict target replaced a link: %v", err)
	}
	wantContent(t, root+"/outside/x", "safe")
	wantContent(t, in+"/full/x", "keep")
}

func TestErrorsNameBothEndsOfALink(t *testing.T) {
	target := openTarget(t, t.TempDir(), TargetOptions{})
	err := target.Link("/new", "/none")
	if err == nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/new") || !strings.Contains(err.Error(), "/none") {
		t.Errorf("got %v", err)
	}
}

func TestATargetMakesMissingFoldersAbove(t *testing.T) {
	root := t.TempDir()
	target := openTarget(t, root+"/new/target", TargetOptions{})
	must(t, target.Mkdir("/a/b/c"))
	must(t, target.Sync())
	info, err := os.Stat(root + "/new/target/a/b/c")
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}
