package proof_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestABackupThatIsKilledAtAnyCallHarmsNothing kills the first backup into a
// repository and the second, before every system call that changes a file, each time
// on the same repository.
func TestABackupThatIsKilledAtAnyCallHarmsNothing(t *testing.T) {
	t.Parallel()
	for name, nights := range map[string]int{"the first": 0, "the second": 1} {
		t.Run(name, func(t *testing.T) {
			k := newNights(t, nights)
			k.everywhere(k.lookAfterBackup)
		})
	}
}

// newNights is a repository with so many nights, and the next one to be saved.
func newNights(t *testing.T, nights int) *kills {
	k := &kills{office: newOffice(t, defaultParity), ends: map[string]tree{}}
	k.src = k.path("src")
	k.args = []string{"backup", k.src}
	for n := 1; n <= nights; n++ {
		k.plantNight(n)
		k.last = k.exits(0, "backup", "--json", k.src).summary(t).SnapshotID
		k.ends[k.last] = night(n)
	}
	k.plantNight(nights + 1)
	k.setAside()
	return k
}

func (k *kills) plantNight(n int) {
	k.Helper()
	must(k, os.RemoveAll(k.src))
	night(n).plant(k, k.src)
}

// lookAfterBackup wants what was saved before, nothing else but perhaps the whole of
// what was being saved, a check that is green, and a next run that saves it.
func (k *kills) lookAfterBackup() {
	k.Helper()
	k.exits(0, "check", "--read-data")
	is := night(len(k.ends) + 1)
	before := k.snapshots()
	k.exits(0, "backup", k.src)
	k.sound()
	after := k.snapshots()
	if len(after) != len(before)+1 {
		k.Errorf("the next run makes %d snapshots of %d", len(after), len(before))
	}
	old := 0
	for _, s := range after {
		want := k.ends[string(s.ID)]
		if want == nil {
			want = is
		} else {
			old++
		}
		k.holds(s, k.src, want)
	}
	if old != len(k.ends) {
		k.Errorf("of %d snapshots %d are left", len(k.ends), old)
	}
}

// TestARestoreThatIsKilledAtAnyCallIsMadeGoodByTheNext kills a restore before every
// system call that changes a file: one into an empty folder, and one over what is
// there. A file that is not complete is known by its mode or by its name, and the
// next restore, which leaves alone whatever is there, brings all that is missing.
func TestARestoreThatIsKilledAtAnyCallIsMadeGoodByTheNext(t *testing.T) {
	t.Parallel()
	for _, over := range []bool{false, true} {
		name := "into an empty folder"
		if over {
			name = "over what is there"
		}
		t.Run(name, func(t *testing.T) {
			k := newRestores(t, over)
			k.everywhere(func() { k.lookAfterRestore(over) })
		})
	}
}

// saved is what is restored: small files, and some that are written in pieces.
func saved() tree {
	t := night(1)
	for i, n := range []int{100, 4097, 300_000, 6 << 20} {
		t["srv/pieces/"+strings.Repeat("p", i+1)] = noise(byte(i), n)
	}
	return t
}

func newRestores(t *testing.T, over bool) *kills {
	k := &kills{office: newOffice(t, defaultParity)}
	k.src = k.path("src")
	saved().plant(t, k.src)
	k.exits(0, "backup", k.src)
	if over {
		for p := range saved() {
			older := filepath.Join(k.path("out"), p)
			must(t, os.MkdirAll(filepath.Dir(older), 0o755))
			must(t, os.WriteFile(older, []byte("what was there"), 0o644))
		}
		must(t, os.Rename(k.path("out"), k.path("before")))
	}
	k.args = []string{"restore", "latest:" + k.src, "--target", k.path("out")}
	must(t, os.RemoveAll(k.path("cache")))
	k.setAside()
	if over {
		must(t, os.Rename(k.path("before"), k.path("whole", "out")))
	}
	return k
}

// lookAfterRestore wants every file to be what it was, or whole, or known as
// unfinished, and the next restore to bring back all of it.
func (k *kills) lookAfterRestore(over bool) {
	k.Helper()
	want, again := saved(), []string{"--overwrite", "never"}
	for p, data := range want {
		full := filepath.Join(k.path("out"), p)
		is, err := os.ReadFile(full)
		if err != nil {
			continue
		}
		info, err := os.Lstat(full)
		must(k, err)
		unfinished := info.Mode().Perm() == 0o200
		switch {
		case string(is) != data && !unfinished && (!over || string(is) != "what was there"):
			k.Errorf("%s has %d bytes of %d and nothing tells that it is not whole", p, len(is), len(data))
		case over && unfinished:
			k.Errorf("%s is not whole, and what was there is gone", p)
		}
	}
	if over {
		again = []string{"--overwrite", "if-changed"}
	}
	k.exits(0, append(k.args, append(again, "--verify")...)...)
	got := read(k, k.path("out"))
	maps.DeleteFunc(got, func(p, _ string) bool { return strings.HasPrefix(filepath.Base(p), ".chartkeep-") })
	if !maps.Equal(got, want) {
		k.Errorf("%d files of %d come back, or others", len(got), len(want))
	}
	k.exits(0, "check")
}
