//go:build !amd64

package argon2

import (
	"runtime/debug"

	"golang.org/x/crypto/argon2"
)

// Key is the library's. Its memory goes back to the system at once. It returns n bytes. Memory is in KiB; passes and lanes are at least 1.
func Key(password, salt []byte, passes, memory uint32, lanes uint8, n uint32) []byte {
	defer debug.FreeOSMemory()
	return argon2.IDKey(password, salt, passes, memory, lanes, n)
}
