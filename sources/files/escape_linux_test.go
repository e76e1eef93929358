package files

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"chartkeep/sources"
)

func TestNoPathLeadsOutOfATarget(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/outside/file", "safe")
	put(t, root+"/outside/sub/file", "safe")
	target := openTarget(t, root+"/in", TargetOptions{})
	m := sources.Meta{Kind: sources.Regular, Mode: 0o644}
	before := describe(t, root+"/outside")

	must(t, target.Symlink("/link", root+"/outside"))
	must(t, target.Symlink("/up", ".."))
	must(t, target.Mkdir("/dir"))
	must(t, target.Symlink("/dir/back", "../../outside"))
	put(t, root+"/in/own", "x")
	for _, p := range []string{
		"", "x", "outside/file", "../outside/file", "/../outside/file", "/..", "/.", "/dir/../../outside/file",
		"//etc", "/dir//x", "/dir/", "/dir/./x", "/a\x00b", "/dir/..",
		"/link/file", "/link/sub/file", "/link/new", "/up/outside/file", "/dir/back/file", "/own/x", "/own/../own",
	} {
		for op, do := range map[string]func() error{
			"Mkdir":     func() error { return target.Mkdir(p) },
			"WriteFile": func() error { return target.WriteFile(p, []byte("evil"), m, nil) },
			"Create":    func() error { _, err := target.Create(p, 1, false); return err },
			"Symlink":   func() error { return target.Symlink(p, "x") },
			"Special":   func() error { return target.Special(p, sources.Meta{Kind: sources.FIFO}) },
			"Link":      func() error { return target.Link(p, "/own") },
			"Link from": func() error { return target.Link("/new", p) },
			"SetMeta":   func() error { return target.SetMeta(p, m, nil) },
			"Lstat":     func() error { _, err := target.Lstat(p); return err },
			"Open":      func() error { _, err := target.Open(p); return err },
			"List":      func() error { _, err := target.List(p); return err },
			"Attributes": func() error {
				_, err := target.Attributes(p)
				return err
			},
		} {
			if op == "List" && p == "/dir/" {
				continue // a folder, named oddly
			}
			if err := do(); err == nil {
				t.Errorf("%s(%q) is done", op, p)
			}
		}
		_ = target.Remove(p) // nothing there is as good as an error
	}
	must(t, target.Remove("/link"))
	must(t, target.Remove("/up"))
	must(t, target.Remove("/dir"))
	wantSame(t, describe(t, root+"/outside"), before)
	if names, _ := target.List("/"); !slices.Equal(names, []string{"own"}) {
		t.Errorf("in the target: %q", names)
	}
}

// TestRandomSnapshotsStayInTheTarget writes what a forger might, again and
// again into the same target, so that links come to stand where folders were.
func TestRandomSnapshotsStayInTheTarget(t *testing.T) {
	root := memoryDir(t)
	put(t, root+"/outside/a/b", "safe")
	put(t, root+"/outside/b", "safe")
	before := describe(t, root+"/outside")
	target := openTarget(t, root+"/in", TargetOptions{})
	links := []string{"..", "../outside", root + "/outside", "a", "/", "../../outside/a", "."}
	r := rand.New(rand.NewPCG(3, 3))
	done := 0
	for range 4000 {
		var p string
		for range 1 + r.IntN(3) {
			p += "/" + []string{"a", "b", "c", "..", "outside"}[r.IntN(5)]
		}
		m := sources.Meta{Kind: sources.Regular, Mode: uint32(r.IntN(0o10000)), UID: 1, GID: 1}
		var err error
		switch r.IntN(7) {
		case 0, 1:
			err = target.Mkdir(p)
		case 2:
			err = target.Symlink(p, links[r.IntN(len(links))])
		case 3:
			err = target.WriteFile(p, []byte("evil"), m, nil)
		case 4:
			m.Kind = []sources.Kind{sources.Dir, sources.Symlink}[r.IntN(2)]
			err = target.SetMeta(p, m, nil)
		case 5:
			var f *OutFile
			if f, err = target.Create(p, 10, true); err == nil {
				_, err = f.WriteAt([]byte("evil"), 3)
				err = errors.Join(err, f.Close())
			}
		case 6:
			err = target.Remove(p)
		}
		if err == nil {
			done++
		}
	}
	if done < 500 {
		t.Errorf("only %d of 4000 things could be done", done)
	}
	wantSame(t, describe(t, root+"/outside"), before)
}

func TestATargetNoticesThatAFolderWasReplaced(t *testing.T) {
	root := t.TempDir()
	target := openTarget(t, root+"/in", TargetOptions{})
	m := sources.Meta{Kind: sources.Regular, Mode: 0o644}
	must(t, target.Mkdir("/dir"))
	must(t, target.WriteFile("/dir/a", nil, m, nil))
	must(t, target.Remove("/dir"))
	must(t, target.Mkdir("/dir"))
	must(t, target.WriteFile("/dir/b", nil, m, nil))
	wantNames(t, root+"/in/dir", "b")
	must(t, os.Mkdir(root+"/outside", 0o755))
	must(t, target.Remove("/dir"))
	must(t, os.Symlink("../outside", root+"/in/dir"))
	if err := target.WriteFile("/dir/c", nil, m, nil); err == nil {
		t.Error("wrote through a link")
	}
	wantNames(t, root+"/outside")
}
