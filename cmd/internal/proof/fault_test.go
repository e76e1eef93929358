package proof_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

// A job is one run of the program. It returns an error when it reports one; when
// it does not, done says whether it did what it was for, on a store that works.
type job struct {
	name string
	run  func(ctx context.Context, r *repo.Repository) (done func(*repo.Repository) error, err error)
}

var jobs = []job{
	{"backup", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		s, err := save(ctx, r, night(5))
		return func(r *repo.Repository) error { return comesBack(ctx, r, s.ID, night(5)) }, err
	}},
	{"forget and prune", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		all, broken, err := snapshot.All(ctx, r)
		if err = errors.Join(append(broken, err)...); err != nil {
			return nil, err
		}
		if err = r.RemoveDocument(ctx, repo.Snapshots, all[0].ID); err == nil {
			err = prune(ctx, r)
		}
		return func(r *repo.Repository) error {
			if _, err := snapshot.Load(ctx, r, all[0].ID); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("the forgotten snapshot: %w", err)
			}
			return nil
		}, err
	}},
	{"forget, prune and take back", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		all, broken, err := snapshot.All(ctx, r)
		if err = errors.Join(append(broken, err)...); err != nil {
			return nil, err
		}
		first, week := all[0].ID, repo.Discard{Now: time.Now(), Until: time.Now().AddDate(0, 0, 7)}
		if err = r.Discard(ctx, []repo.DocumentID{first}, week, func(repo.DocumentID, bool) {}); err == nil {
			err = prune(ctx, r)
		}
		if err == nil {
			err = r.TakeBack(ctx, first)
		}
		return func(r *repo.Repository) error { // both nights are of the same moment
			if comesBack(ctx, r, first, night(2)) == nil {
				return nil
			}
			return comesBack(ctx, r, first, night(1))
		}, err
	}},
	{"another key", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		id, err := r.AddRecovery(ctx, crypt.NewRecoveryCode(), "")
		return func(r *repo.Repository) error {
			slots, err := r.Slots(ctx)
			for _, s := range slots {
				if s.ID == id {
					return err
				}
			}
			return fmt.Errorf("the new key is not there: %w", err)
		}, err
	}},
	{"restore", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		all, broken, err := snapshot.All(ctx, r)
		if err = errors.Join(append(broken, err)...); err != nil {
			return nil, err
		}
		got, problems, err := back(ctx, r, all[1])
		for _, p := range problems {
			err = errors.Join(err, p)
		}
		return func(*repo.Repository) error {
			if !maps.Equal(got, night(1)) && !maps.Equal(got, night(2)) {
				return errors.New("other files came back")
			}
			return nil
		}, err
	}},
	{"check", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		faults, missing, err := inspect(ctx, r)
		for _, f := range faults {
			err = errors.Join(err, f.Problem)
		}
		for _, m := range missing {
			err = errors.Join(err, m.Err)
		}
		return func(*repo.Repository) error { return nil }, err
	}},
	{"repair", func(ctx context.Context, r *repo.Repository) (func(*repo.Repository) error, error) {
		return func(*repo.Repository) error { return nil }, repair(ctx, r)
	}},
}

func comesBack(ctx context.Context, r *repo.Repository, id repo.DocumentID, want tree) error {
	s, err := snapshot.Load(ctx, r, id)
	if err != nil {
		return err
	}
	got, problems, err := back(ctx, r, s)
	if err == nil && !maps.Equal(got, want) {
		err = fmt.Errorf("snapshot %s comes back with %d files of %d: %v", id.Short(), len(got), len(want), problems)
	}
	return err
}

// TestNoFailureOfTheStoreIsReportedAsSuccess fails each call of each job, once
// and for good, and looks at what the job says and leaves.
func TestNoFailureOfTheStoreIsReportedAsSuccess(t *testing.T) {
	t.Parallel()
	base := newPatient(t, 3)
	for _, j := range jobs {
		t.Run(j.name, func(t *testing.T) {
			f := newFaults(t, base, j)
			for op, n := range f.calls() {
				for i := range n {
					f.fail(storagetest.Fault{Op: op, Skip: i, Err: syscall.EIO, Forever: i%2 == 0})
					if *full || op != storagetest.Open && op != storagetest.Read {
						f.fail(storagetest.Fault{Op: op, Skip: i, Err: syscall.EIO, Forever: i%2 != 0})
					}
					if op == storagetest.Put && (*full || i%2 == 1) {
						f.fail(storagetest.Fault{Op: op, Skip: i, Err: fmt.Errorf("%w: %w", storage.ErrNoSpace, syscall.ENOSPC), Forever: true})
					}
				}
			}
		})
	}
}

