//go:build !linux && !darwin && !windows

package local

import "errors"

func uncache(string) error { return errors.ErrUnsupported }
