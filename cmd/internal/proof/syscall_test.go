package proof_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/storage/local"
	"chartkeep/repo/storage/storagetest"
)

// call is a system call that can fail.
type call string

const (
	callOpen    call = "open"
	callRead    call = "read"
	callReadDir call = "readdir"
	callStat    call = "stat"
)

// failing is a file system of which one call fails, once or from then on, and
// that sees to it that no file is synced again after a sync of it failed.
type failing struct {
	*storagetest.CrashFS

	mu      sync.Mutex
	calls   map[call]int
	op      call  // that fails,
	at      int   // after so many
	err     error // with this
	forever bool
	short   bool            // a write that fails has written half
	bad     map[string]bool // files a sync of which failed
	again   []string        // those that were synced again
}

func newFailing(fsys *storagetest.CrashFS) *failing {
	f := &failing{CrashFS: fsys, calls: map[call]int{}, bad: map[string]bool{}}
	fsys.Before = func(op storagetest.FSOp, path string) error { return f.call(call(op), path) }
	return f
}

func (f *failing) call(op call, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if op == call(storagetest.FSSync) && f.bad[path] {
		f.again = append(f.again, path)
	}
	n := f.calls[op]
	f.calls[op]++
	if op != f.op || n < f.at || n > f.at && !f.forever {
		switch op {
		case call(storagetest.FSCreate), call(storagetest.FSRemove): // the name is another file's
			delete(f.bad, path)
		}
		return nil
	}
	if op == call(storagetest.FSSync) {
		f.bad[path] = true
	}
	return &fs.PathError{Op: string(op), Path: path, Err: f.err}
}

// heal lets all calls succeed from now on.
func (f *failing) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.op = ""
}

func (f *failing) Create(path string) (local.File, error) {
	file, err := f.CrashFS.Create(path)
	if err != nil {
		return nil, err
	}
	return &failingFile{file, f, path}, nil
}

func (f *failing) Open(path string) (local.File, error) {
	if err := f.call(callOpen, path); err != nil {
		return nil, err
	}
	file, err := f.CrashFS.Open(path)
	if err != nil {
		return nil, err
	}
	return &failingFile{file, f, path}, nil
}

func (f *failing) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := f.call(callReadDir, path); err != nil {
		return nil, err
	}
	return f.CrashFS.ReadDir(path)
}

func (f *failing) Stat(path string) (fs.FileInfo, error) {
	if err := f.call(callStat, path); err != nil {
		return nil, err
	}
	return f.CrashFS.Stat(path)
}

type failingFile struct {
	local.File
	fsys *failing
	path string
}

func (f *failingFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fsys.call(callRead, f.path); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Write leaves half of it in the file when it fails short, as a full drive does.
func (f *failingFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if err == nil || !f.fsys.short {
		return n, err
	}
	f.fsys.mu.Lock()
	was := f.fsys.op
	f.fsys.op = ""
	f.fsys.mu.Unlock()
	n, _ = f.File.Write(p[:len(p)/2])
	f.fsys.mu.Lock()
	f.fsys.op = was
	f.fsys.mu.Unlock()
	return n, err
}

// fsErrors are what a failing drive says.
var fsErrors = []error{syscall.EIO, syscall.ENOSPC, syscall.EROFS}

// TestNoFailureOfTheFileSystemIsReportedAsSuccess fails each call that a job makes
// of its file system, with each error, once and for good.
func TestNoFailureOfTheFileSystemIsReportedAsSuccess(t *testing.T) {
	t.Parallel()
	base := newPatient(t, 3)
	var table []string
	for _, j := range append(slices.Clone(jobs), laterJobs...) {
		t.Run(j.name, func(t *testing.T) {
			f := &callFaults{newFaults(t, base, j), map[call]int{}, 0, 0}
			f.all()
			line := fmt.Sprintf("%-28s", j.name)
			for _, op := range slices.Sorted(maps.Keys(f.counts)) {
				line += fmt.Sprintf(" %s %d", op, f.counts[op])
			}
			table = append(table, fmt.Sprintf("%s: %d failures, %d of them reported", line, f.tried, f.said))
		})
	}
	t.Logf("calls that a job makes, and how many were failed:\n%s", strings.Join(table, "\n"))
}

// laterJobs write what the first ones do not.
var laterJobs = []job{
	{"record", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		w, err := r.NewWriter(ctx, repo.WriterOptions{Concurrency: 1})
		if err != nil {
			return nil, err
		}
		defer w.Abort()
		err = errors.Join(w.Log(ctx, repo.Record{Kind: repo.RecordRun, Host: "proof"}), w.Flush())
		return func(r *repo.Repository) error {
			records, broken, err := r.Records(ctx, 0)
			if len(records) != 1 {
				return errors.Join(append(broken, err, errors.New("the record is not there"))...)
			}
			return err
		}, err
	}},
	{"reserve", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		err := r.KeepReserve(ctx)
		return func(r *repo.Repository) error {
			f, err := r.Store().Open(ctx, "reserve")
			if err != nil {
				return err
			}
			return f.(io.Closer).Close()
		}, err
	}},
}

// callFaults runs one job, each time with another call that fails.
type callFaults struct {
	*faults
	counts      map[call]int
	tried, said int
}

func (f *callFaults) all() {
	f.try("", 0, nil, false, false)
	k := 0
	for _, op := range slices.Sorted(maps.Keys(f.counts)) {
		for at := range f.counts[op] {
			for i, err := range fsErrors {
				for _, forever := range []bool{false, true} {
					if k++; !*full && k%sampled(op) != 0 || f.Failed() {
						continue
					}
					f.try(op, at, err, forever, op == call(storagetest.FSWrite) && (i+k)%2 == 0)
				}
			}
		}
	}
}

// sampled says which share of the failures the short form tries. Most calls look.
func sampled(op call) int {
	if op == callOpen || op == callRead || op == callReadDir || op == callStat {
		return 97
	}
	return 19
}

// try runs the job with one failure.
func (f *callFaults) try(op call, at int, fault error, forever, short bool) {
	st := storagetest.NewCrash()
	for name, b := range f.base.whole {
		must(f, st.Put(f.Context(), name, b))
	}
	fsys := newFailing(st.FS)
	on, err := local.NewOn(fsys, ".")
	must(f, err)
	r, err := repo.Open(f.Context(), on, f.base.code, repo.Options{})
	must(f, err)
	defer r.Close()
	fsys.mu.Lock()
	fsys.calls = map[call]int{}
	fsys.op, fsys.at, fsys.err, fsys.forever, fsys.short = op, at, fault, forever, short
	fsys.mu.Unlock()
	done, reported := f.job.run(f.Context(), r)
	fsys.heal()
	if op == "" {
		must(f, errors.Join(reported, done(r)))
		f.counts = maps.Clone(fsys.calls)
		return
	}
	f.tried++
	if reported != nil {
		f.said++
	}
	if len(fsys.again) > 0 {
		f.Errorf("synced again after a failed sync: %v", fsys.again)
	}
	if failed := f.aftermath(st, done, reported); failed != nil {
		f.Errorf("%s %d failing with %v (for good: %v, short: %v; reported: %v): %v", op, at, fault, forever, short, reported, failed)
	}
}
