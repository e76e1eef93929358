package repo_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

// written stores chunks of noise and a snapshot's document, as a backup does.
func written(t *testing.T, r *repo.Repository, seed uint64) repo.Written {
	t.Helper()
	w := writer(t, r)
	noise := rand.New(rand.NewPCG(seed, 1))
	for _, class := range []index.Class{index.Data, index.Meta} {
		lane := w.Lane(class)
		for range 40 {
			b := make([]byte, 20_000)
			for i := range b {
				b[i] = byte(noise.Uint32())
			}
			if _, _, err := lane.Put(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	must(t, w.Flush())
	_, err := w.PutDocument(t.Context(), repo.Snapshots, []byte("a snapshot"))
	must(t, err)
	return w.Written()
}

func onDrive(t *testing.T) (*repo.Repository, storage.Store) {
	t.Helper()
	st, err := local.New(t.TempDir())
	must(t, err)
	t.Cleanup(func() { storage.Close(st) })
	return repotest.New(t, repotest.Options{Store: st, Init: repo.InitOptions{Parity: 3}, Damaged: true}), st
}

func verifyWritten(t *testing.T, r *repo.Repository, what repo.Written) (faults []repo.Fault, good int) {
	t.Helper()
	must(t, r.VerifyWritten(t.Context(), what, repo.CheckOptions{
		Fault: func(f repo.Fault) { faults = append(faults, f) }, Verified: func(index.PackID) { good++ },
	}))
	return faults, good
}

func TestAWriterKnowsWhatItStored(t *testing.T) {
	r, st := onDrive(t)
	written(t, r, 1)
	before := map[string]bool{}
	for info, err := range st.List(t.Context(), "") {
		must(t, err)
		before[info.Name] = true
	}
	what := written(t, r, 2)
	named := map[string]bool{}
	for _, p := range what.Packs {
		named[path.Join("packs", p.String()[:2], p.String())] = true
	}
	for _, n := range what.Files {
		named[n] = true
	}
	if len(what.Packs) != 2 {
		t.Errorf("%d packs, want one of data and one of trees", len(what.Packs))
	}
	for info, err := range st.List(t.Context(), "") {
		must(t, err)
		if fresh := !before[info.Name]; fresh != named[info.Name] && !strings.HasPrefix(info.Name, "copies/") {
			t.Errorf("%s: new is %v, named %v", info.Name, fresh, named[info.Name])
		}
	}
	if faults, good := verifyWritten(t, r, what); len(faults) > 0 || good != 2 {
		t.Errorf("%d packs are good; %v", good, faults)
	}
}

// Whatever is changed of what a run stored, it is found; what others stored is
// not looked at.
func TestWhatWasWrittenIsReadBack(t *testing.T) {
	r, st := onDrive(t)
	other := written(t, r, 1)
	what := written(t, r, 2)
	names := append([]string{}, what.Files...)
	for _, n := range what.Files {
		if !strings.HasPrefix(n, "index/") {
			names = append(names, path.Join("copies", n))
		}
	}
	for _, p := range what.Packs {
		names = append(names, path.Join("packs", p.String()[:2], p.String()))
	}
	if len(names) != 3+2+2 {
		t.Fatalf("stored are %q", names)
	}
	for _, name := range names {
		good, err := storage.ReadAll(t.Context(), st, name, 1<<30)
		must(t, err)
		bad := bytes.Clone(good)
		bad[len(bad)/2] ^= 1
		must(t, storage.Replace(t.Context(), st, name, bad))
		faults, _ := verifyWritten(t, r, what)
		if len(faults) != 1 || faults[0].File != name || !faults[0].Mendable {
			t.Errorf("a bit of %s was turned: %v", name, faults)
		}
		must(t, st.Remove(t.Context(), name))
		if faults, _ = verifyWritten(t, r, what); len(faults) != 1 || faults[0].File != name {
			t.Errorf("%s was removed: %v", name, faults)
		}
		if faults, _ := verifyWritten(t, r, other); len(faults) > 0 {
			t.Errorf("what another run stored is said to be damaged: %v", faults)
		}
		must(t, st.Put(t.Context(), name, good))
	}
	if faults, _ := verifyWritten(t, r, what); len(faults) > 0 {
		t.Errorf("all is as it was written: %v", faults)
	}
}

func TestRunsOfARepositoryExclude(t *testing.T) {
	r, _ := onDrive(t)
	run, err := r.LockRun(t.Context(), 0)
	must(t, err)
	again, err := repotest.Reopen(t, r, repo.Options{}).LockRun(t.Context(), 0)
	if !errors.Is(err, storage.ErrLocked) {
		t.Errorf("a second run gets %v, %v", again, err)
	}
	lock, err := r.Lock(t.Context(), storage.Exclusive, 0)
	must(t, err)
	must(t, lock.Close())
	must(t, run.Close())
}
