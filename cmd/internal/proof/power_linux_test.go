package proof_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/local"
	"chartkeep/snapshot"
)

// power is the life of a practice whose disk loses power in every run.
type power struct {
	*office
	disk *disk
	rng  *rand.Rand
	seed uint64

	n      int                 // of the night
	now    tree                // what the source holds
	saved  map[string]tree     // acknowledged, and not forgotten since: in the repository,
	copied map[string]tree     // in its copy
	key    string              // ID of a key that was acknowledged
	runs   map[string]*moments // of runs by their names, and of all lives beside each other
	hit    int                 // runs that the cut ended
	died   int                 // of them, of the local index: its disk was gone, too
}

func newPower(t *testing.T, kind string, seed uint64, lengths map[string]*moments) *power {
	p := &power{office: newOffice(t, defaultParity), rng: rand.New(rand.NewPCG(seed, 2)), seed: seed, saved: map[string]tree{}, copied: map[string]tree{}, runs: lengths}
	p.disk = newDisk(t, kind, p.dir)
	must(t, os.Rename(p.path("repo"), p.path("repo-new")))
	p.disk.do("cp", "-a", p.path("repo-new"), p.path("disk", "repo"))
	must(t, os.Symlink("disk/repo", p.path("repo")))
	p.makeCopy()
	must(t, os.WriteFile(p.path("new-password"), []byte("another password\n"), 0o600))
	p.nextNight()
	p.backsUp()
	p.disk.do("sync", "-f", p.disk.dir)
	return p
}

// makeCopy makes the repository that takes copies, which the same code opens.
func (p *power) makeCopy() {
	st, err := local.Create(p.path("disk", "copy"))
	must(p, err)
	r, err := repo.Init(p.Context(), st, []byte("a password"), repo.InitOptions{Parity: 3, KDF: crypt.MinKDF, Like: p.inside()}, repo.Options{})
	must(p, err)
	code, err := crypt.ParseRecoveryCode(p.code)
	must(p, err)
	_, err = r.AddRecovery(p.Context(), code, "")
	must(p, err)
	must(p, r.Close())
	must(p, st.Close())
}

func (p *power) nextNight() {
	p.n++
	p.now = night(p.n)
	p.now["srv/ct"] = noise(byte(p.n), 300<<10)
	must(p, os.RemoveAll(p.path("src")))
	p.now.plant(p, p.path("src"))
}

func (p *power) command(args ...string) *exec.Cmd {
	c := p.office.command(args...)
	c.Env = append(c.Env, "CHARTKEEP_TO_PASSWORD="+p.code)
	if p.seed%2 == 0 { // the cache loses what was not synced, too
		c.Env = append(c.Env, "CHARTKEEP_CACHE_DIR="+p.path("disk", "cache"))
	}
	return c
}

// backsUp is a run that nothing stops.
func (p *power) backsUp() {
	p.Helper()
	p.ends(0, "backup", "--json", p.path("src"))
}

// ends runs it to its end and enters what it says.
func (p *power) ends(code int, args ...string) {
	p.Helper()
	var out, said bytes.Buffer
	c := p.command(args...)
	c.Stdout, c.Stderr = &out, &said
	if is := exitCode(p, c.Run()); is != code {
		p.Fatalf("seed %d: chartkeep %s: exit code %d\n%s%s", p.seed, strings.Join(args, " "), is, &said, &out)
	}
	p.enter(out.String())
}

// enter takes down what a run said before it ended or was cut off: what it said
// was done has to be there.
func (p *power) enter(said string) {
	for line := range strings.Lines(said) {
		var o struct {
			Type     string `json:"message_type"`
			Snapshot string `json:"snapshot_id"`
			Copy     string `json:"copy_id"`
			ID       string `json:"id"`
		}
		if json.Unmarshal([]byte(line), &o) != nil {
			continue
		}
		switch o.Type {
		case "summary":
			if o.Snapshot != "" {
				p.saved[o.Snapshot] = p.now
			}
		case "copied":
			if want, ok := p.saved[o.Snapshot]; ok {
				p.copied[o.Copy] = want
			}
		case "key_added":
			p.key = o.ID
		}
	}
}

