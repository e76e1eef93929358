package sources

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// A RowDigest is a digest of a table's rows that does not depend on their
// order: the sum of the rows' SHA-256 modulo 2^256. It tells two tables apart
// that differ by accident; who may choose rows freely can make two that agree.
// The zero value has no rows.
type RowDigest struct {
	rows int64
	sum  [4]uint64 // least significant first
}

// Add adds a row.
func (d *RowDigest) Add(row []byte) {
	h := sha256.Sum256(row)
	var carry uint64
	for i := range d.sum {
		d.sum[i], carry = bits.Add64(d.sum[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
	}
	d.rows++
}

// Rows returns how many rows were added.
func (d *RowDigest) Rows() int64 { return d.rows }

// String returns the first 128 bits of the digest in hexadecimal digits.
func (d *RowDigest) String() string { return fmt.Sprintf("%016x%016x", d.sum[3], d.sum[2]) }
