package restore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot/restore"
	"chartkeep/sources"
)

// noise is content that takes the room it has.
func noise(seed byte, n int) string {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{seed})
	rng.Read(b)
	return string(b)
}

func TestWhatIsRestoredAndWhereItLies(t *testing.T) {
	k := newKit(t, repotest.Options{})
	large := noise(1, 3<<20)
	k.write(k.src, "a", "1", "d/b", "22", "d/e/c", large, "d/empty", "", "d/none/", "")
	k.save()
	sum := k.restore(restore.Options{})
	k.holds(k.out, "a", "1", "d/", "", "d/b", "22", "d/e/", "", "d/e/c", large, "d/empty", "", "d/none/", "")
	if sum.Files != 4 || sum.Bytes != int64(3+len(large)) || sum.Errors+sum.Skipped+sum.Deleted != 0 {
		t.Errorf("the summary is %+v", sum)
	}
	k.out = t.TempDir()
	k.restore(restore.Options{}, "d")
	k.holds(k.out, "b", "22", "e/", "", "e/c", large, "empty", "", "none/", "")
	k.out = t.TempDir()
	k.restore(restore.Options{}, "d/b")
	k.holds(k.out, "b", "22")
}

// TestOverwritePolicies restores over a file that is older and changed, one that
// is newer and changed, one that is the same, and one that is missing.
func TestOverwritePolicies(t *testing.T) {
	day := 24 * time.Hour
	then := time.Unix(1_600_000_000, 5)
	for policy, want := range map[restore.Overwrite]string{
		restore.Always:    "saved saved saved saved",
		restore.IfChanged: "saved saved kept saved",
		restore.IfNewer:   "saved newer kept saved",
		restore.Never:     "older newer kept saved",
	} {
		k := newKit(t, repotest.Options{})
		for i, name := range []string{"1", "2", "3", "4"} {
			k.write(k.src, name, "saved")
			must(t, os.Chtimes(filepath.Join(k.src, name), then, then))
			if i < 3 {
				is := []string{"older", "newer", "kept"}[i]
				k.write(k.out, name, is+strings.Repeat(" ", 5-len(is)))
				at := []time.Time{then.Add(-day), then.Add(day), then}[i]
				must(t, os.Chtimes(filepath.Join(k.out, name), at, at))
			}
		}
		k.save()
		sum := k.restore(restore.Options{Overwrite: policy})
		var got []string
		for _, name := range []string{"1", "2", "3", "4"} {
			b, err := os.ReadFile(filepath.Join(k.out, name))
			must(t, err)
			got = append(got, strings.TrimSpace(string(b)))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%v: %s, want %s", policy, s, want)
		}
		if sum.Files+sum.Skipped != 4 || int(sum.Skipped) != 4-strings.Count(want, "saved") {
			t.Errorf("%v: the summary is %+v", policy, sum)
		}
	}
}

func TestDeleteRemovesWhatTheSnapshotDoesNotHold(t *testing.T) {
	k := newKit(t, repotest.Options{})
	k.write(k.src, "a", "1", "d/b", "2")
	k.save()
	k.write(k.out, "a", "other", "d/c/x", "3", "more/y", "4", "keep.log", "5")
	notLogs := func(p string, _ bool) (bool, bool) { return !strings.HasSuffix(p, ".log"), true }
	sum := k.restore(restore.Options{Delete: true, DryRun: true, Select: notLogs})
	k.holds(k.out, "a", "other", "d/", "", "d/c/", "", "d/c/x", "3", "more/", "", "more/y", "4", "keep.log", "5")
	if sum.Deleted != 2 || sum.Files != 2 {
		t.Errorf("a dry run says %+v, %v", sum, k.items)
	}
	k.restore(restore.Options{Delete: true, Select: notLogs})
	k.holds(k.out, "a", "1", "d/", "", "d/b", "2", "keep.log", "5")
}

// linked reports whether two files of out are one.
func (k *kit) linked(a, b string) bool {
	k.Helper()
	x, err := os.Stat(filepath.Join(k.out, a))
	must(k, err)
	y, err := os.Stat(filepath.Join(k.out, b))
	must(k, err)
	return os.SameFile(x, y)
}

func TestNamesOfOneFileComeBackAsOne(t *testing.T) {
	k := newKit(t, repotest.Options{})
	k.write(k.src, "a/one", noise(1, 500_000), "b/", "", "alone", "x")
	must(t, os.Link(k.src+"/a/one", k.src+"/b/two"))
	must(t, os.Link(k.src+"/a/one", k.src+"/b/three"))
	k.save()
	sum := k.restore(restore.Options{})
	if !k.linked("a/one", "b/two") || !k.linked("b/two", "b/three") || k.linked("a/one", "alone") {
		t.Error("what was one file is not")
	}
	if sum.Bytes != 500_001 || sum.Files != 4 {
		t.Errorf("the summary is %+v", sum)
	}

	// The first name is not restored, or is there already.
	k.out = t.TempDir()
	k.restore(restore.Options{Select: func(p string, dir bool) (bool, bool) { return strings.HasPrefix(p, "b"), true }})
	if !k.linked("b/two", "b/three") {
		t.Error("without the first name the others are two files")
	}
	k.out = t.TempDir()
	k.restore(restore.Options{})
	must(t, os.Remove(k.out+"/b/two"))
	k.restore(restore.Options{Overwrite: restore.IfChanged})
	if !k.linked("a/one", "b/two") {
		t.Error("a name that was missing comes back as a file of its own")
	}
	k.write(k.out, "a/one", "something else")
	must(t, os.Remove(k.out+"/b/two"))
	k.restore(restore.Options{Overwrite: restore.Never})
	if k.linked("a/one", "b/two") {
		t.Error("a name becomes a link to something else that was to be kept")
	}
}

