package pack

import (
	"errors"

	"github.com/zeebo/blake3"

	"chartkeep/chunk/wide"
)

// head is the clear part of a file that is kept twice, at its very front, as the
// first bytes of the data region, and at its very end:
//
//	magic      8 bytes   what the file is, and the version of its format
//	geometry  12 bytes
//	label     52 bytes   what the kind of file needs
//	checksum  16 bytes   BLAKE3 of the above, cut off
type head struct {
	geometry
	label label
}

type (
	magic [8]byte
	label [52]byte
	sum   [16]byte
)

const headSize = 8 + geometrySize + 52 + 16

func sumOf(b []byte) sum {
	if wide.Fits(len(b)) {
		h := wide.Sum(wide.Plain, b)
		return sum(h[:])
	}
	h := blake3.Sum256(b)
	return sum(h[:])
}

func (h *head) append(b []byte, m magic) []byte {
	start := len(b)
	b = append(b, m[:]...)
	b = h.geometry.append(b)
	b = append(b, h.label[:]...)
	s := sumOf(b[start:])
	return append(b, s[:]...)
}

var errHead = errors.New("not a whole head")

func parseHead(b []byte, m magic) (*head, error) {
	body := b[:headSize-len(sum{})]
	if magic(body) != m || sumOf(body) != sum(b[len(body):]) {
		return nil, errHead
	}
	g, err := parseGeometry(body[len(m):])
	if err != nil {
		return nil, err
	}
	return &head{g, label(body[len(m)+geometrySize:])}, nil
}