// faults runs one job with one fault after the other, each time on the same
// repository.
type faults struct {
	*testing.T
	base *patient
	job  job
}

func newFaults(t *testing.T, base *patient, j job) *faults { return &faults{t, base, j} }

// store is a new copy of the repository.
func (f *faults) store() *mem.Store {
	st := mem.New()
	for name, b := range f.base.whole {
		must(f, st.Put(f.Context(), name, b))
	}
	return st
}

// calls counts the job's calls when nothing fails.
func (f *faults) calls() map[storagetest.Op]int {
	rec := storagetest.NewRecorder(f.store())
	r, err := repo.Open(f.Context(), rec, f.base.code, repo.Options{})
	must(f, err)
	defer r.Close()
	rec.Reset()
	done, err := f.job.run(f.Context(), r)
	must(f, err)
	must(f, done(r))
	n := map[storagetest.Op]int{}
	for _, c := range rec.Calls() {
		n[c.Op]++
	}
	return n
}

func (f *faults) fail(fault storagetest.Fault) {
	st := storagetest.NewFaulty(f.store())
	r, err := repo.Open(f.Context(), st, f.base.code, repo.Options{})
	must(f, err)
	defer r.Close()
	st.Fail(fault)
	done, err := f.job.run(f.Context(), r)
	st.Heal()
	if err == nil && fault.Forever && f.job.name == "check" {
		f.Errorf("%s %d and all after it fail, and the check finds nothing", fault.Op, fault.Skip)
	}
	if failed := f.aftermath(st, done, err); failed != nil {
		f.Errorf("%s %d failing with %v (for good: %v; reported: %v): %v", fault.Op, fault.Skip, fault.Err, fault.Forever, err, failed)
	}
}

// aftermath looks at the repository when the store works again.
func (f *faults) aftermath(st storage.Store, done func(*repo.Repository) error, reported error) error {
	ctx := f.Context()
	r, err := repo.Open(ctx, st, f.base.code, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	if reported == nil {
		if err := done(r); err != nil {
			return fmt.Errorf("success was reported, and %w", err)
		}
	}
	if err := f.whole(ctx, r); err != nil {
		return err
	}
	s, err := save(ctx, r, night(9))
	if err == nil {
		err = prune(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("the next run: %w", err)
	}
	again, err := repo.Open(ctx, st, f.base.code, repo.Options{})
	if err != nil {
		return err
	}
	defer again.Close()
	if err := comesBack(ctx, again, s.ID, night(9)); err != nil {
		return fmt.Errorf("the next run: %w", err)
	}
	return f.whole(ctx, again)
}

// whole wants a clean check, but for one copy of two of what was being removed or
// had not been written to its end, and every snapshot that is there.
func (f *faults) whole(ctx context.Context, r *repo.Repository) error {
	faults, missing, err := inspect(ctx, r)
	if err != nil || len(missing) > 0 {
		return fmt.Errorf("check: %v %w", missing, err)
	}
	for _, x := range faults {
		unfinished := strings.HasPrefix(x.File, "copies/") || f.base.whole[x.File] == nil
		half := errors.Is(x.Problem, fs.ErrNotExist) && x.Mendable && unfinished
		if !half {
			return fmt.Errorf("check: %s: %w", x.File, x.Problem)
		}
	}
	all, broken, err := snapshot.All(ctx, r)
	if err != nil || len(broken) > 0 {
		return errors.Join(append(broken, err)...)
	}
	for _, s := range all {
		if want, known := f.base.saved[s.ID]; known {
			if err := comesBack(ctx, r, s.ID, want); err != nil {
				return err
			}
		}
	}
	if len(all) < len(f.base.saved)-1 {
		return fmt.Errorf("%d snapshots are left", len(all))
	}
	return nil
}
