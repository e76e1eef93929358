//go:build !unix

package pack

// Region returns zeroed memory; release has nothing to do.
func Region(n int) (region []byte, release func()) { return make([]byte, n), func() {} }
