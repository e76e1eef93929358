package pack

import (
	"encoding/binary"
	"slices"

	"chartkeep/repo/pack/zst"
)

// A block is sampled at up to noiseSpots places of noiseSpot bytes: 8 KiB of
// 512 KiB, which costs a fiftieth of what zstd takes to find out the same.
const (
	noiseSpots = 64
	noiseSpot  = 128
	goldenSpot = 40503 // 2¹⁶ over the golden ratio
)

// In one spot of random bytes, 128·127/2 pairs of bytes are equal with
// probability 1/256 each: 31.75 pairs, variance 31.6. In English text there are
// 500, in a run of zeros 8128.
const (
	noisePairs    = 31.75
	noiseVariance = noisePairs * 255 / 256
	pairsCounted  = 160 // of a spot at most, so that one odd spot, a file's header, decides nothing
	flatPairs     = 60  // five standard deviations more than noise has
	flatSpots     = 4   // one in 16
)

// noise reports whether b looks like random bytes (encrypted, or compressed
// already), so that trying to compress it would be time lost. It counts equal
// pairs of bytes within each spot: a histogram far from flat, in the whole block
// or in a twentieth of it, is no noise. That finds text, and samples whose high
// bytes are alike, and everything else that an order-0 coder could make 2 %
// smaller; it misses a repetition of random bytes, which no file worth a backup
// consists of.
func noise(b []byte) bool { return sample(b, noiseSpots).noise() }

// sampling is what some spots of a block say about it.
type sampling struct {
	spots int
	pairs int // of equal bytes, in all of them
	flat  int // spots that by themselves look like noise
}

func sample(b []byte, most int) (s sampling) {
	s.spots = min(most, len(b)/noiseSpot)
	if s.spots == 0 {
		return s
	}
	stride := len(b) / s.spots
	for i := range s.spots {
		at := i*stride + i*goldenSpot%(stride-noiseSpot+1) // no period of the content agrees with this
		pairs := min(equalPairs(b[at:][:noiseSpot]), pairsCounted)
		s.pairs += pairs
		if pairs < flatPairs {
			s.flat++
		}
	}
	return s
}

func (s sampling) noise() bool {
	excess := float64(s.pairs) - noisePairs*float64(s.spots)
	return s.spots > 0 && (excess*excess < 25*noiseVariance*float64(s.spots) || excess < 0) // five standard deviations
}

// mixed reports whether a part of the block looks like noise, and is large enough to
// be looked for.
func (s sampling) mixed() bool { return s.flat >= flatSpots }

// Of a block that is text and pictures by turns, a patch that is noise is stored as
// it is. A patch is sampled at patchSpots spots, one in each KiB.
const patchSpots = zst.Patch / 1024

// noisyPatches appends which patches of b look like noise.
func noisyPatches(patches []bool, b []byte) []bool {
	for patch := range slices.Chunk(b, zst.Patch) {
		patches = append(patches, len(patch) == zst.Patch && sample(patch, patchSpots).noise())
	}
	return patches
}

// equalPairs counts the pairs of equal bytes.
func equalPairs(spot []byte) (pairs int) {
	var seen [256]uint8
	for _, c := range spot {
		pairs += int(seen[c])
		seen[c]++
	}
	return pairs
}

const (
	matchSpots  = 64
	matchSpot   = 64
	matchLength = 4
	matchShare  = 128 // one in so many places
)

// matchless reports whether next to no string of matchLength bytes in samples of b
// was in them before, so that looking for matches in b would be time lost. Runs, as
// in the margins of a picture, are matches; noise has none, whatever its histogram.
func matchless(b []byte) bool {
	if len(b) < matchSpots*matchSpot {
		return false
	}
	var seen [1 << 10]uint32
	stride := len(b) / matchSpots
	matches := 0
	for i := range matchSpots {
		at := i*stride + i*goldenSpot%(stride-matchSpot+1)
		spot := b[at:][:matchSpot]
		for len(spot) >= matchLength {
			v := binary.LittleEndian.Uint32(spot)
			place := &seen[v*0x9E3779B1>>(32-10)]
			if *place == v {
				matches++
			}
			*place = v
			spot = spot[1:]
		}
	}
	return matches < matchSpots*matchSpot/matchShare
}
