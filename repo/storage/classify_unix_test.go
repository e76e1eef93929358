//go:build !windows

package storage_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"testing"

	"chartkeep/repo/storage"
)

func TestErrorsOfTheSystemGetTheirSentinels(t *testing.T) {
	for _, c := range []struct {
		errno syscall.Errno
		want  error
	}{
		{syscall.ENOSPC, storage.ErrNoSpace},
		{syscall.EDQUOT, storage.ErrNoSpace},
		{syscall.EROFS, storage.ErrReadOnly},
		{syscall.ENODEV, storage.ErrAbsent},
		{syscall.ESTALE, storage.ErrAbsent},
	} {
		err := storage.Classify(fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "f", Err: c.errno}))
		if !errors.Is(err, c.want) {
			t.Errorf("%v becomes %v", c.errno, err)
		}
		if again := storage.Classify(err); again.Error() != err.Error() {
			t.Errorf("classified twice: %v", again)
		}
	}
	for _, err := range []error{nil, io.EOF, syscall.EIO, fs.ErrNotExist} {
		if got := storage.Classify(err); got != err {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}
