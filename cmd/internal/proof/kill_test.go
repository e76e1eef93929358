package proof_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartkeep/snapshot"
)

// morning is what an office looks like: many small files, and some big ones that
// make packs while the run goes on. The seed makes it another office.
func morning(seed byte, files int) tree {
	t := tree{}
	for i := range files {
		t[fmt.Sprintf("images/%02d/p%05d.jpg", i%37, i)] = noise(seed, 500+i%4000) + fmt.Sprint(seed, i)
	}
	for i := range byte(6) {
		t[fmt.Sprintf("dumps/%d.sql", i)] = noise(seed+i, 8<<20)
	}
	return t
}

// holds wants a snapshot to give back a tree that was planted at dir.
func (f *office) holds(s *snapshot.Snapshot, dir string, want tree) {
	f.Helper()
	r, done := f.opened()
	defer done()
	got, problems, err := back(f.Context(), r, s)
	must(f, err)
	if got = got.within(dir); len(problems) > 0 || !maps.Equal(got, want) {
		f.Errorf("snapshot %s gives back %d files of %d, or others; %v", s.ID.Short(), len(got), len(want), problems)
	}
}

func (f *office) snapshots() []*snapshot.Snapshot {
	f.Helper()
	r, done := f.opened()
	defer done()
	all, broken, err := snapshot.All(f.Context(), r)
	must(f, err)
	for _, b := range broken {
		f.Error(b)
	}
	return all
}

// TestARunThatIsKilledAnywhereHarmsNothing kills backups at random moments, and
// asks others to stop, a day's changes apart. What was saved before stays, nothing
// has to be unlocked, and in the end everything is saved.
func TestARunThatIsKilledAnywhereHarmsNothing(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	before := day(0)
	before.plant(t, f.path("before"))
	f.exits(0, "backup", f.path("before"))

	office := day(1)
	office.plant(t, f.path("office"))
	moments, rng := newMoments(), rand.New(rand.NewPCG(uint64(os.Getpid()), 0))
	kills, hit := 10, 0
	if *full {
		kills = 4000
	}
	var last *snapshot.Snapshot // that was acknowledged
	var holds tree
	began := time.Now()
	for i := range kills {
		if !goesOn(began) {
			kills = i
			break
		}
		changes := changed(i)
		changes.plant(t, f.path("office"))
		maps.Copy(office, changes)
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM}[i%4]
		ended := !f.interrupt(moments.next(rng), moments, signal, "backup", f.path("office"))
		if !ended {
			hit++
		}
		f.exits(0, "check")
		all := f.snapshots()
		if ended {
			last, holds = all[len(all)-1], maps.Clone(office)
		}
		if ended || i%5 == 4 {
			f.holds(all[0], f.path("before"), before)
			if last != nil {
				f.holds(last, f.path("office"), holds)
			}
		}
		if *full && i%100 == 99 {
			fmt.Printf("%s: %d signals, %d of them ended a run\n", t.Name(), i+1, hit)
		}
		if i%50 == 49 { // so that it does not grow without end
			f.exits(0, "forget", "--keep-last", "10", "--prune")
		}
		if t.Failed() {
			return
		}
	}
	if hit < kills/3 {
		t.Errorf("of %d runs only %d were still going on when the signal came", kills, hit)
	}
	t.Logf("%d signals, %d of them ended a run", kills, hit)
	f.exits(0, "backup", f.path("office"))
	all := f.snapshots()
	f.holds(all[len(all)-1], f.path("office"), office)
	f.holds(all[0], f.path("before"), before)
	f.sound()
}

// day is a small office: many small files, and some dumps.
func day(n int) tree {
	t := tree{}
	for i := range 300 {
		t[fmt.Sprintf("images/%02d/p%05d.jpg", i%37, i)] = noise(byte(n), 500+i%4000) + fmt.Sprint(n, i)
	}
	for i := range 6 {
		t[fmt.Sprintf("dumps/%d.sql", i)] = noise(byte(n+i), 1<<20+i<<10)
	}
	return t
}

// changed is what becomes of an office until its next night: a third of its dumps,
// and some files.
func changed(n int) tree {
	t := tree{}
	for i := range 2 {
		t[fmt.Sprintf("dumps/%d.sql", (2*n+i)%6)] = noise(byte(n), 1<<20+i<<10) + fmt.Sprint(n)
	}
	for i := range 20 {
		t[fmt.Sprintf("images/%02d/p%05d.jpg", (20*n+i)%300%37, (20*n+i)%300)] = noise(byte(i), 2000) + fmt.Sprint(n, i)
	}
	return t
}

