//go:build !linux && !darwin && !windows

package files

import "errors"

// Space fails with errors.ErrUnsupported.
func (t *Target) Space() (free, total uint64, err error) {
	return 0, 0, errors.ErrUnsupported
}
