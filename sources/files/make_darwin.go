package files

import (
	"errors"

	"chartkeep/sources"
)

// special fails: macOS makes such files by path only, and a path could lead
// out of the target.
func (h handle) special(string, sources.Meta) error { return errors.ErrUnsupported }

func (o out) allocate(int64) (done bool, err error) { return false, nil }

// Sync does nothing: macOS cannot flush one file system.
func (t *Target) Sync() error { return nil }