// room is a sink with so much free.
type room struct {
	restore.Folder
	free uint64
}

func (r room) Free() (uint64, bool) { return r.free, true }

// roomy restores to a sink with so much room.
func (k *kit) roomy(free uint64, o restore.Options) error {
	k.Helper()
	_, err := restore.Run(k.Context(), k.r, k.root, room{restore.NewFolder(k.target()), free}, o)
	return err
}

func TestHolesOfALongListNeedNoRoom(t *testing.T) {
	k := newKit(t, repotest.Options{})
	var rows strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&rows, "row %d %d\n", i, i*i)
	}
	k.write(k.src, "disk", rows.String())
	must(t, os.Truncate(k.src+"/disk", 1<<30))
	k.save()
	size := uint64(rows.Len())
	if err := k.roomy(size/2, restore.Options{}); !errors.Is(err, restore.ErrSpace) {
		t.Errorf("with half the room: %v", err)
	}
	must(t, k.roomy(2*size, restore.Options{}))
}

func TestNothingIsWrittenWhereThereIsNotRoomForAll(t *testing.T) {
	k := newKit(t, repotest.Options{})
	k.write(k.src, "a", noise(1, 60_000), "b", noise(2, 50_000))
	must(t, os.Link(k.src+"/a", k.src+"/a too"))
	sparse, err := os.Create(k.src + "/sparse")
	must(t, err)
	must(t, sparse.Truncate(1<<30))
	must(t, sparse.Close())
	k.save()
	if err := k.roomy(109_999, restore.Options{}); !errors.Is(err, restore.ErrSpace) {
		t.Errorf("without enough room: %v", err)
	}
	k.holds(k.out)
	must(t, k.roomy(110_000, restore.Options{}))
	must(t, os.Remove(k.out+"/b"))
	must(t, k.roomy(50_000, restore.Options{Overwrite: restore.IfChanged})) // the rest is there
}

// TestAPackThatCannotBeReadCostsOnlyWhatIsInIt lets the store fail on one pack.
func TestAPackThatCannotBeReadCostsOnlyWhatIsInIt(t *testing.T) {
	st := storagetest.NewFaulty(mem.New())
	k := newKit(t, repotest.Options{Store: st})
	k.write(k.src, "first/a", noise(1, 1<<20), "first/b", noise(2, 50_000))
	k.save()
	k.write(k.src, "second/c", noise(3, 1<<20), "second/d", "dd", "second/e", noise(4, 40_000))
	k.save()
	fresh := func() { k.r = repotest.Reopen(t, k.r, repo.Options{}) } // nothing in memory
	name := k.lastPack()
	for _, op := range []storagetest.Op{storagetest.Open, storagetest.Read} {
		k.out = t.TempDir()
		fresh()
		st.Fail(storagetest.Fault{Op: op, Name: name, Forever: true})
		sum := k.restore(restore.Options{})
		st.Heal()
		k.holds(k.out, "first/", "", "first/a", noise(1, 1<<20), "first/b", noise(2, 50_000), "second/", "")
		if sum.Errors != 3 || k.problems["second/c"] == nil || k.problems["second/d"] == nil || k.problems["second/e"] == nil {
			t.Errorf("with a pack whose %s fails: %+v, %v", op, sum, k.problems)
		}
	}
	st.Fail(storagetest.Fault{Op: storagetest.Open, Name: name, Forever: true, Err: storage.Absent(errors.New("pulled"))})
	k.out = t.TempDir()
	fresh()
	if _, err := k.try(restore.Options{}); !errors.Is(err, storage.ErrAbsent) {
		t.Errorf("on a drive that was pulled the restore goes on: %v", err)
	}
	st.Heal()
}

// lastPack names the data pack that the last save made.
func (k *kit) lastPack() string {
	k.Helper()
	ix, err := k.r.Index(k.Context())
	must(k, err)
	var last index.PackInfo
	for info, err := range ix.Packs() {
		must(k, err)
		if info.Class == index.Data {
			last = info
		}
	}
	return "packs/" + last.ID.String()[:2] + "/" + last.ID.String()
}

