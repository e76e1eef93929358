package chunk

import (
	"bytes"
	"fmt"
	"io"
	"math/bits"

	"github.com/restic/chunker"
)

// rabinSplitter is restic's chunker behind our interface.
type rabinSplitter struct {
	cutter  *Cutter
	chunker *chunker.Chunker
	data    []byte
	err     error
}

func (s *rabinSplitter) Reset(r io.Reader, p Profile) {
	sizes := s.cutter.params.sizes(p)
	low, high := uint(sizes.Min), uint(sizes.Max)
	if s.chunker == nil {
		s.chunker = chunker.NewWithBoundaries(broken{r}, s.cutter.polynomial, low, high)
	} else {
		s.chunker.ResetWithBoundaries(broken{r}, s.cutter.polynomial, low, high)
	}
	s.chunker.SetAverageBits(bits.Len(uint(sizes.Avg-sizes.Min)) - 1)
	s.err = nil
}

func (s *rabinSplitter) Continue(head []byte, r io.Reader, p Profile) {
	if r == nil {
		s.Reset(bytes.NewReader(head), p)
		return
	}
	s.Reset(io.MultiReader(bytes.NewReader(head), r), p)
}

func (s *rabinSplitter) Next() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	c, err := s.chunker.Next(s.data[:0])
	if err != nil {
		s.err = err
		return nil, err
	}
	s.data = c.Data
	return c.Data[:c.Length:c.Length], nil
}

// broken wraps its reader's errors other than io.EOF. The chunker takes an
// io.ErrUnexpectedEOF, which is what a truncated archive ends with, for a
// short last read and would wait for more without end.
type broken struct{ r io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("read: %w", err)
	}
	return n, err
}
