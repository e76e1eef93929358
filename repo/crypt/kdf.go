package crypt

import (
	"fmt"
	"runtime/debug"

	library "golang.org/x/crypto/argon2"

	"chartkeep/repo/crypt/argon2"
)

// KDF is the cost of turning a password into a key with Argon2id.
type KDF struct {
	Time      uint32 // passes over the memory
	MemoryKiB uint32
	Threads   uint8
}

// DefaultKDF is the second recommendation of RFC 9106, 4: a quarter of a second
// on two cores, and 64 MiB for each guess of whoever has the slot.
var DefaultKDF = KDF{Time: 3, MemoryKiB: 64 << 10, Threads: 4}

// MinKDF is the least that is accepted, from a caller or from a slot: what the
// OWASP Password Storage Cheat Sheet calls the minimum of Argon2id.
var MinKDF = KDF{Time: 2, MemoryKiB: 19 << 10, Threads: 1}

// The bounds from above keep a forged slot from taking the machine, before its
// password is known to be wrong: 128 MiB, and about a second. No slot is made with
// more than half of that (DefaultKDF), so there is room for a dearer default.
const (
	maxMemoryKiB = 128 << 10
	maxThreads   = 16
	maxCost      = 512 << 10 // KiB times passes
)

func (k KDF) validate() error {
	switch {
	case k.Time < MinKDF.Time || k.MemoryKiB < MinKDF.MemoryKiB || k.Threads < MinKDF.Threads:
		return fmt.Errorf("key derivation is too weak: %v", k)
	case k.MemoryKiB > maxMemoryKiB || k.Threads > maxThreads || uint64(k.Time)*uint64(k.MemoryKiB) > maxCost:
		return fmt.Errorf("key derivation is too costly: %v; at most %d KiB, %d KiB over all passes, and %d threads", k, maxMemoryKiB, maxCost, maxThreads)
	}
	return nil
}

func (k KDF) String() string {
	return fmt.Sprintf("Argon2id, %d passes, %d KiB, %d threads", k.Time, k.MemoryKiB, k.Threads)
}

// A derivation makes n bytes of a password. There are two that give the same:
// a slot is made with the well-kept one, and opened with the faster one, which
// the other has the last word about. So no fault of the faster one can lock a
// practice out.
type derivation func(k KDF, password, salt []byte, n uint32) []byte

func kept(k KDF, password, salt []byte, n uint32) []byte {
	defer debug.FreeOSMemory() // it took all that the parameters name
	return library.IDKey(password, salt, k.Time, k.MemoryKiB, k.Threads, n)
}

func faster(k KDF, password, salt []byte, n uint32) []byte {
	return argon2.Key(password, salt, k.Time, k.MemoryKiB, k.Threads, n)
}
