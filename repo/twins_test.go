package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
)

// document stores a document and returns its ID.
func document(t *testing.T, r *repo.Repository) (repo.DocumentID, error) {
	t.Helper()
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	must(t, err)
	defer w.Abort()
	return w.PutDocument(t.Context(), repo.Checks, []byte("hello"))
}

func stored(t *testing.T, st storage.Store, folder string) (names []string) {
	t.Helper()
	for info, err := range st.List(t.Context(), folder) {
		must(t, err)
		names = append(names, info.Name)
	}
	return names
}

func TestHalfOfWhatFailedIsTakenBack(t *testing.T) {
	st := storagetest.NewFaulty(mem.New())
	r := repotest.New(t, repotest.Options{Store: st})
	st.Fail(storagetest.Fault{Op: storagetest.Put, Name: "checks/*"})
	if _, err := document(t, r); err == nil {
		t.Error("a document of which one copy could not be stored counts as stored")
	}
	if left := stored(t, st, "copies/checks"); len(left) > 0 {
		t.Errorf("%v are left of what failed", left)
	}
}

func TestHalfOfWhatFailedIsTakenBackEvenIfAnotherRunCompletedIt(t *testing.T) {
	st := &beside{Store: mem.New()}
	r := repotest.New(t, repotest.Options{Store: st})
	ctx, cancel := context.WithCancel(t.Context())
	st.before = func(name string, content []byte) {
		if strings.HasPrefix(name, "checks/") {
			must(t, st.Store.Put(t.Context(), name, content))
			cancel()
		}
	}
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	must(t, err)
	defer w.Abort()
	if _, err := w.PutDocument(ctx, repo.Checks, []byte("hello")); !errors.Is(err, context.Canceled) {
		t.Errorf("storing a document while the run is cancelled gives %v", err)
	}
	if left := append(stored(t, st, "checks"), stored(t, st, "copies/checks")...); len(left) > 0 {
		t.Errorf("%v are left of what failed", left)
	}
}

// Which copy is missing says what was going on: a run that stores both is cut off
// before the first, a run that removes both after the second.
func TestARunCompletesWhatOneThatWasCutOffHadToStore(t *testing.T) {
	r := repotest.New(t, repotest.Options{Damaged: true})
	begun, err := document(t, r)
	must(t, err)
	ending, err := document(t, r)
	must(t, err)
	must(t, r.Store().Remove(t.Context(), "checks/"+string(begun)))
	must(t, r.Store().Remove(t.Context(), "copies/checks/"+string(ending)))
	must(t, r.Store().Remove(t.Context(), "config"))

	w, err := repotest.Reopen(t, r, repo.Options{}).NewWriter(t.Context(), repo.WriterOptions{})
	must(t, err)
	must(t, w.Flush())
	all := "\n" + strings.Join(stored(t, r.Store(), ""), "\n")
	if !strings.Contains(all, "\nchecks/"+string(begun)) || !strings.Contains(all, "\nconfig") {
		t.Errorf("what was being stored has one copy still:\n%s", all)
	}
	if strings.Contains(all, "copies/checks/"+string(ending)) {
		t.Error("what was being removed has two copies again, beside a run that may be removing it")
	}
	must(t, r.RemovePacks(t.Context(), nil))
	repotest.CheckClean(t, repotest.Reopen(t, r, repo.Options{}))
}

// TestACompletionBesideTheRunItCompletesIsNoFailure has another run write the
// copy that a run is about to write.
func TestACompletionBesideTheRunItCompletesIsNoFailure(t *testing.T) {
	st := &beside{Store: mem.New()}
	r := repotest.New(t, repotest.Options{Store: st})
	st.before = func(name string, content []byte) {
		if strings.HasPrefix(name, "checks/") {
			must(t, st.Store.Put(t.Context(), name, content))
		}
	}
	_, err := document(t, r)
	must(t, err)
	st.before = func(name string, _ []byte) {
		if strings.HasPrefix(name, "checks/") {
			must(t, st.Store.Put(t.Context(), name, []byte("something else")))
		}
	}
	if _, err = document(t, r); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken by something else gives %v", err)
	}
	for _, n := range stored(t, st, "checks") { // what the last one left, that is no document
		if b, _ := storage.ReadAll(t.Context(), st, n, 100); string(b) == "something else" {
			must(t, st.Remove(t.Context(), n))
		}
	}
}

// beside is a store in which another run does something before a Put.
type beside struct {
	*mem.Store
	before func(name string, content []byte)
}

func (b *beside) Put(ctx context.Context, name string, parts ...[]byte) error {
	if b.before != nil {
		b.before(name, slices.Concat(parts...))
	}
	return b.Store.Put(ctx, name, parts...)
}

// TestACheckBesideARunDoesNotTakeHalfForDamage lets a check see the first copy of
// a document, and the second copy come while the check goes on.
func TestACheckBesideARunDoesNotTakeHalfForDamage(t *testing.T) {
	st := &late{Store: mem.New()}
	r := repotest.New(t, repotest.Options{Store: st})
	id, err := document(t, r)
	must(t, err)
	st.hide = "checks/" + string(id)
	if faults := repotest.Check(t, repotest.Reopen(t, r, repo.Options{})); len(faults) > 0 {
		t.Errorf("the check takes what is being stored for damage: %v", faults)
	}
	if st.asked < 2 {
		t.Errorf("the check looked %d times only", st.asked)
	}
}

// late is a store in which one file appears only after it was asked for.
type late struct {
	*mem.Store
	hide  string
	asked int
}

func (l *late) Open(ctx context.Context, name string) (storage.File, error) {
	if name == l.hide {
		if l.asked++; l.asked == 1 {
			return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
		}
	}
	return l.Store.Open(ctx, name)
}

// TestOnlyAnotherRunExcusesAMissingCopy loses a copy in a folder in which no other
// run is to be seen, in one in which one goes on, and in one in which one has died.
func TestOnlyAnotherRunExcusesAMissingCopy(t *testing.T) {
	dir := t.TempDir()
	st, err := local.New(dir)
	must(t, err)
	r := repotest.New(t, repotest.Options{Store: st, Damaged: true})
	id, err := document(t, r)
	must(t, err)
	must(t, st.Close())
	must(t, st.Remove(t.Context(), "checks/"+string(id)))
	excused := func() bool {
		t.Helper()
		faults := repotest.Check(t, repotest.Reopen(t, r, repo.Options{}))
		if len(faults) != 1 || !faults[0].Mendable {
			t.Fatalf("%v are found", faults)
		}
		return faults[0].CutOff
	}
	if excused() {
		t.Error("a lost copy is taken for what a run left open that nobody has seen die")
	}
	slow, err := local.New(dir)
	must(t, err)
	must(t, slow.Trace(t.Context()))
	if !excused() {
		t.Error("what another run is about to write is taken for a loss")
	}
	must(t, slow.Close())
	if excused() {
		t.Error("a lost copy is taken for what a run is about to write that has ended")
	}
	must(t, os.MkdirAll(filepath.Join(dir, "tmp", "0011223344556677"), 0o700))
	if !excused() {
		t.Error("what a dead run may have left open is taken for a loss")
	}
}
