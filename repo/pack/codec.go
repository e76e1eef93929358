package pack

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/huff0"
	"github.com/klauspost/compress/zstd"

	"chartkeep/index"
	"chartkeep/repo/pack/zst"
)

// BlockSize is the plaintext that a block is filled up to, in bytes. A chunk
// larger than that is a block of its own.
const BlockSize = 512 << 10

// ErrMiscoded says that a compressed block did not come back as it was: the
// machine's memory, or the compressor, cannot be relied on.
var ErrMiscoded = errors.New("a compressed block does not decode to itself")

// A Codec makes payloads of blocks and blocks of payloads. It is safe for
// concurrent use.
type Codec struct {
	level  Level
	coders sync.Pool // of *coder
}

// NewCodec returns a codec that compresses at a level.
func NewCodec(l Level) (*Codec, error) {
	if _, ok := levels[l]; !ok {
		return nil, fmt.Errorf("no compression %v", l)
	}
	c := &Codec{level: l}
	c.coders.New = func() any { return newCoder(l) }
	return c, nil
}

// Encode returns the payload to be sealed for a block. What does not become
// smaller is its own payload: plain itself, not a copy. Otherwise the payload
// stands in buf's memory, if that is large enough, and was decoded again and
// compared. When the comparison fails the error is ErrMiscoded and the result
// is nevertheless good to be stored: the block as it was.
func (c *Codec) Encode(buf, plain []byte) (payload []byte, codec index.Codec, err error) {
	look := sample(plain, noiseSpots)
	if look.noise() {
		return plain, index.Raw, nil
	}
	w := c.coders.Get().(*coder)
	defer c.coders.Put(w)
	payload = w.encode(buf, plain, look.mixed())
	if len(payload) >= len(plain) {
		return plain, index.Raw, nil
	}
	if err := w.check(payload, plain); err != nil {
		return plain, index.Raw, err
	}
	return payload, index.Zstd, nil
}

// Decode returns the block of a payload, plain bytes long, in buf's memory if
// that is large enough. A payload that says it is longer is refused before
// anything is allocated for it.
func (c *Codec) Decode(buf, payload []byte, codec index.Codec, plain int) ([]byte, error) {
	switch {
	case plain <= 0 || plain > index.MaxPlain:
		return nil, fmt.Errorf("block of %d bytes", plain)
	case codec == index.Raw && len(payload) == plain:
		return append(buf[:0], payload...), nil
	case codec == index.Raw:
		return nil, fmt.Errorf("raw block of %d bytes that ought to be %d", len(payload), plain)
	case codec != index.Zstd:
		return nil, fmt.Errorf("block of %v", codec)
	}
	w := c.coders.Get().(*coder)
	defer c.coders.Put(w)
	return w.decode(buf, payload, plain)
}

// coder is what one worker needs to encode and decode a block.
type coder struct {
	own     *zst.Encoder // made when first needed
	useOwn  bool
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	huffman huff0.Scratch
	trial   trial
	noisy   []bool // patches
	shaped  []byte // the block as zstd sees it
	rest    []byte // the part of a frame that zstd's encoder made
	spare   []byte // the block that comes back
}

func newCoder(l Level) *coder {
	w := &coder{
		huffman: huff0.Scratch{Reuse: huff0.ReusePolicyNone}, // each block has its own table
		useOwn:  l == Fastest && zst.Usable(),
		encoder: newEncoder(l),
		decoder: must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(index.MaxPlain))),
	}
	w.trial.encoder = w.encoder
	if l != Fastest {
		w.trial.encoder = newEncoder(Fastest)
	}
	return w
}

// newEncoder makes no checksums, since what it writes is sealed. Literals are
// entropy coded even where there is no match: klauspost's two fast levels store
// a stretch without a match as it is, and lose a third on X-ray volumes.
func newEncoder(l Level) *zstd.Encoder {
	return must(zstd.NewWriter(nil,
		zstd.WithEncoderLevel(levels[l].zstd),
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false),
		zstd.WithSingleSegment(true),
		zstd.WithWindowSize(BlockSize),
		zstd.WithAllLitEntropyCompression(true)))
}