// runs are what the power is cut in, and what has to be done for them before.
var runs = []struct {
	name    string
	prepare func(*power) (args []string)
}{
	{"backup", func(p *power) []string { p.nextNight(); return []string{"backup", "--json", p.path("src")} }},
	{"prune", func(p *power) []string {
		keepNewest(p.saved, p.snapshots())
		return []string{"forget", "--keep-last", "2", "--prune", "--json"}
	}},
	{"prune of the copy", func(p *power) []string {
		r, done := p.open(p.path("disk", "copy"))
		defer done()
		all, _, err := snapshot.All(p.Context(), r)
		must(p, err)
		keepNewest(p.copied, all)
		return []string{"forget", "--repo", p.path("disk", "copy"), "--keep-last", "2", "--prune", "--json"}
	}},
	{"copy", func(p *power) []string {
		return []string{"copy", "--json", "--to", p.path("disk", "copy"), "--latest", "3"}
	}},
	{"repair", func(p *power) []string { p.hurt(); return []string{"repair", "packs", "--json"} }},
	{"key", func(p *power) []string {
		if p.key != "" {
			key := p.key
			p.key = ""
			return []string{"key", "remove", "--json", key}
		}
		return []string{"key", "add", "--json", "--new-password-file", p.path("new-password")}
	}},
}

// keepNewest strikes out what --keep-last 2 forgets.
func keepNewest(saved map[string]tree, all []*snapshot.Snapshot) {
	keep := all[max(0, len(all)-2):]
	maps.DeleteFunc(saved, func(id string, _ tree) bool {
		return !slices.ContainsFunc(keep, func(s *snapshot.Snapshot) bool { return string(s.ID) == id })
	})
}

// hurt turns a byte of every pack, and takes one of two copies of every other
// file that has two.
func (p *power) hurt() {
	for name, b := range files(p, p.inside().Store()) {
		switch {
		case strings.HasPrefix(name, "packs/"):
			b[p.rng.IntN(len(b))] ^= 4
			p.replace(name, b)
		case strings.HasPrefix(name, "copies/snapshots/"):
			p.replace(name, nil)
		}
	}
	p.disk.do("sync", "-f", p.disk.dir)
}

