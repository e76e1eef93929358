package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxProtected is how long the payload of a protected file can be, in bytes.
const MaxProtected = maxData - headSize

// Protect returns the parts of a file that heals itself: the payload with the
// heads, tables and parity of a pack around it, in percent from 0 to MaxParity,
// at least one parity shard if it is not 0. The payload, at most MaxProtected
// bytes, has been sealed, and its true length may be seen: its label is its
// length, 32 bits, little endian, and zeros.
func Protect(m [8]byte, payload []byte, percent int) [][]byte {
	if percent < 0 || percent > MaxParity || len(payload) > MaxProtected {
		panic(fmt.Sprintf("pack: protect %d bytes with parity of %d %%", len(payload), percent))
	}
	g := newGeometry(Padded(headSize+len(payload)), percent)
	h := head{g, lengthLabel(uint32(len(payload)))}
	data := h.append(make([]byte, 0, g.data), m)
	data = append(data, payload...)[:g.data]
	trailer, _ := g.appendTrailer(nil, data)
	return [][]byte{data, trailer}
}

// Unprotect returns the payload of a file that Protect made with the same magic,
// and whether anything of the file had to be mended. The error wraps ErrDamaged
// when it could not be.
func Unprotect(m [8]byte, b []byte) (payload []byte, healed bool, err error) {
	l, err := load(bytes.NewReader(b), int64(len(b)), m, nil)
	if err != nil {
		return nil, false, err
	}
	if l.survey == nil {
		return nil, false, &DamageError{}
	}
	healed = l.report().Err() != nil
	if !l.mend() {
		return nil, healed, &DamageError{l.report()}
	}
	found := l.firstLabel(m)
	if found == nil {
		return nil, healed, fmt.Errorf("%w: no head", ErrDamaged)
	}
	n := int64(binary.LittleEndian.Uint32(found[:]))
	if *found != lengthLabel(uint32(n)) || n > int64(l.data-headSize) || Padded(headSize+int(n)) != l.data {
		return nil, healed, errors.New("protected file with an impossible label")
	}
	if len(bytes.Trim(l.region[headSize+n:], "\x00")) != 0 {
		return nil, healed, errors.New("protected file with other padding")
	}
	return l.region[headSize:][:n:n], healed, nil
}

func lengthLabel(n uint32) (l label) {
	binary.LittleEndian.PutUint32(l[:], n)
	return l
}
