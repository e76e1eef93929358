package proof_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"chartkeep/chunk"
	"chartkeep/gc"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/local"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

// A slow drive is a USB disk. The test's is as slow for each read, so that it shows
// as one, and takes less data.
const (
	slowSeek = 10 * time.Millisecond
	slowRate = 30e6 // bytes a second
)

// TestASlowDriveIsReadByOneAtATime runs every step on a simulated disk. In the long
// form it measures how near to the disk's limit each of them comes.
func TestASlowDriveIsReadByOneAtATime(t *testing.T) {
	megabytes := 24
	if *full {
		megabytes = 300
	}
	dir := t.TempDir()
	drive := storagetest.NewDrive(local.System(), slowSeek, slowRate)
	st, err := local.CreateOn(drive, dir+"/repository")
	must(t, err)
	r, err := repo.Init(t.Context(), st, []byte("a password"), repo.InitOptions{Parity: 3, KDF: crypt.MinKDF, Chunking: chunk.DefaultParams(chunk.Gear)}, repo.Options{CacheDir: dir + "/cache"})
	must(t, err)
	defer r.Close()
	first, second := images(megabytes)
	var s *snapshot.Snapshot
	onDrive(t, drive, "backup", func() { backup(t, r, first) })
	onDrive(t, drive, "next night", func() { s = backup(t, r, second) })
	onDrive(t, drive, "restore", func() {
		got, problems, err := back(t.Context(), r, s)
		must(t, err)
		if len(problems) > 0 || !maps.Equal(got, second) {
			t.Errorf("other files came back; problems: %v", problems)
		}
	})
	onDrive(t, drive, "check", func() {
		packs, err := allPacks(t.Context(), r)
		must(t, err)
		must(t, r.Check(t.Context(), repo.CheckOptions{ReadData: packs, Fault: func(f repo.Fault) { t.Error(f) }}))
	})
	onDrive(t, drive, "forget and prune", func() {
		all, _, err := snapshot.All(t.Context(), r)
		must(t, err)
		for _, old := range all {
			if old.ID != s.ID {
				must(t, r.RemoveDocument(t.Context(), repo.Snapshots, old.ID))
			}
		}
		plan, err := gc.PlanPrune(t.Context(), r, gc.PruneOptions{})
		must(t, err)
		must(t, plan.Run(t.Context(), time.Second))
	})
}

// onDrive runs a step. The first few reads may not know yet that the drive is slow.
func onDrive(t *testing.T, drive *storagetest.Drive, step string, do func()) {
	t.Helper()
	drive.Stats()
	start := time.Now()
	do()
	took, s := time.Since(start), drive.Stats()
	t.Logf("%s: %.1f s, the drive busy for %.1f s: %d MB read, %d MB written, %d seeks, %d readers at a time",
		step, took.Seconds(), s.Busy.Seconds(), s.Read/1e6, s.Written/1e6, s.Seeks, s.Together)
	if s.Together > 1 {
		t.Errorf("%s: %d readers at a time", step, s.Together)
	}
}

// images are two nights of files that do not compress; some go and some come.
func images(megabytes int) (first, second tree) {
	first = tree{}
	for i := range megabytes {
		first[fmt.Sprintf("srv/images/%03d.jpg", i)] = noise(byte(i+1), 1_000_000)
	}
	second = maps.Clone(first)
	for name := range first {
		if strings.HasSuffix(name, "3.jpg") {
			delete(second, name)
		}
	}
	second["srv/images/new.jpg"] = noise(0, 2_000_000)
	return first, second
}
