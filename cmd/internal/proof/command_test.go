package proof_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestTheCheckCommandFindsWhateverHappenedToAFile hurts each file of a repository
// and asks the program. Its exit code is what scripts go by.
// TestTheCheckCommandFindsWhateverHappenedToAFile hurts every file, in the short form
// in one of three ways.
func TestTheCheckCommandFindsWhateverHappenedToAFile(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	src := f.path("src")
	night(1).plant(t, src)
	f.exits(0, "backup", src)
	must(t, os.WriteFile(f.path("src", "srv", "another"), []byte("another"), 0o644))
	f.exits(0, "backup", src)
	whole := files(t, f.inside().Store()) // before there is a record of checks, which every check renews
	hurts := []struct {
		what string
		hurt func(b []byte) []byte
	}{
		{"turning a byte of", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }},
		{"cutting off", func(b []byte) []byte { return b[:len(b)-1] }},
		{"losing", func([]byte) []byte { return nil }},
	}
	for n, name := range slices.Sorted(maps.Keys(whole)) {
		if name == "lock" || name == "RESTORE.txt" || name == "reserve" {
			continue
		}
		for i, h := range hurts {
			if !*full && i != n%len(hurts) {
				continue
			}
			f.replace(name, h.hurt(slices.Clone(whole[name])))
			if o := f.run("check", "--read-data"); o.code != 13 {
				t.Errorf("after %s %s the check exits with %d\n%s", h.what, name, o.code, &o.stderr)
			}
			must(t, os.RemoveAll(f.path("repo", name)))
			f.replace(name, whole[name])
		}
	}
	f.exits(0, "check", "--read-data")
}

// replace writes a file of the repository anew; nil removes it.
func (f *office) replace(name string, b []byte) {
	f.Helper()
	must(f, os.RemoveAll(f.path("repo", name)))
	if b != nil {
		must(f, os.WriteFile(f.path("repo", name), b, 0o600))
	}
}

// TestPacksThatNoSegmentNamesAreMendedToo damages packs whose segments are gone, which
// a run that was cut off leaves, too. Once they are named again nothing is wrong.
func TestPacksThatNoSegmentNamesAreMendedToo(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	src, want := f.path("src"), night(1)
	want.plant(t, src)
	f.exits(0, "backup", src)
	for name, b := range files(t, f.inside().Store()) {
		switch {
		case strings.HasPrefix(name, "packs/"):
			b[len(b)/2] ^= 1
			f.replace(name, b)
		case strings.HasPrefix(name, "index/"):
			f.replace(name, nil)
		}
	}
	must(t, os.RemoveAll(f.path("cache")))
	f.exits(0, "repair", "packs")
	f.exits(0, "repair", "index")
	f.sound()
	f.holds(f.snapshots()[0], src, want)
}

// TestTheRepairCommandsMendWhatParityAndCopiesCover turns a byte in one of every
// two files, of both copies never, and has the program mend it all.
func TestTheRepairCommandsMendWhatParityAndCopiesCover(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	src := f.path("src")
	want := night(1)
	want.plant(t, src)
	f.exits(0, "backup", src)
	whole := files(t, f.inside().Store())
	for name, b := range whole {
		if hurt := slices.Clone(b); name != "lock" && !strings.HasPrefix(name, "copies/") {
			hurt[len(b)/3] ^= 0x10
			f.replace(name, hurt)
		}
	}
	o := f.exits(13, "check", "--read-data")
	said := o.stdout.String() + o.stderr.String()
	for _, command := range []string{"repair index", "repair packs"} {
		if !strings.Contains(said, "chartkeep "+command) {
			t.Errorf("the check does not say: chartkeep %s\n%s", command, said)
		}
	}
	f.exits(0, "restore", "latest:"+src, "--target", f.path("out"), "--verify")
	if got := read(t, f.path("out")); !maps.Equal(got, want) {
		t.Errorf("%d files of %d come back, or others", len(got), len(want))
	}
	f.exits(0, "repair", "packs")
	f.exits(0, "repair", "index")
	f.exits(0, "check", "--read-data")
	for _, name := range differences(whole, files(t, f.inside().Store())) {
		if kind := strings.Split(strings.TrimPrefix(name, "copies/"), "/")[0]; !slices.Contains([]string{"index", "checks", "sessions", "damage", "lock", "reserve", "log"}, kind) {
			t.Errorf("%s is not what it was", name)
		}
	}
}

// TestADeletedCacheCostsTimeOnly removes the local index, and parts of it, at all
// times.
func TestADeletedCacheCostsTimeOnly(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	src := f.path("src")
	for n := 1; n <= 4; n++ {
		want := night(n)
		must(t, os.RemoveAll(src))
		want.plant(t, src)
		f.exits(0, "backup", src)
		if n%2 == 0 {
			must(t, os.RemoveAll(f.path("cache")))
		} else {
			f.scribble(f.path("cache"))
		}
		out := f.path(fmt.Sprint("out", n))
		f.exits(0, "restore", "latest:"+src, "--target", out)
		if got := read(t, out); !maps.Equal(got, want) {
			t.Errorf("on night %d %d files of %d come back, or others", n, len(got), len(want))
		}
	}
	f.sound()
	f.exits(0, "check", "--read-data")
}

// scribble overwrites the middle of every file in a folder.
func (f *office) scribble(dir string) {
	f.Helper()
	for name := range read(f.TB, dir) {
		file, err := os.OpenFile(dir+"/"+name, os.O_RDWR, 0)
		must(f, err)
		info, err := file.Stat()
		must(f, err)
		_, err = file.WriteAt([]byte("scribbled all over it"), info.Size()/2)
		must(f, err)
		must(f, file.Close())
	}
}
