package snapshot

import (
	"encoding/binary"
	"errors"
	"math"
)

// Nodes are encoded and decoded by the hundred thousand in a run, so the few
// CBOR items that they consist of are written and read here rather than by
// reflection, at a tenth of the time. The bytes are those of RFC 8949, 4.2.1
// (core deterministic encoding); a test holds them against a CBOR library.

// Major types of RFC 8949, 3.1, as the upper bits of an item's first byte.
const (
	cborUint     = 0 << 5
	cborNegative = 1 << 5
	cborBytes    = 2 << 5
	cborArray    = 4 << 5
	cborMap      = 5 << 5
)

// appendHead appends an item's head in its shortest form.
func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

func appendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, cborNegative, uint64(^n))
	}
	return appendHead(b, cborUint, uint64(n))
}

func appendBytes[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(appendHead(b, cborBytes, uint64(len(s))), s...)
}

var errCBOR = errors.New("not deterministic CBOR of a node")

// cborReader reads items in turn. After the first that is malformed, or not in
// its shortest form, err is set and every item reads as zero.
type cborReader struct {
	b   []byte
	err error
}

func (r *cborReader) fail() uint64 {
	r.err, r.b = errCBOR, nil
	return 0
}

// head reads the head of an item of a major type.
func (r *cborReader) head(major byte) uint64 {
	if len(r.b) == 0 || r.b[0]&0xe0 != major {
		return r.fail()
	}
	info := r.b[0] & 0x1f
	r.b = r.b[1:]
	if info < 24 {
		return uint64(info)
	}
	size := 1 << (info - 24)
	if info > 27 || len(r.b) < size {
		return r.fail()
	}
	var n uint64
	for _, c := range r.b[:size] {
		n = n<<8 | uint64(c)
	}
	least := [...]uint64{24, math.MaxUint8 + 1, math.MaxUint16 + 1, math.MaxUint32 + 1}
	if n < least[info-24] {
		return r.fail()
	}
	r.b = r.b[size:]
	return n
}

func (r *cborReader) uint(most uint64) uint64 {
	n := r.head(cborUint)
	if n > most {
		return r.fail()
	}
	return n
}

func (r *cborReader) int() int64 {
	if len(r.b) > 0 && r.b[0]&0xe0 == cborNegative {
		n := r.head(cborNegative)
		if n > math.MaxInt64 {
			r.fail()
			return 0
		}
		return ^int64(n)
	}
	return int64(r.uint(math.MaxInt64))
}

// bytes returns a part of the input.
func (r *cborReader) bytes() []byte {
	n := r.head(cborBytes)
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

// array reads the head of an array of at most as many items as the input could
// hold.
func (r *cborReader) array() int {
	n := r.head(cborArray)
	if n > uint64(len(r.b)) {
		n = r.fail()
	}
	return int(n)
}