// starting is how much of a processor a program may take until it asks for signals,
// on a busy machine, where it can take any time of a clock.
const starting = 100 * time.Millisecond

// TestBackupsPrunesAndChecksAtTheSameTimeAreAllRight has two offices back up, while
// what they saved before is forgotten and pruned, and the repository is checked.
func TestBackupsPrunesAndChecksAtTheSameTimeAreAllRight(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	nights := 6
	if *full {
		nights = 60
	}
	offices := []tree{morning(3, 300), morning(3, 300)}
	var saving, others sync.WaitGroup
	for i, office := range offices {
		saving.Go(func() {
			dir := f.path("office", fmt.Sprint(i))
			for n := range nights {
				office["dumps/0.sql"] = noise(byte(2*n+i), 3<<20)
				office[fmt.Sprintf("new/%d", n)] = noise(byte(n), 50_000) // the same in both
				office.plant(t, dir)
				f.wants(0, "backup", dir)
			}
		})
	}
	done := make(chan struct{})
	for _, loop := range [][][]string{
		{{"forget", "--keep-last", "2", "--bin-days", "1"}, {"forget", "--keep-last", "1", "--prune"}},
		{{"forget", "--keep-last", "2", "--bin-days", "1"}, {"bin", "list"}},
		{{"check"}},
	} {
		others.Go(func() {
			for {
				for _, args := range loop {
					f.wants(0, args...)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	saving.Wait()
	close(done)
	others.Wait()
	for i := range offices {
		f.wants(0, "backup", f.path("office", fmt.Sprint(i)))
	}
	f.wants(0, "forget", "--keep-last", "1", "--bin-days", "1") // so that there is something to take back, whoever came last
	f.sound()
	f.takesAllBack()
	f.sound()
	all := f.snapshots()
	for i, office := range offices {
		dir := f.path("office", fmt.Sprint(i))
		f.holds(snapshot.Newest(all, func(s *snapshot.Snapshot) bool { return s.Paths[0] == dir }), dir, office)
	}
}

// takesAllBack empties the bin by taking back what is in it.
func (f *office) takesAllBack() {
	f.Helper()
	r, done := f.opened()
	defer done()
	all, _, broken, err := r.Discarded(f.Context())
	if must(f, err); len(broken) > 0 || len(all) == 0 {
		f.Errorf("%d snapshots are in the bin, and %d that cannot be read", len(all), len(broken))
	}
	for _, d := range all {
		must(f, r.TakeBack(f.Context(), d.Snapshot))
	}
}

// wants is exits for other goroutines than the test's. Who needs the repository
// alone stands in no queue: here, where one run follows the other, that takes time.
func (f *office) wants(code int, args ...string) {
	f.Helper()
	if o := f.run(append(args, "--lock-wait", "10m")...); o.code != code {
		f.Errorf("chartkeep %v: exit code %d, want %d\n%s%s", args, o.code, code, &o.stdout, &o.stderr)
	}
}

// TestAPruneThatIsKilledAnywhereHarmsNothing forgets and prunes, and is killed at
// it, night after night.
func TestAPruneThatIsKilledAnywhereHarmsNothing(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	dir := f.path("office")
	office := day(1)
	office.plant(t, dir)
	nights, hit := 8, 0
	if *full {
		nights = 1000
	}
	moments, rng, began := newMoments(), rand.New(rand.NewPCG(uint64(os.Getpid()), 1)), time.Now()
	for n := range nights {
		if !goesOn(began) {
			nights = n
			break
		}
		changes := changed(n)
		changes.plant(t, dir)
		maps.Copy(office, changes)
		f.exits(0, "backup", dir)
		if f.interrupt(moments.next(rng), moments, syscall.SIGKILL, "forget", "--keep-last", "2", "--prune") {
			hit++
		}
		f.exits(0, "check")
		all := f.snapshots()
		f.holds(all[len(all)-1], dir, office)
		if t.Failed() {
			return
		}
	}
	if hit < nights/3 {
		t.Errorf("of %d runs only %d were still going on when the signal came", nights, hit)
	}
	t.Logf("%d nights, %d of them killed", nights, hit)
	f.exits(0, "forget", "--keep-last", "1", "--prune")
	f.exits(0, "check", "--read-data")
	f.holds(f.snapshots()[0], dir, office)
	live, kept := 0, 0 // without the log, which keeps a record of every night
	for _, data := range office {
		live += len(data)
	}
	for name, b := range files(t, f.inside().Store()) {
		if strings.HasPrefix(name, "packs/") || strings.HasPrefix(name, "index/") {
			kept += len(b)
		}
	}
	if kept > live*5/4 {
		t.Errorf("for %d bytes that are needed %d are kept", live, kept)
	}
}

// interrupt starts the program and sends it a signal after some time, one of the
// moments. It reports whether the program was still running.
func (f *office) interrupt(after time.Duration, m *moments, signal syscall.Signal, args ...string) bool {
	f.Helper()
	c := f.command(args...)
	began := time.Now()
	must(f, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	var code int
	select {
	case err := <-ended:
		m.took(time.Since(began))
		code = exitCode(f, err)
	case <-time.After(after):
		m.took(0)
		c.Process.Signal(signal)
		code = exitCode(f, <-ended)
	}
	want := 130
	if signal == syscall.SIGKILL {
		want = -1
	}
	if code == -1 && c.ProcessState.UserTime()+c.ProcessState.SystemTime() < starting {
		return true // it had not come as far as to ask for signals
	}
	if code != want && code != 0 {
		f.Errorf("%v after %v: exit code %d, want %d", signal, after, code, want)
	}
	return code != 0
}

// TestTheNextRunTakesUpWhatAnInterruptedOneStored interrupts a backup when it has
// stored packs.
func TestTheNextRunTakesUpWhatAnInterruptedOneStored(t *testing.T) {
	f := newOffice(t, defaultParity)
	big := tree{}
	for i := range byte(10) {
		big[fmt.Sprintf("%d.jpg", i)] = noise(i, 20<<20)
	}
	big.plant(t, f.path("big"))
	c := f.command("backup", f.path("big"))
	must(t, c.Start())
	for i := 0; f.packs() < 2; i++ {
		if time.Sleep(time.Millisecond); i > 60_000 {
			t.Fatal("no pack is stored within a minute")
		}
	}
	must(t, c.Process.Signal(syscall.SIGTERM))
	if code := exitCode(t, c.Wait()); code != 130 {
		t.Fatalf("asked to stop, the program exits with %d", code)
	}
	s := f.exits(0, "backup", "--json", f.path("big")).summary(t)
	if reused := s.Bytes - s.DataAdded; reused < 50<<20 {
		t.Errorf("of %d bytes, of which two packs were stored, the next run stores %d", s.Bytes, s.DataAdded)
	}
	f.holds(f.snapshots()[0], f.path("big"), big)
	f.sound()
}

// packs counts the packs in the repository.
func (f *office) packs() (n int) {
	folders, _ := os.ReadDir(f.path("repo", "packs"))
	for _, d := range folders {
		files, _ := os.ReadDir(f.path("repo", "packs", d.Name()))
		n += len(files)
	}
	return n
}

// TestTwoBackupsAtTheSameTimeAreBothRight runs backups of trees that have much in
// common, on one repository and one cache, at the same time.
func TestTwoBackupsAtTheSameTimeAreBothRight(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	var trees []tree
	for i := range 3 {
		trees = append(trees, morning(3, 600))
		trees[i][fmt.Sprintf("own%d", i)] = noise(byte(100+i), 3<<20)
		trees[i].plant(t, f.path("office", fmt.Sprint(i)))
	}
	done := make(chan *outcome)
	for i := range trees {
		go func() { done <- f.run("backup", "--json", f.path("office", fmt.Sprint(i))) }()
	}
	for range trees {
		if o := <-done; o.code != 0 {
			t.Errorf("exit code %d\n%s", o.code, &o.stderr)
		}
	}
	all := f.snapshots()
	if len(all) != len(trees) {
		t.Fatalf("%d snapshots of %d", len(all), len(trees))
	}
	for _, s := range all {
		i := int(s.Paths[0][len(s.Paths[0])-1] - '0')
		f.holds(s, s.Paths[0], trees[i])
	}
	f.sound()
	f.exits(0, "backup", f.path("office"))
	f.sound()
}
