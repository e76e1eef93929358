package storage

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
)

// Classify adds ErrNoSpace, ErrReadOnly or ErrAbsent to an error of the operating system that
// means it, and returns any other error as it is.
func Classify(err error) error {
	errno, ok := errors.AsType[syscall.Errno](err)
	switch {
	case !ok || errors.Is(err, ErrNoSpace) || errors.Is(err, ErrReadOnly) || errors.Is(err, ErrAbsent):
		return err
	case slices.Contains(noSpace, errno):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	case errno == readOnly:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case slices.Contains(absent, errno):
		return Absent(err)
	}
	return err
}

// Absent makes an ErrAbsent of err. The cause is told in words only: one of its
// faces is fs.ErrNotExist, and a caller that shrugs at a missing file must not
// shrug at a missing drive.
func Absent(cause error) error {
	return fmt.Errorf("%w: %v", ErrAbsent, cause)
}