// cut runs something, cuts the power meanwhile, and looks at what is left.
func (p *power) cut() {
	run := runs[p.rng.IntN(len(runs))]
	args := run.prepare(p)
	m := p.runs[run.name]
	after := m.next(p.rng)
	flush := p.rng.IntN(4) == 0
	was := fmt.Sprintf("seed %d, %s on %s cut after %v (journal flushed: %v)", p.seed, run.name, p.disk.kind, after, flush)

	var out, said bytes.Buffer
	c := p.command(args...)
	c.Stdout, c.Stderr = &out, &said
	began := time.Now()
	must(p, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	var code int
	select {
	case err := <-ended: // and the power goes at once
		code = exitCode(p, err)
		m.took(time.Since(began))
		p.disk.cut(flush)
	case <-time.After(after):
		m.took(0)
		p.disk.cut(flush)
		stuck := time.AfterFunc(3*time.Minute, func() {
			p.Errorf("%s: it has not ended three minutes later", was)
			c.Process.Signal(unix.SIGQUIT) // and says where it is
		})
		if code = exitCode(p, <-ended); code != 0 {
			p.hit++
		}
		stuck.Stop()
	}
	if diedOfItsIndex(said.String()) {
		p.died++
	} else if code == 2 || strings.Contains(said.String(), "goroutine ") {
		p.Errorf("%s: exit code %d\n%s", was, code, &said)
	}
	p.enter(out.String())
	p.disk.again()
	p.look(run.name)
	if p.Failed() {
		p.Fatalf("%s: exit code %d\n%s%s", was, code, &said, &out)
	}
}

// diedOfItsIndex reports whether a run was ended by a page of the local index that its
// disk did not take, in one of Badger's own goroutines. Where nobody can catch it, it
// is to a run what a kill is: all is looked at as after one.
func diedOfItsIndex(said string) bool {
	_, stack, faulted := strings.Cut(said, "[signal SIGBUS")
	_, stack, _ = strings.Cut(stack, "[running]:")
	stack, _, _ = strings.Cut(stack, "\n\n")
	return faulted && strings.Contains(stack, "created by github.com/dgraph-io/badger") && !strings.Contains(stack, "chartkeep/")
}

// look wants what was acknowledged, a check that is red only for second copies
// that are still to come, and a next run that goes on and ends this.
func (p *power) look(run string) {
	if run == "repair" { // parity has it; what is still damaged is mended now
		p.holdsAll()
		p.ends(0, "repair", "packs")
		p.ends(0, "repair", "index")
	}
	p.onlyHalves(p.path("repo"))
	p.onlyHalves(p.path("disk", "copy"))
	p.holdsAll()
	if p.key != "" {
		slots, err := p.inside().Slots(p.Context())
		must(p, err)
		if !slices.ContainsFunc(slots, func(s repo.Slot) bool { return s.ID == p.key }) {
			p.Errorf("the key %s that was added is gone", p.key)
		}
	}
	p.nextNight()
	p.backsUp()
	p.ends(0, "copy", "--json", "--latest", "1", "--to", p.path("disk", "copy"))
	p.ends(0, "check")
}

// open opens a repository on the disk without the local index.
func (p *power) open(dir string) (*repo.Repository, func()) {
	p.Helper()
	st, err := local.New(dir)
	must(p, err)
	r, err := repo.Open(p.Context(), st, []byte(p.code), repo.Options{})
	if err != nil {
		st.Close()
		p.Fatalf("seed %d: %v", p.seed, err)
	}
	return r, func() { r.Close(); st.Close() }
}

func (p *power) onlyHalves(dir string) {
	p.Helper()
	r, done := p.open(dir)
	defer done()
	faults, missing, err := inspect(p.Context(), r)
	must(p, err)
	for _, f := range faults {
		if !errors.Is(f.Problem, fs.ErrNotExist) || !f.Mendable {
			p.Errorf("check: %s: %v", f.File, f.Problem)
		}
	}
	for _, m := range missing {
		p.Errorf("check: %v", m.Err)
	}
}

func (p *power) holdsAll() {
	p.Helper()
	p.holdsEach(p.path("repo"), p.saved)
	p.holdsEach(p.path("disk", "copy"), p.copied)
}

func (p *power) holdsEach(dir string, saved map[string]tree) {
	p.Helper()
	r, done := p.open(dir)
	defer done()
	for id, want := range saved {
		s, err := snapshot.Load(p.Context(), r, repo.DocumentID(id))
		if err != nil {
			p.Errorf("an acknowledged snapshot is lost: %v", err)
			continue
		}
		got, problems, err := back(p.Context(), r, s)
		must(p, err)
		if got = got.within(p.path("src")); len(problems) > 0 || len(differencesOf(want, got)) > 0 {
			p.Errorf("snapshot %.8s comes back with %d files of %d, or others; %v", id, len(got), len(want), problems)
		}
	}
}

// TestACacheOnADeadDiskHoldsNobodyUp has the disk of the local index die. The run
// does without it and ends.
func TestACacheOnADeadDiskHoldsNobodyUp(t *testing.T) {
	needsRoot(t)
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			needsKind(t, kind)
			f := newOffice(t, defaultParity)
			d := newDisk(t, kind, f.dir)
			st, err := local.New(f.path("repo"))
			must(t, err)
			defer st.Close()
			r, err := repo.Open(t.Context(), st, []byte(f.code), repo.Options{CacheDir: d.dir})
			must(t, err)
			backup(t, r, night(1))
			d.cut(false)
			letters := tree{} // so many that the index grows beyond the pages that it has written to
			for i := range 500 {
				letters[fmt.Sprint("letter", i)] = noise(byte(i), 300+i)
			}
			backup(t, r, letters)
			closed := make(chan error)
			go func() { closed <- r.Close() }()
			select {
			case err := <-closed:
				t.Logf("closed: %v", err)
			case <-time.After(20 * time.Second):
				t.Error("an index whose disk is gone is being closed for 20 seconds")
			}
			f.sound()
		})
	}
}
