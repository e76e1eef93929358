//go:build amd64

package zst

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestMain(m *testing.M) {
	if !Usable() {
		fmt.Println("this processor has not what the package needs")
		return
	}
	os.Exit(m.Run())
}

// framed is a frame of one segment.
func framed(e *Encoder, b []byte, noisy ...bool) []byte {
	f := []byte{0x28, 0xb5, 0x2f, 0xfd, 2<<6 | 1<<5}
	return e.AppendBlocks(binary.LittleEndian.AppendUint32(f, uint32(len(b))), b, noisy)
}

var decoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))

// comesBack encodes b and has the library decode it.
func comesBack(t *testing.T, e *Encoder, b []byte, noisy ...bool) (frame []byte) {
	t.Helper()
	frame = framed(e, b, noisy...)
	back, err := decoder.DecodeAll(frame, make([]byte, 0, len(b)))
	if err != nil || !bytes.Equal(back, b) {
		t.Fatalf("%d bytes do not come back: %v", len(b), err)
	}
	return frame
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// text is words of a small vocabulary and numbers.
func text(r *rand.Rand, n int) []byte {
	words := strings.Fields("crown composite filling occlusal buccal lingual distal mesial caries noted radiograph reviewed treatment plan extraction denture")
	b := make([]byte, 0, n+100)
	for len(b) < n {
		b = fmt.Appendf(b, "(%d,%d,'%s %s %s'),", len(b), r.IntN(90000), words[r.IntN(len(words))], words[r.IntN(len(words))], words[r.IntN(len(words))])
	}
	return b[:n]
}

// patched is pieces of itself, of every distance and length, and new bytes.
func patched(r *rand.Rand, n, longest, newest, symbols int) []byte {
	b := make([]byte, 0, n+longest+newest)
	for len(b) < n {
		for range r.IntN(newest) {
			b = append(b, byte(r.IntN(symbols)))
		}
		if len(b) > 0 {
			from := r.IntN(len(b))
			if r.IntN(2) == 0 {
				from = len(b) - 1 - r.IntN(min(40, len(b)))
			}
			for range r.IntN(longest) {
				b = append(b, b[from])
				from++
			}
		}
	}
	return b[:n]
}

func TestWhatIsEncodedComesBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	contents := map[string][]byte{
		"zeros": make([]byte, 1<<20), "noise": random(r, 1<<20), "text": text(r, 9<<20),
		"two letters":   patched(r, 1<<20, 3, 30, 2),
		"short matches": patched(r, 1<<20, 12, 3, 256), "long matches": patched(r, 1<<20, 300_000, 3, 256),
		"many lengths": patched(r, 1<<20, 200, 90, 256), "hardly literals": patched(r, 1<<20, 9, 2, 4),
		"noise, then itself": bytes.Repeat(random(r, 300_000), 2),
		"period of 7":        bytes.Repeat([]byte("1234567"), 100_000),
	}
	e := new(Encoder)
	for name, b := range contents {
		t.Run(name, func(t *testing.T) {
			comesBack(t, e, b)
			for _, n := range []int{1 << 10, 16 << 10, tile, tile + 1, maxBlock - 1, maxBlock, maxBlock + 1, maxBlock + 64, maxBlock + 200, 3*maxBlock + tile + 77} {
				comesBack(t, e, b[:min(n, len(b))])
			}
		})
	}
}

func TestEveryShortLengthComesBack(t *testing.T) {
	e := new(Encoder)
	b := text(rand.New(rand.NewPCG(3, 4)), 700)
	for n := 1; n <= len(b); n++ {
		comesBack(t, e, b[:n])
		comesBack(t, e, make([]byte, n))
	}
}

func TestAnyPatchworkComesBack(t *testing.T) {
	e := new(Encoder)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		b := patched(r, 1+r.IntN(400_000), 1+r.IntN(1<<(1+r.IntN(17))), 2+r.IntN(1<<(1+r.IntN(9))), 1+r.IntN(256))
		comesBack(t, e, b)
	}
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("to be or not to be, that is the question"), 3, uint64(1))
	f.Add([]byte{0}, 100, uint64(2))
	e := new(Encoder)
	f.Fuzz(func(t *testing.T, piece []byte, times int, seed uint64) {
		if len(piece) == 0 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 1))
		var b []byte
		for range 1 + max(0, times)%500 { // pieces of the piece, so that much is alike
			from := r.IntN(len(piece))
			b = append(b, piece[from:from+1+r.IntN(len(piece)-from)]...)
			b = append(b, byte(r.Uint32()))
		}
		comesBack(t, e, b)
	})
}

// Nothing of what was encoded before shows, which a table that was not cleared would.
func TestTheSameContentIsTheSameFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	b := text(r, 300_000)
	want := framed(new(Encoder), b)
	e := new(Encoder)
	framed(e, text(r, 500_000))
	if !bytes.Equal(framed(e, b), want) {
		t.Error("another frame")
	}
}

func library(b []byte) int {
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithSingleSegment(true), zstd.WithAllLitEntropyCompression(true))
	return len(e.EncodeAll(b, nil))
}

func TestFramesAreSmallerThanTheLibrarysFastest(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"text": text(r, 512<<10), "a program": program[:len(program)&^1023/2], "zeros": make([]byte, 512<<10)} {
		if len(b) == 0 {
			continue
		}
		own, theirs := len(comesBack(t, new(Encoder), b)), library(b)
		if own > theirs+100 {
			t.Errorf("%s: %d bytes became %d, and %d with the library", name, len(b), own, theirs)
		}
	}
}

func TestNoiseIsStored(t *testing.T) {
	b := random(rand.New(rand.NewPCG(9, 1)), 512<<10)
	if n := len(comesBack(t, new(Encoder), b)); n > len(b)+30 {
		t.Errorf("%d bytes became %d", len(b), n)
	}
}

func TestMarkedPatchesAreStored(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	e := new(Encoder)
	for _, size := range []int{1, Patch, Patch + 1, 3*Patch - 1, 32*Patch + 100} {
		b := text(r, size)
		for range 40 {
			noisy := make([]bool, r.IntN(size/Patch+2))
			marked := 0
			for i := range noisy {
				if noisy[i] = r.IntN(3) > 0; noisy[i] {
					marked += max(0, min(Patch, size-i*Patch))
				}
			}
			if frame := comesBack(t, e, b, noisy...); len(frame) < marked {
				t.Fatalf("%d of %d bytes are marked, and the frame has %d", marked, size, len(frame))
			}
		}
	}
}

// What is marked is not searched for, nor in: what is around it is as small as
// without it, but for its tables.
func TestWhatIsAroundMarkedPatchesIsAsSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	words := text(r, 8*Patch)
	e := new(Encoder)
	alone := len(comesBack(t, e, words))
	b := slices.Concat(words[:4*Patch], random(r, 5*Patch), words[4*Patch:])
	noisy := []bool{4: true, true, true, true, true}
	if frame := comesBack(t, e, b, noisy...); len(frame) > alone+5*Patch+600 {
		t.Errorf("%d bytes beside noise, %d alone", len(frame)-5*Patch, alone)
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, content := range map[string][]byte{"text": text(rand.New(rand.NewPCG(7, 8)), 512<<10)} {
		b.Run(name, func(b *testing.B) {
			e := new(Encoder)
			var out []byte
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				out = e.AppendBlocks(out[:0], content, nil)
			}
			b.ReportMetric(float64(len(out))/float64(len(content)), "ratio")
		})
	}
}
