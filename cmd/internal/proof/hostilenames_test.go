package proof_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestNamesDoNotLeadOutOfTheTarget restores trees whose names and links point
// elsewhere.
func TestNamesDoNotLeadOutOfTheTarget(t *testing.T) {
	t.Parallel()
	names := []string{"..", "../escaped", "/tmp/chartkeep-escaped", ".", "", "/", "a/../../escaped", "nul\x00l", "..\x00", "a/b", "./x"}
	if !*full {
		names = names[:3]
	}
	for _, name := range names {
		for _, dir := range []bool{false, true} {
			if !*full && dir != (name == "..") {
				continue
			}
			t.Run(fmt.Sprintf("%q, folder: %v", name, dir), func(t *testing.T) {
				f := forge(t, func(f *forger) {
					evil := file(name, f.content("evil"))
					if dir {
						evil = folder(name, f.list(file("escaped", f.content("evil"))))
					}
					f.snapshot(f.list(evil), f.list(file("zz-good", f.content("good"))))
				})
				f.staysInside()
			})
		}
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
