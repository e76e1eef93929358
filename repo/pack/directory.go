package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"chartkeep/index"
)

// An Opener opens what a Sealer sealed, appending to dst.
type Opener interface {
	OpenDirectory(dst, sealed []byte) ([]byte, error)
	OpenLocator(dst, sealed []byte) ([]byte, error)
}

var packMagic = magic{'C', 'H', 'R', 'T', 'P', 'C', 'K', 1}

// The label of a pack:
//
//	session  16 bytes
//	class     1 byte
//	          3 bytes  0
//	locator  32 bytes  sealed: where the directory begins, 32 bits, little endian
const (
	locatorSize   = 4 + Overhead
	locatorOffset = 16 + 1 + 3
)

func newLabel(d *index.Directory, locator []byte) (l label) {
	copy(l[:], d.Session[:])
	l[16] = byte(d.Class)
	copy(l[locatorOffset:], locator)
	return l
}

// ReadDirectory returns the directory of the pack file of size bytes. It reads a
// head and the directory; when they are damaged it reads the whole pack and mends
// it in memory. That the other bytes are good, or that the file is the pack of
// this name, it does not check.
func ReadDirectory(f io.ReaderAt, size int64, id index.PackID, box Opener) (*index.Directory, error) {
	d, err := readDirectory(f, size, box)
	if err != nil {
		d, err = mendedDirectory(f, size, id, box)
	}
	if err != nil {
		return nil, fmt.Errorf("directory of pack %.8s: %w", id, err)
	}
	d.Pack = id
	return d, nil
}

// readDirectory tries with either head.
func readDirectory(f io.ReaderAt, size int64, box Opener) (*index.Directory, error) {
	err := fmt.Errorf("%w: no head that can be read", ErrDamaged)
	for _, off := range []int64{0, size - headSize} {
		h, readErr := readHead(f, off, packMagic)
		if readErr != nil {
			return nil, readErr
		}
		if h == nil {
			continue
		}
		var d *index.Directory
		if d, err = h.directory(f, size, box); err == nil {
			return d, nil
		}
	}
	return nil, err
}

// mendedDirectory reads it after the pack was mended in memory.
func mendedDirectory(f io.ReaderAt, size int64, id index.PackID, box Opener) (*index.Directory, error) {
	l, err := load(f, size, packMagic, &id)
	if err != nil {
		return nil, err
	}
	if l.survey == nil {
		return nil, &DamageError{}
	}
	l.mend()
	err = &DamageError{l.report()}
	for _, found := range []*label{l.firstLabel(packMagic), l.labels[0], l.labels[1]} {
		if found == nil {
			continue
		}
		h := head{l.geometry, *found}
		var d *index.Directory
		if d, err = h.directory(bytes.NewReader(l.region), int64(len(l.region)), box); err == nil {
			return d, nil
		}
	}
	return nil, err
}

// directory opens the directory that a head points to.
func (h *head) directory(f io.ReaderAt, size int64, box Opener) (*index.Directory, error) {
	plain, err := box.OpenLocator(nil, h.label[locatorOffset:])
	if err != nil {
		return nil, err
	}
	if len(plain) != 4 {
		return nil, errors.New("locator of another length")
	}
	start := int64(binary.LittleEndian.Uint32(plain))
	if start+Overhead > int64(h.data) || int64(h.data) > size {
		return nil, fmt.Errorf("%w: directory at byte %d of %d", ErrDamaged, start, min(int64(h.data), size))
	}
	sealed := make([]byte, int64(h.data)-start)
	if err := readPart(f, sealed, start); err != nil {
		return nil, err
	}
	if plain, err = box.OpenDirectory(nil, sealed); err != nil {
		return nil, err
	}
	return h.decode(plain, start)
}

// decode decodes a directory that begins at start, and holds it against the head.
func (h *head) decode(plain []byte, start int64) (*index.Directory, error) {
	d, padding, err := index.DecodeDirectory(plain, false)
	if err != nil {
		return nil, err
	}
	if len(bytes.Trim(padding, "\x00")) != 0 {
		return nil, errors.New("padding that is not zero")
	}
	if newLabel(d, h.label[locatorOffset:]) != h.label {
		return nil, errors.New("directory of another session or class")
	}
	n := len(d.Blocks)
	if n == 0 || d.Blocks[0].Offset < headSize || int64(d.Blocks[n-1].Offset)+int64(d.Blocks[n-1].Sealed) > start {
		return nil, errors.New("blocks outside their place")
	}
	d.Size = uint32(h.fileSize())
	return d, nil
}
