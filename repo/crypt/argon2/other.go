//go:build !amd64

package argon2

import (
	"runtime/debug"

	"golang.org/x/crypto/argon2"
)

// Own reports whether Key does the work itself, and not the library.
func Own() bool { return false }

// Key returns n bytes. Memory is in KiB; passes and lanes are at least 1. It is
// the library's; what it took goes back to the system at once.
func Key(password, salt []byte, passes, memory uint32, lanes uint8, n uint32) []byte {
	defer debug.FreeOSMemory()
	return argon2.IDKey(password, salt, passes, memory, lanes, n)
}