// must is for options that are constants.
func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// encode makes a payload of the codec Zstd:
//
//	shape, 1 byte ‖ one zstd frame (RFC 8878) of the rearranged block
//
// The frame is of a single segment, with its content size, without a checksum. In
// a mixed block, patches of noise are looked for.
func (w *coder) encode(buf, plain []byte, mixed bool) []byte {
	s := w.trial.shape(plain)
	buf = append(buf[:0], byte(s))
	if s == asItWas {
		w.noisy = w.noisy[:0]
		if mixed && w.useOwn {
			w.noisy = noisyPatches(w.noisy, plain)
		}
		return w.appendFrame(buf, plain, 0, w.noisy)
	}
	w.shaped = sized(w.shaped, len(plain))
	s.apply(w.shaped, plain)
	low, _ := s.planes(w.shaped)
	if !matchless(low) {
		return w.appendFrame(buf, w.shaped, 0, nil)
	}
	return w.appendFrame(buf, w.shaped, s.phase()+len(low), nil)
}

// check decodes what was encoded.
func (w *coder) check(payload, plain []byte) (err error) {
	if w.spare, err = w.decode(w.spare, payload, len(plain)); err != nil {
		return fmt.Errorf("%w: %w", ErrMiscoded, err)
	}
	if !bytes.Equal(w.spare, plain) {
		return ErrMiscoded
	}
	return nil
}

func (w *coder) decode(buf, payload []byte, plain int) ([]byte, error) {
	if len(payload) == 0 || !shape(payload[0]).valid() {
		return buf, errors.New("payload of no known shape")
	}
	s, frame := shape(payload[0]), payload[1:]
	if err := checkFrame(frame, plain); err != nil {
		return buf, err
	}
	if s == asItWas {
		return w.inflate(buf, frame, plain)
	}
	shaped, err := w.inflate(w.shaped, frame, plain)
	w.shaped = shaped
	if err != nil {
		return buf, err
	}
	buf = sized(buf, plain)
	s.undo(buf, shaped)
	return buf, nil
}

// inflate decodes one frame whose header promises plain bytes.
func (w *coder) inflate(buf, frame []byte, plain int) ([]byte, error) {
	b, err := w.decoder.DecodeAll(frame, sized(buf, plain)[:0])
	if err == nil && len(b) != plain {
		err = fmt.Errorf("%d bytes instead of %d", len(b), plain)
	}
	if err != nil {
		return buf, fmt.Errorf("decompress block: %w", err)
	}
	return b, nil
}

// roomy is what the decoder's fast path may write beyond the end.
const roomy = 64

// sized returns n bytes, in b's memory if that is large enough.
func sized(b []byte, n int) []byte {
	if cap(b) < n+roomy {
		b = slices.Grow(b[:0], n+roomy)
	}
	return b[:n]
}

// checkFrame accepts one frame whose header says that its content is of plain
// bytes and a single segment, and nothing that follows it: no checksum, no other
// frame.
func checkFrame(frame []byte, plain int) error {
	var h zstd.Header
	if err := h.Decode(frame); err != nil {
		return fmt.Errorf("zstd frame header: %w", err)
	}
	if !h.SingleSegment {
		return errors.New("zstd frame of another kind")
	}
	if h.FrameContentSize != uint64(plain) {
		return fmt.Errorf("zstd frame of %d bytes that ought to be %d", h.FrameContentSize, plain)
	}
	if blocksEnd(frame[h.HeaderSize:]) != len(frame)-h.HeaderSize {
		return errors.New("zstd frame does not end where the payload ends")
	}
	return nil
}

// blocksEnd returns where the last of a frame's blocks ends, or -1 when b ends
// before.
func blocksEnd(b []byte) int {
	const headerSize, runLength = 3, 1
	for at := 0; len(b)-at >= headerSize; {
		h := uint32(b[at]) | uint32(b[at+1])<<8 | uint32(b[at+2])<<16
		last, kind, size := h&1 == 1, h>>1&3, int(h>>3)
		if kind == runLength {
			size = 1
		}
		at += headerSize + size
		if last {
			return at
		}
	}
	return -1
}
