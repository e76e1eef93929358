// Package repotest makes repositories for tests. Every repository that it makes
// is checked in full when the test ends.
package repotest

import (
	"context"
	"testing"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
)

// Password opens every repository that New makes.
var Password = []byte("a password for tests")

// Options change what New makes. The zero value is the default repository, in
// memory.
type Options struct {
	Store   storage.Store // nil: in memory
	Init    repo.InitOptions
	Open    repo.Options
	Damaged bool // the test damages the repository, so do not check it
}

// New makes a repository. Key derivation is as cheap as the format allows.
func New(t testing.TB, o Options) *repo.Repository {
	t.Helper()
	if o.Store == nil {
		o.Store = mem.New()
	}
	if o.Init.KDF == (crypt.KDF{}) {
		o.Init.KDF = crypt.MinKDF
	}
	if o.Open.Warn == nil {
		o.Open.Warn = func(err error) { t.Logf("warning: %v", err) }
	}
	r, err := repo.Init(context.Background(), o.Store, Password, o.Init, o.Open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !o.Damaged {
			CheckClean(t, Reopen(t, r, repo.Options{}))
		}
		r.Close()
	})
	return r
}

// Reopen opens the repository's store again, as another process would.
func Reopen(t testing.TB, r *repo.Repository, o repo.Options) *repo.Repository {
	t.Helper()
	again, err := repo.Open(context.Background(), r.Store(), Password, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	return again
}

// CheckClean reads all of a repository and fails the test for every fault.
func CheckClean(t testing.TB, r *repo.Repository) {
	t.Helper()
	for _, f := range Check(t, r) {
		t.Errorf("check: %s: %v", f.File, f.Problem)
	}
}

// Check reads all of a repository and returns what is wrong with it.
func Check(t testing.TB, r *repo.Repository) (faults []repo.Fault) {
	t.Helper()
	ctx := context.Background()
	ix, err := r.Index(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var packs []index.PackID
	for info, err := range ix.Packs() {
		if err != nil {
			t.Fatal(err)
		}
		packs = append(packs, info.ID)
	}
	err = r.Check(ctx, repo.CheckOptions{ReadData: packs, Fault: func(f repo.Fault) { faults = append(faults, f) }})
	if err != nil {
		t.Fatal(err)
	}
	return faults
}
