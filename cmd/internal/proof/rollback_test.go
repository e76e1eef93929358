package proof_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestARepositoryThatWasSetBackIsNoticed puts an older state of the drive in the
// place of the newer one, takes the newest record away, and one of the middle:
// the computer that wrote them says that they are gone, and of the middle one any
// computer does.
func TestARepositoryThatWasSetBackIsNoticed(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	for n := 1; n <= 3; n++ {
		night(n).plant(t, f.path("src"))
		f.exits(0, "backup", f.path("src"))
		if n == 2 {
			f.duplicate("repo", "older")
		}
	}
	f.duplicate("repo", "newest")
	f.duplicate("cache", "cache-then")

	t.Run("an older state", func(t *testing.T) {
		f.putBack("older")
		f.noticed(t, true)
	})
	records := func() (names []string) {
		for name := range files(t, f.inside().Store()) {
			if strings.HasPrefix(name, "log/") {
				names = append(names, name)
			}
		}
		return names
	}
	t.Run("any record", func(t *testing.T) {
		f.putBack("newest")
		all, noticed := records(), 0
		for _, name := range all {
			f.putBack("newest")
			must(t, os.Remove(f.path("repo", name)))
			must(t, os.Remove(f.path("repo", "copies", name)))
			f.noticed(t, true)
			f.putBack("newest")
			must(t, os.Remove(f.path("repo", name)))
			must(t, os.Remove(f.path("repo", "copies", name)))
			must(t, os.RemoveAll(f.path("cache")))
			if f.noticed(t, false) {
				noticed++
			}
		}
		if len(all) != 3 || noticed != len(all)-1 {
			t.Errorf("of %d records another computer misses %d, want all but the newest", len(all), noticed)
		}
	})
}

// noticed reports whether a check says that a record is gone.
func (f *office) noticed(t *testing.T, wanted bool) bool {
	t.Helper()
	o := f.run("check")
	said := strings.Contains(o.stdout.String()+o.stderr.String(), "is not there any more")
	if wanted && !said {
		t.Errorf("nobody notices: exit code %d\n%s%s", o.code, &o.stdout, &o.stderr)
	}
	return said
}

func (f *office) duplicate(from, to string) {
	f.Helper()
	if out, err := exec.Command("cp", "-a", f.path(from), f.path(to)).CombinedOutput(); err != nil {
		f.Fatalf("%s", out)
	}
}

// putBack makes the repository what it was, and the cache what it was at last.
func (f *office) putBack(state string) {
	f.Helper()
	must(f, os.RemoveAll(f.path("repo")))
	must(f, os.RemoveAll(f.path("cache")))
	f.duplicate(state, "repo")
	f.duplicate("cache-then", "cache")
}
