package chunk

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/restic/chunker"
	"github.com/zeebo/blake3"
)

// Cutter cuts streams as one repository does. It is immutable and may be
// shared; the Splitters it makes may not.
type Cutter struct {
	params     Params
	table      [256]uint64 // Gear
	polynomial chunker.Pol // Rabin
}

// NewCutter derives the table or polynomial from the key.
func NewCutter(p Params, key [32]byte) (*Cutter, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	c := &Cutter{params: p}
	if p.Algorithm == Gear {
		if err := binary.Read(derive(key, "gear table"), binary.LittleEndian, &c.table); err != nil {
			return nil, fmt.Errorf("derive gear table: %w", err)
		}
		return c, nil
	}
	var err error
	if c.polynomial, err = chunker.DerivePolynomial(derive(key, "rabin polynomial")); err != nil {
		return nil, fmt.Errorf("derive rabin polynomial: %w", err)
	}
	return c, nil
}

// derive returns endless bytes that follow from key and purpose: BLAKE3 in
// keyed mode with extended output.
func derive(key [32]byte, purpose string) *blake3.Digest {
	s := keyed(key)
	s.WriteString("chartkeep chunk v1 " + purpose)
	return s.Digest()
}

// Splitter cuts one stream at a time. It keeps its buffers from stream to
// stream: where there are many, Reset one instead of making many.
type Splitter interface {
	// Next returns the next chunk, which is valid until the next call of Next
	// or Reset. It returns io.EOF after the last one, and an empty stream has
	// none. Any other error is the reader's: the stream is broken, and what
	// was read but not yet returned is lost. Errors repeat until Reset.
	Next() ([]byte, error)

	// Reset makes the Splitter begin another stream.
	Reset(r io.Reader, p Profile)

	// Continue is Reset for a stream of which head has been read and r is what is
	// left, nil for nothing. The Splitter works in head's memory, up to its
	// capacity, until the next call of Continue or Reset.
	Continue(head []byte, r io.Reader, p Profile)
}

// Split returns a Splitter at the beginning of r.
func (c *Cutter) Split(r io.Reader, p Profile) Splitter {
	var s Splitter = &gearSplitter{cutter: c}
	if c.params.Algorithm == Rabin {
		s = &rabinSplitter{cutter: c}
	}
	s.Reset(r, p)
	return s
}
