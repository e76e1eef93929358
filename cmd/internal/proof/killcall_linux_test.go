package proof_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestAPruneThatIsKilledAtAnyCallHarmsNothing kills forget and prune before every
// system call that changes a file, each time on the same repository.
func TestAPruneThatIsKilledAtAnyCallHarmsNothing(t *testing.T) {
	for _, run := range [][]string{
		{"forget", "--keep-last", "1", "--prune"},
		{"forget", "--keep-last", "1", "--prune", "--bin-days", "7"},
		{"prune"},
		{"bin", "restore", "latest"},
	} {
		t.Run(strings.Join(run, " "), func(t *testing.T) {
			k := newKills(t, run)
			total := k.kill(0)
			sample := 5
			if *full {
				sample = total
			}
			for i := range sample {
				at := 1 + i*total/sample
				k.kill(at)
				k.look()
				if t.Failed() {
					t.Fatalf("killed before call %d of %d", at, total)
				}
			}
			t.Logf("%d calls change files; killed before %d of them", total, sample)
		})
	}
}

// kills is a repository that is set back before each run that is killed.
type kills struct {
	*office
	args []string
	ends map[string]tree // what the snapshots hold, by ID
	src  string
	last string // the ID of the newest
	all  int64  // bytes after a prune that was let be
}

func newKills(t *testing.T, args []string) *kills {
	k := &kills{office: newOffice(t, defaultParity), args: args, ends: map[string]tree{}}
	k.src = k.path("src")
	for n := 1; n <= 3; n++ {
		office := night(n)
		office["srv/new"] = noise(byte(n), 40<<10)
		must(t, os.RemoveAll(k.src))
		office.plant(t, k.src)
		k.last = k.exits(0, "backup", "--json", k.src).summary(t).SnapshotID
		k.ends[k.last] = office
	}
	if args[0] != "forget" {
		k.exits(0, "forget", "latest~1", "--bin-days", "7")
		k.exits(0, "forget", "latest~1")
	}
	must(t, os.RemoveAll(k.path("cache")))
	must(t, os.Rename(k.path("repo"), k.path("whole")))
	k.reset()
	k.exits(0, "forget", "--keep-last", "1", "--prune")
	k.all = size(t, k.inside().Store())
	return k
}

func (k *kills) reset() {
	k.Helper()
	must(k, os.RemoveAll(k.path("repo")))
	must(k, os.RemoveAll(k.path("cache")))
	if out, err := exec.Command("cp", "-a", k.path("whole"), k.path("repo")).CombinedOutput(); err != nil {
		k.Fatalf("%s", out)
	}
}

// kill runs it on the repository as it was, and kills it before call n.
func (k *kills) kill(n int) (calls int) {
	k.Helper()
	k.reset()
	return killAt(k, k.command(k.args...), n)
}

// look wants all that is listed and all that is in the bin whole, nothing lost that
// nobody wanted to lose, and the space back after the next run.
func (k *kills) look() {
	k.Helper()
	k.exits(0, "check")
	k.exits(0, "bin", "list")
	r := k.inside()
	all, _, broken, err := r.Discarded(k.Context())
	if must(k, err); len(broken) > 0 {
		k.Errorf("in the bin: %v", broken[0].Err)
	}
	for _, d := range all {
		if k.args[0] != "prune" || !d.Until.IsZero() {
			must(k, r.TakeBack(k.Context(), d.Snapshot))
		}
	}
	var listed []string
	for _, s := range k.snapshots() {
		listed = append(listed, string(s.ID))
		k.holds(s, k.src, k.ends[string(s.ID)])
	}
	if !slices.Contains(listed, k.last) {
		k.Errorf("the snapshot that nobody forgot is gone")
	}
	k.exits(0, "check", "--read-data")
	k.exits(0, "forget", "--keep-last", "1", "--prune")
	k.sound()
	if is := size(k, k.inside().Store()); is > k.all*105/100+8<<10 {
		k.Errorf("after the next run %d bytes are kept, want %d", is, k.all)
	}
}
