package storagetest

import (
	"fmt"
	"math/rand/v2"

	"chartkeep/repo/storage/local"
)

// Crash is the store of package local on a CrashFS.
type Crash struct {
	*local.Store
	FS *CrashFS
}

// NewCrash returns an empty store.
func NewCrash() *Crash { return onCrashFS(NewCrashFS()) }

// Clone returns a store as it may be found after the power was cut now (see
// CrashFS.Clone). It can be written to, and cloned again.
func (c *Crash) Clone(rng *rand.Rand) *Crash { return onCrashFS(c.FS.Clone(rng)) }

func onCrashFS(fsys *CrashFS) *Crash {
	st, err := local.NewOn(fsys, ".")
	if err != nil {
		panic(fmt.Sprintf("storagetest: the root of a CrashFS is always there: %v", err))
	}
	return &Crash{Store: st, FS: fsys}
}
