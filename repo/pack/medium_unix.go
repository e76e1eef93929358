//go:build !windows

package pack

import (
	"errors"
	"syscall"
)

func badMedium(err error) bool { return errors.Is(err, syscall.EIO) }
