package local_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/repo/storage/storagetest"
)

var errDrive = errors.New("the drive says no")

func isSync(op storagetest.FSOp) bool { return op == storagetest.FSSync || op == storagetest.FSSyncDir }

// failAt runs the script with the n-th operation that fits failing, and checks
// it at the end and after a power cut then. It reports whether there was one.
func failAt(t *testing.T, n int, fits func(storagetest.FSOp) bool, seen func(op storagetest.FSOp, path string)) bool {
	t.Helper()
	crash := storagetest.NewCrash()
	failed := ""
	crash.FS.Before = func(op storagetest.FSOp, path string) error {
		seen(op, path)
		if !fits(op) {
			return nil
		}
		if n--; n != -1 {
			return nil
		}
		failed = fmt.Sprint(op, " ", path)
		return errDrive
	}
	l := ledger{}
	l.script(t, crash.Store)
	for i := range 10 {
		if err := l.audit(t, crash.Clone(rand.New(rand.NewPCG(uint64(n), uint64(i))))); err != nil {
			t.Errorf("after the failure of %s, and a power cut: %v", failed, err)
		}
	}
	return failed != ""
}

func TestAFailedSyncLosesNothingThatWasPut(t *testing.T) {
	n := 0
	for {
		synced := map[string]int{}
		more := failAt(t, n, isSync, func(op storagetest.FSOp, path string) {
			if op == storagetest.FSSync {
				synced[path]++
			}
		})
		for path, times := range synced {
			if times > 1 {
				t.Errorf("%s is synced %d times", path, times)
			}
		}
		if !more {
			break
		}
		n++
	}
	if n < 20 {
		t.Errorf("only %d syncs in the script", n)
	}
}

func TestAFailedOperationLosesNothingThatWasPut(t *testing.T) {
	n := 0
	for failAt(t, n, func(storagetest.FSOp) bool { return true }, func(storagetest.FSOp, string) {}) {
		n++
	}
	if n < 70 {
		t.Errorf("only %d operations in the script", n)
	}
}

func TestAFileWhoseSyncFailsIsWrittenAnewOnce(t *testing.T) {
	for _, c := range []struct {
		failures int
		syncs    int
		ok       bool
	}{{0, 1, true}, {1, 2, true}, {2, 2, false}, {9, 2, false}} {
		crash := storagetest.NewCrash()
		var synced []string
		crash.FS.Before = func(op storagetest.FSOp, path string) error {
			if op != storagetest.FSSync {
				return nil
			}
			synced = append(synced, path)
			if len(synced) <= c.failures {
				return errDrive
			}
			return nil
		}
		err := crash.Put(t.Context(), "config", []byte("content"))
		if (err == nil) != c.ok || !c.ok && !errors.Is(err, errDrive) {
			t.Errorf("after %d failures the error is %v", c.failures, err)
		}
		if len(synced) != c.syncs || len(slices.Compact(slices.Sorted(slices.Values(synced)))) != c.syncs {
			t.Errorf("after %d failures these were synced: %q", c.failures, synced)
		}
		if _, err := crash.Open(t.Context(), "config"); (err == nil) != c.ok || !c.ok && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after %d failures opening gives %v", c.failures, err)
		}
		if err := crash.Close(); err != nil {
			t.Errorf("a temporary file is left: %v", err)
		}
	}
}

// The failure of one folder's sync must not pass by a neighbour in it, whose own
// sync then succeeds for want of anything left to write.
func TestAFailedSyncIsNotForgottenForAnotherFileInTheFolder(t *testing.T) {
	crash := storagetest.NewCrash()
	check(t, crash.Put(t.Context(), "packs/ab/0"))
	other := make(chan error, 1)
	renamed := make(chan struct{}, 10)
	failed := false
	crash.FS.Before = func(op storagetest.FSOp, path string) error {
		switch {
		case op == storagetest.FSRenameNew && strings.HasSuffix(path, "b"):
			defer close(renamed)
		case op == storagetest.FSSyncDir && !failed:
			failed = true
			go func() { other <- crash.Put(t.Context(), "packs/ab/b", []byte("b")) }()
			select {
			case <-renamed:
			case <-time.After(100 * time.Millisecond): // the other waits for this one
			}
			time.Sleep(10 * time.Millisecond)
			return errDrive
		case op == storagetest.FSSyncDir:
			time.Sleep(30 * time.Millisecond) // until the failure has happened
		}
		return nil
	}
	check(t, crash.Put(t.Context(), "packs/ab/a", []byte("a")))
	if !failed {
		t.Fatal("no folder was synced")
	}
	check(t, <-other)
	survives(t, crash.FS, ".", "packs/ab/a", "a")
	survives(t, crash.FS, ".", "packs/ab/b", "b")
}
