package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A reader takes apart an encoding from its front. After the first failure everything reads as zero.
type reader struct {
	b   []byte
	err error
}

// fail keeps the first error.
func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail(io.ErrUnexpectedEOF)
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) copy(dst []byte) {
	if len(r.b) < len(dst) {
		r.fail(io.ErrUnexpectedEOF)
		return
	}
	copy(dst, r.b)
	r.b = r.b[len(dst):]
}

// uvarint reads a number of at most limit in its shortest form.
func (r *reader) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	switch {
	case n == 0:
		r.fail(io.ErrUnexpectedEOF)
	case n < 0 || v > limit:
		r.fail(fmt.Errorf("number above %d", limit))
	case n > 1 && r.b[n-1] == 0:
		r.fail(errors.New("number not in its shortest form"))
	default:
		r.b = r.b[n:]
		return v
	}
	return 0
}

func (r *reader) uint32() uint32 { return uint32(r.uvarint(math.MaxUint32)) }

// count reads a number of things that take at least size bytes each, which have to be there.
func (r *reader) count(size int) int {
	n := r.uvarint(math.MaxInt64)
	if n > uint64(len(r.b)/size) {
		r.fail(io.ErrUnexpectedEOF)
		return 0
	}
	return int(n)
}
