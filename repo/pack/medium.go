package pack

import (
	"errors"
	"fmt"
	"io"
)

// sector is the least that is given up where a medium cannot be read, bytes.
const sector = 4 << 10

// readPart fills p with what lies at off. What the file does not have, and what
// the medium cannot give back (a bad sector, not a lost connection), reads as
// zeros: it is damage like any other, and the sums tell.
func readPart(f io.ReaderAt, p []byte, off int64) error {
	n, err := f.ReadAt(p, off)
	if err == nil || errors.Is(err, io.EOF) {
		clear(p[n:])
		return nil
	}
	if !badMedium(err) {
		return fmt.Errorf("read at %d: %w", off, err)
	}
	if len(p) <= sector {
		clear(p)
		return nil
	}
	half := max(len(p)/2/sector*sector, sector)
	if err := readPart(f, p[:half], off); err != nil {
		return err
	}
	return readPart(f, p[half:], off+int64(half))
}
