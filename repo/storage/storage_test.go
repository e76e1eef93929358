package storage_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
)

func TestNamesOfARepositoryAreValid(t *testing.T) {
	for _, name := range []string{
		"config", "RESTORE.txt", "reserve", "packs/3f/" + strings.Repeat("3f", 32), "copies/keys/0a", "a.b_c-d/E", "tmpx", "a/tmp", "a/lock",
	} {
		if err := storage.CheckName(name); err != nil {
			t.Error(err)
		}
	}
	if err := storage.CheckFolder(""); err != nil {
		t.Error(err)
	}
}

func TestReservedNamesAreInvalidInAnyCase(t *testing.T) {
	for _, name := range []string{"tmp", "TMP/a", "Lock", "lock/a"} {
		if err := storage.CheckName(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzCheckName holds that no valid name leads out of a store's folder.
func FuzzCheckName(f *testing.F) {
	for _, name := range []string{"a", "a/b", "../a", "a/..", "/a", "C:/a", "a\x00", "a//b", strings.Repeat("a", 2000)} {
		f.Add(name)
	}
	root, err := os.OpenRoot(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if storage.CheckName(name) != nil {
			return
		}
		if !fs.ValidPath(name) || strings.ContainsAny(name, `\:`) {
			t.Fatalf("%q is valid", name)
		}
		if _, err := root.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%q: %v", name, err)
		}
	})
}

func TestAnAbsentStoreIsNotAMissingFile(t *testing.T) {
	err := storage.Absent(fs.ErrNotExist)
	if !errors.Is(err, storage.ErrAbsent) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func TestReadAllTakesNoShortRead(t *testing.T) {
	st := storagetest.NewFaulty(mem.New())
	if err := st.Put(t.Context(), "f", make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	st.Spoil(storagetest.Damage{Name: "f", Offset: 50})
	if _, err := storage.ReadAll(t.Context(), st, "f", 100); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that ends early gives %v", err)
	}
	st.Heal()
	st.Fail(storagetest.Fault{Op: storagetest.Read, Err: syscall.EIO})
	if _, err := storage.ReadAll(t.Context(), st, "f", 100); !errors.Is(err, syscall.EIO) {
		t.Errorf("a failing read gives %v", err)
	}
	if b, err := storage.ReadAll(t.Context(), st, "f", 100); err != nil || len(b) != 100 {
		t.Errorf("after it %d bytes, %v", len(b), err)
	}
}

// bare is a store without any optional interface.
type bare struct{ storage.Store }

func TestAStoreWithoutAnInterfaceIsUnsupported(t *testing.T) {
	st := bare{mem.New()}
	_, err := storage.Lock(t.Context(), st, storage.Shared, 0)
	_, _, err2 := storage.FreeSpace(t.Context(), st)
	err3 := storage.Replace(t.Context(), st, "f")
	for _, err := range []error{err, err2, err3} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("error is %v", err)
		}
	}
	n, err := storage.CleanTemp(t.Context(), st, 0)
	if n != 0 || err != nil || storage.Close(st) != nil {
		t.Errorf("cleaning %d, %v", n, err)
	}
}

func TestAwaitLock(t *testing.T) {
	held := io.NopCloser(nil)
	for _, c := range []struct {
		name   string
		wait   time.Duration
		free   time.Duration // when the lock becomes free
		cancel time.Duration
		took   time.Duration // at most a pause more
		want   error
	}{
		{"is had at once", 0, 0, time.Hour, 0, nil},
		{"is not waited for", 0, time.Second, time.Hour, 0, storage.ErrLocked},
		{"is waited for", time.Minute, 10 * time.Second, time.Hour, 10 * time.Second, nil},
		{"is waited for in vain", time.Minute, time.Hour, time.Hour, time.Minute, storage.ErrLocked},
		{"is waited for without end", -1, 50 * time.Minute, time.Hour, 50 * time.Minute, nil},
		{"is waited for until cancelled", -1, 2 * time.Hour, time.Hour, time.Hour, context.DeadlineExceeded},
		{"is waited for until cancelled early", time.Hour, 2 * time.Hour, time.Minute, time.Minute, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.cancel)
				defer cancel()
				begin := time.Now()
				got, err := storage.AwaitLock(ctx, c.wait, func() (io.Closer, error) {
					if time.Since(begin) < c.free {
						return nil, storage.ErrLocked
					}
					return held, nil
				})
				if !errors.Is(err, c.want) || (got == nil) != (c.want != nil) {
					t.Errorf("got %v, %v, want %v", got, err, c.want)
				}
				if took := time.Since(begin); took < c.took || took > c.took+250*time.Millisecond {
					t.Errorf("took %v, want %v", took, c.took)
				}
			})
		})
	}
}

func TestAwaitLockPassesOtherErrorsOn(t *testing.T) {
	_, err := storage.AwaitLock(t.Context(), time.Hour, func() (io.Closer, error) { return nil, syscall.EIO })
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("error is %v", err)
	}
}
