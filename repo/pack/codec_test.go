package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"chartkeep/index"
	"chartkeep/repo/pack/zst"
)

func testCodec(t testing.TB, l Level) *Codec {
	t.Helper()
	c, err := NewCodec(l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dumpText is like a database dump: rows of numbers, dates and words.
func dumpText(n int) []byte {
	words := strings.Fields("crown composite filling occlusal buccal lingual distal mesial caries noted radiograph reviewed treatment plan anesthesia lidocaine extraction implant denture bridge claim submitted balance payment recall hygiene prophylaxis")
	r := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, 0, n+100)
	for i := 1; len(b) < n; i++ {
		b = fmt.Appendf(b, "(%d,%d,%d,'D%04d','20%02d-%02d-%02d',%d.%02d,'%s %s','',%d),", i, r.IntN(60000), r.IntN(90000), r.IntN(9999),
			r.IntN(26), 1+r.IntN(12), 1+r.IntN(28), r.IntN(2000), r.IntN(100), words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(10))
	}
	return b[:n]
}

// volume is like a cone-beam X-ray volume: 12-bit samples in 16, a smooth field
// under noise of 7 bits.
func volume(n int) []byte {
	r := rand.New(rand.NewPCG(7, 8))
	b := make([]byte, n)
	for i := 0; i+1 < n; i += 2 {
		x, y := i/2%512, i/1024
		v := 900 + 500*math.Sin(float64(x)*math.Pi/512)*math.Sin(float64(y)*math.Pi/700)
		binary.LittleEndian.PutUint16(b[i:], uint16(v)+uint16(r.IntN(128)))
	}
	return b
}

func mixed(n int) []byte { // half text, half noise, as in a PDF
	text, noise := dumpText(n), random(n, 3)
	for i := 0; i < n; i += 4096 {
		copy(text[i:], noise[i:min(i+2048, n)])
	}
	return text
}

// letters are 64 of the 256 bytes, without any match.
func letters(n int) []byte {
	b := random(n, 4)
	for i := range b {
		b[i] = '0' + b[i]%64
	}
	return b
}

var testBlocks = map[string][]byte{
	"dump":       dumpText(BlockSize),
	"volume":     volume(BlockSize),
	"odd volume": volume(BlockSize + 1)[1:],
	"noise":      random(BlockSize, 1),
	"mixed":      mixed(BlockSize),
	"zeros":      make([]byte, BlockSize),
	"letters":    letters(BlockSize),
	"large":      dumpText(index.MaxPlain),
	"short":      []byte("a note"),
	"shorter":    {7},
	"small file": dumpText(3000),
}

func TestBlocksComeBack(t *testing.T) {
	for l := Fastest; l <= Best; l++ {
		c := testCodec(t, l)
		for name, plain := range testBlocks {
			if l > Fastest {
				plain = plain[:min(len(plain), BlockSize/4)] // the other levels are slow
			}
			t.Run(fmt.Sprint(l, " ", name), func(t *testing.T) {
				payload, codec, err := c.Encode(nil, plain)
				if err != nil {
					t.Fatal(err)
				}
				back, err := testCodec(t, Fastest).Decode(nil, payload, codec, len(plain))
				if err != nil || !bytes.Equal(back, plain) {
					t.Errorf("does not come back: %v", err)
				}
				if len(payload) > len(plain) || codec == index.Raw && &payload[0] != &plain[0] {
					t.Errorf("%d bytes became %d, %v", len(plain), len(payload), codec)
				}
			})
		}
	}
}

// Frames of our own encoder and of the library's, of the same blocks.
func TestBlocksComeBackFromEitherEncoder(t *testing.T) {
	for _, own := range []bool{false, zst.Usable()} {
		for name, plain := range testBlocks {
			w := newCoder(Fastest)
			w.useOwn = own
			payload := w.encode(nil, plain, false)
			if err := w.check(payload, plain); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestDumpsBecomeAThirdAtTheFastestLevel(t *testing.T) {
	w := newCoder(Fastest)
	dump := testBlocks["dump"]
	n := len(w.encode(nil, dump, false))
	if zst.Usable() && w.own == nil {
		t.Error("our own encoder was not used")
	}
	if n > len(dump)*37/100 {
		t.Errorf("%d bytes became %d", len(dump), n)
	}
}

func TestWhatCompressesIsCompressed(t *testing.T) {
	for l := Fastest; l <= Best; l++ {
		c := testCodec(t, l)
		for name, most := range map[string]float64{"dump": 0.36, "volume": 0.51, "odd volume": 0.51, "mixed": 0.8, "zeros": 0.001, "letters": 0.77, "small file": 0.5} {
			plain := testBlocks[name]
			payload, codec, err := c.Encode(nil, plain)
			if ratio := float64(len(payload)) / float64(len(plain)); err != nil || codec != index.Zstd || ratio > most {
				t.Errorf("%v %s: %v, %.3f of its size: %v", l, name, codec, ratio, err)
			}
		}
	}
}

// Letters, each with a picture: the pictures cost nothing but a copy.
func TestPicturesWithinABlockAreStored(t *testing.T) {
	if !zst.Usable() {
		t.Skip("this processor has not what our own encoder needs")
	}
	c := testCodec(t, Fastest)
	words, picture := letters(BlockSize), random(BlockSize, 3)
	var plain []byte
	var pictures int
	for i := 0; len(plain) < BlockSize; i += 50_000 {
		at := i % (BlockSize - 50_000)
		plain = append(plain, words[at:at+30_000]...)
		plain = append(plain, picture[at:at+50_000]...)
		pictures += 50_000
	}
	plain = plain[:BlockSize]
	look := sample(plain, noiseSpots)
	if look.noise() || !look.mixed() {
		t.Fatalf("letters and pictures look like %+v", look)
	}
	stored := 0
	for _, noisy := range noisyPatches(nil, plain) {
		if noisy {
			stored += zst.Patch
		}
	}
	if stored < pictures/2 || stored > pictures {
		t.Errorf("of %d bytes of pictures %d are left alone", pictures, stored)
	}
	payload, codec, err := c.Encode(nil, plain)
	if err != nil || codec != index.Zstd {
		t.Fatal(codec, err)
	}
	w := newCoder(Fastest)
	if whole := w.encode(nil, plain, false); len(payload) > len(whole)+len(whole)/100 {
		t.Errorf("%d bytes, and %d when all of it is searched", len(payload), len(whole))
	}
}

func TestTextIsNotLookedThroughForNoise(t *testing.T) {
	for _, name := range []string{"dump", "letters", "volume"} {
		if sample(testBlocks[name], noiseSpots).mixed() {
			t.Error(name)
		}
	}
}

func TestNoiseIsRecognised(t *testing.T) {
	for i := range 2000 {
		if n := 128 + i*37; !noise(random(n, byte(i))) {
			t.Errorf("%d random bytes are no noise", n)
		}
	}
	image := random(300_000, 1) // with a header and a comment
	copy(image, make([]byte, 600))
	copy(image[600:], dumpText(2000))
	if !noise(image) {
		t.Error("an image is no noise")
	}
	for name, b := range testBlocks {
		if name != "noise" && noise(b) {
			t.Errorf("%s is noise", name)
		}
	}
}

func TestTextAndProgramsAreNoSamples(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		self = nil
	}
	tr := newCoder(Default).trial
	for at := 0; at+BlockSize <= len(self); at += BlockSize {
		if s := tr.shape(self[at:][:BlockSize]); s != asItWas {
			w := newCoder(Fastest)
			plain := len(w.encoder.EncodeAll(self[at:][:BlockSize], nil))
			if shaped := len(w.encode(nil, self[at:][:BlockSize], false)); shaped > plain {
				t.Errorf("block at %d of a program: shape %#x makes %d of %d", at, s, shaped, plain)
			}
		}
	}
	if s := tr.shape(testBlocks["dump"]); s != asItWas {
		t.Errorf("a dump has shape %#x", s)
	}
	if s := tr.shape(testBlocks["volume"]); s != sampled {
		t.Errorf("a volume has shape %#x", s)
	}
	if s := tr.shape(testBlocks["odd volume"]); s != sampled1 {
		t.Errorf("an odd volume has shape %#x", s)
	}
}

func TestMiscodedBlockIsStoredAsItWas(t *testing.T) {
	c := testCodec(t, Fastest)
	c.coders.New = func() any {
		w := newCoder(Fastest)
		w.decoder.Close()
		return w
	}
	plain := testBlocks["dump"]
	payload, codec, err := c.Encode(nil, plain)
	if !errors.Is(err, ErrMiscoded) || codec != index.Raw || !bytes.Equal(payload, plain) {
		t.Errorf("%v, %v", codec, err)
	}
}

func TestBlockThatDecodesToAnotherIsMiscoded(t *testing.T) {
	w := newCoder(Fastest)
	for _, name := range []string{"dump", "volume"} {
		plain := testBlocks[name]
		payload := w.encode(nil, plain, false)
		if err := w.check(payload, plain); err != nil {
			t.Error(name, err)
		}
		for _, at := range []int{0, len(plain) / 2, len(plain) - 1} {
			if err := w.check(payload, flip(plain, at)); !errors.Is(err, ErrMiscoded) {
				t.Errorf("%s: byte %d is another: %v", name, at, err)
			}
		}
	}
}

func TestDecodeTakesNothingElse(t *testing.T) {
	c := testCodec(t, Fastest)
	plain := dumpText(5000)
	good, codec, _ := c.Encode(nil, plain)
	other := append([]byte{0}, must(zstd.NewWriter(nil)).EncodeAll(plain, nil)...) // with a checksum
	noSize := new(bytes.Buffer)
	noSize.WriteByte(0)
	w := must(zstd.NewWriter(noSize, zstd.WithEncoderCRC(false)))
	w.Write(plain[:4000])
	w.Flush()
	w.Write(plain[4000:])
	w.Close()
	window := append([]byte{0}, must(zstd.NewWriter(nil, zstd.WithEncoderCRC(false), zstd.WithSingleSegment(false))).EncodeAll(plain, nil)...)
	skippable := []byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9}
	for name, payload := range map[string][]byte{
		"nothing":           nil,
		"shape only":        {0},
		"another shape":     append([]byte{0x12}, good[1:]...),
		"no frame":          good[:5],
		"cut off":           good[:len(good)-1],
		"with a byte more":  append(bytes.Clone(good), 0),
		"two frames":        append(bytes.Clone(good), good[1:]...),
		"a frame to skip":   append(bytes.Clone(good), skippable...),
		"skipped before":    append(append([]byte{0}, skippable...), good[1:]...),
		"with a checksum":   other,
		"without its size":  noSize.Bytes(),
		"with a window":     window,
		"another beginning": append([]byte{0}, plain...),
	} {
		if b, err := c.Decode(nil, payload, codec, len(plain)); err == nil {
			t.Errorf("%s: decoded to %d bytes", name, len(b))
		}
	}
	for _, n := range []int{-1, 0, len(plain) - 1, len(plain) + 1, index.MaxPlain + 1} {
		if _, err := c.Decode(nil, good, codec, n); err == nil {
			t.Errorf("decoded as %d bytes", n)
		}
		if _, err := c.Decode(nil, plain, index.Raw, n); err == nil {
			t.Errorf("raw block taken for %d bytes", n)
		}
	}
	if _, err := c.Decode(nil, good, 7, len(plain)); err == nil {
		t.Error("decoded with an unknown codec")
	}
}

// A frame of a few KiB that would inflate to 64 MiB.
func TestBombIsRefusedBeforeAnythingIsAllocated(t *testing.T) {
	c := testCodec(t, Fastest)
	if _, _, err := c.Encode(nil, dumpText(1000)); err != nil { // warm
		t.Fatal(err)
	}
	frame := must(zstd.NewWriter(nil, zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true), zstd.WithWindowSize(1<<26))).EncodeAll(make([]byte, 64<<20), nil)
	payload := append([]byte{0}, frame...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.Decode(nil, payload, index.Zstd, 1000)
	runtime.ReadMemStats(&after)
	if err == nil || after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("%v after %d bytes allocated", err, after.TotalAlloc-before.TotalAlloc)
	}
}

func TestCodecIsSafeForConcurrentUse(t *testing.T) {
	c := testCodec(t, Fastest)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			plain := dumpText(20_000 + i)
			for range 10 {
				payload, codec, err := c.Encode(nil, plain)
				if err != nil {
					t.Error(err)
				}
				if back, err := c.Decode(nil, payload, codec, len(plain)); err != nil || !bytes.Equal(back, plain) {
					t.Error("does not come back", err)
				}
			}
		})
	}
	all.Wait()
}

func TestLevelsHaveNames(t *testing.T) {
	for l := Fastest; l <= Best; l++ {
		if got, err := ParseLevel(l.String()); err != nil || got != l {
			t.Errorf("%v: %v, %v", l, got, err)
		}
	}
	if _, err := ParseLevel("level 9"); err == nil {
		t.Error("level 9")
	}
	if _, err := NewCodec(0); err == nil {
		t.Error("codec of level 0")
	}
}
