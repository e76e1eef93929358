//go:build !linux

package index

import "errors"

// unmap would give back the memory that mapped files take.
func unmap(string) error { return errors.ErrUnsupported }
