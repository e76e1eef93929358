//go:build unix && !linux

package pack

// large would ask for large pages.
func large([]byte) {}
