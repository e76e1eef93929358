package files

import (
	"errors"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// Extents asks for holes only when the file takes less space than it is long.
func (f *file) Extents() ([]sources.Extent, error) {
	if f.allocated >= f.seen.Size {
		return nil, nil
	}
	extents := []sources.Extent{}
	for at := int64(0); at < f.seen.Size; {
		start, err := unix.Seek(f.fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // only a hole is left
		}
		if errors.Is(err, unix.EINVAL) {
			return nil, nil // the file system does not tell
		}
		if err != nil {
			return nil, pathError("seek", f.path, err)
		}
		end, err := unix.Seek(f.fd, start, unix.SEEK_HOLE)
		if errors.Is(err, unix.ENXIO) {
			break // cut off just now
		}
		if err != nil {
			return nil, pathError("seek", f.path, err)
		}
		extents = append(extents, sources.Extent{Offset: start, Length: end - start})
		at = end
	}
	return extents, nil
}