func TestVerifyNamesEveryFileThatIsNotAsItWasSaved(t *testing.T) {
	k := newKit(t, repotest.Options{})
	k.write(k.src, "same", noise(1, 100_000), "changed", noise(2, 100_000), "longer", "x", "shorter", noise(3, 100_000), "gone", "y", "d/empty", "")
	must(t, os.Truncate(k.src+"/longer", 50<<20)) // and a hole
	k.save()
	k.restore(restore.Options{})
	if n, problems := k.verify(); n != 6 || len(problems) > 0 {
		t.Fatalf("of what was just restored %d files are compared, and differ: %v", n, problems)
	}
	f, err := os.OpenFile(k.out+"/changed", os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt([]byte{^noise(2, 100_000)[77_777]}, 77_777)
	must(t, errors.Join(err, f.Close()))
	must(t, os.Truncate(k.out+"/shorter", 99_999))
	must(t, os.Truncate(k.out+"/longer", 50<<20+1))
	must(t, os.Remove(k.out+"/gone"))
	_, problems := k.verify()
	for _, name := range []string{"changed", "shorter", "longer", "gone"} {
		if problems[name] == nil {
			t.Errorf("%s is not what was saved, and verify does not say so", name)
		}
		delete(problems, name)
	}
	if len(problems) > 0 {
		t.Errorf("verify complains of %v", problems)
	}
	f, err = os.OpenFile(k.out+"/longer", os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("data in a hole"), 20<<20)
	must(t, errors.Join(err, f.Truncate(50<<20), f.Close()))
	if _, problems := k.verify(); problems["longer"] == nil {
		t.Error("data where there was a hole is not noticed")
	}
}

func TestRunsOfZerosBecomeHolesWhenAsked(t *testing.T) {
	k := newKit(t, repotest.Options{})
	k.write(k.src, "zeros", strings.Repeat("\x00", 8<<20)+"end")
	k.save()
	k.restore(restore.Options{Sparse: true})
	if full := allocated(t, k.out+"/zeros"); full > 1<<20 {
		t.Errorf("8 MiB of zeros take %d bytes", full)
	}
	k.holds(k.out, "zeros", strings.Repeat("\x00", 8<<20)+"end")
	k.restore(restore.Options{})
	if full := allocated(t, k.out+"/zeros"); full < 8<<20 {
		t.Errorf("8 MiB of zeros that were no hole take %d bytes", full)
	}
	k.holds(k.out, "zeros", strings.Repeat("\x00", 8<<20)+"end")
}

func TestACancelledRestoreEndsAndSaysSo(t *testing.T) {
	k := newKit(t, repotest.Options{})
	for i := range 300 {
		k.write(k.src, fmt.Sprint("d", i%7, "/", i), noise(byte(i), 10_000)+fmt.Sprint(i))
	}
	k.save()
	ctx, cancel := context.WithCancel(t.Context())
	sink := &stopping{Folder: restore.NewFolder(k.target()), stop: cancel}
	if _, err := restore.Run(ctx, k.r, k.root, sink, restore.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled restore returns %v", err)
	}
}

// stopping is a sink that ends the run when it has taken some files.
type stopping struct {
	restore.Folder
	taken atomic.Int64
	stop  func()
}

func (s *stopping) WriteFile(p string, data []byte, m sources.Meta, a []sources.Attribute) error {
	if s.taken.Add(1) == 5 {
		s.stop()
	}
	return s.Folder.WriteFile(p, data, m, a)
}

// TestAFailingSinkCostsOnlyTheFileItFailsOn has the sink refuse one file of many
// pieces and one of one.
func TestAFailingSinkCostsOnlyTheFileItFailsOn(t *testing.T) {
	k := newKit(t, repotest.Options{})
	k.write(k.src, "a", "1", "b", noise(1, 2<<20), "c", noise(2, 2<<20), "d", "4")
	k.save()
	var named []string
	o := restore.Options{Problem: func(p string, err error) { named = append(named, p) }}
	sum, err := restore.Run(t.Context(), k.r, k.root, refusing{restore.NewFolder(k.target())}, o)
	must(t, err)
	slices.Sort(named)
	if fmt.Sprint(named) != "[a b]" || sum.Errors != 2 || sum.Files != 2 {
		t.Errorf("%v are named, the summary is %+v", named, sum)
	}
	k.holds(k.out, "c", noise(2, 2<<20), "d", "4")
}

type refusing struct{ restore.Folder }

var errRefused = errors.New("refused")

func (r refusing) WriteFile(p string, data []byte, m sources.Meta, a []sources.Attribute) error {
	if p == "a" {
		return errRefused
	}
	return r.Folder.WriteFile(p, data, m, a)
}

func (r refusing) Create(p string, size int64, sparse bool) (restore.File, error) {
	f, err := r.Folder.Create(p, size, sparse)
	if p == "b" && err == nil {
		f = &full{File: f}
	}
	return f, err
}

// full is a file on a drive that fills up.
type full struct {
	restore.File
	writes int
}

func (f *full) WriteAt(p []byte, off int64) (int, error) {
	if f.writes++; f.writes > 2 {
		return 0, errRefused
	}
	return f.File.WriteAt(p, off)
}
