//go:build !linux && !darwin && !windows

package local

import "errors"

func renameNew(from, to string) error { return errors.ErrUnsupported }
