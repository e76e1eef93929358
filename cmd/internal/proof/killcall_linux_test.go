package proof_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAPruneThatIsKilledAtAnyCallHarmsNothing kills forget and prune before every
// system call that changes a file, each time on the same repository.
func TestAPruneThatIsKilledAtAnyCallHarmsNothing(t *testing.T) {
	t.Parallel()
	for _, run := range [][]string{
		{"forget", "--keep-last", "1", "--prune"},
		{"forget", "--keep-last", "1", "--prune", "--bin-days", "7"},
		{"prune"},
		{"bin", "restore", "latest"},
	} {
		t.Run(strings.Join(run, " "), func(t *testing.T) {
			k := newKills(t, run)
			k.everywhere(k.look)
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

// everywhere kills it before each call, or before some of them, and looks each time
// at what is left. The program does several things at a time, so that the calls are
// not always the same ones; killed before as many as there were at first, it has in a
// few of the runs come to its end.
func (k *kills) everywhere(look func()) {
	k.Helper()
	total := k.kill(0)
	sample := 5
	if *full {
		sample = total
	}
	first := int(*from)
	if first > total {
		first = 1 // it is the seed of other tests
	}
	hit, began := 0, time.Now()
	for i := range sample {
		at := first + i*total/sample
		if at > total || !goesOn(began) {
			k.Logf("the next one is call %d", at)
			break
		}
		if k.kill(at) >= at {
			hit++
		}
		look()
		if k.Failed() {
			k.Fatalf("killed before call %d of %d", at, total)
		}
	}
	if hit < min(sample, 5)/2 {
		k.Errorf("it was killed %d times only", hit)
	}
	k.Logf("%d calls change files; from call %d on killed before %d of them", total, first, hit)
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
	k.setAside()
	k.reset()
	k.exits(0, "forget", "--keep-last", "1", "--prune")
	k.all = size(t, k.inside().Store())
	return k
}

// setAside keeps the repository and the cache as they are, for reset.
func (k *kills) setAside() {
	k.Helper()
	must(k, os.Mkdir(k.path("whole"), 0o700))
	for _, what := range []string{"repo", "cache"} {
		if err := os.Rename(k.path(what), k.path("whole", what)); !errors.Is(err, fs.ErrNotExist) {
			must(k, err)
		}
	}
}

func (k *kills) reset() {
	k.Helper()
	for _, what := range []string{"repo", "cache", "out"} {
		must(k, os.RemoveAll(k.path(what)))
	}
	if out, err := exec.Command("cp", "-a", k.path("whole")+"/.", k.dir).CombinedOutput(); err != nil {
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
