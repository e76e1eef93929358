//go:build amd64

package argon2

import (
	"encoding/binary"
	"runtime/debug"
	"sync"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/sys/cpu"
)

const (
	blockWords = 128 // of 64 bits
	slices     = 4   // segments of a lane
	version    = 0x13
	variant    = 2 // Argon2id
)

type block [blockWords]uint64

// job is one derivation.
type job struct {
	passes  uint32
	lanes   uint32
	lane    uint32 // blocks of a lane
	segment uint32 // blocks of a segment
	memory  []block
}

// Own reports whether Key does the work itself, and not the library.
func Own() bool { return cpu.X86.HasAVX2 }

// Key returns n bytes. Memory is in KiB; passes and lanes are at least 1.
func Key(password, salt []byte, passes, memory uint32, lanes uint8, n uint32) []byte {
	if inHeap || !cpu.X86.HasAVX2 {
		defer debug.FreeOSMemory()
	}
	if !cpu.X86.HasAVX2 {
		return argon2.IDKey(password, salt, passes, memory, lanes, n)
	}
	return derive(password, salt, passes, memory, uint32(lanes), n)
}

func derive(password, salt []byte, passes, memory, lanes, n uint32) []byte {
	segment := max(memory/(slices*lanes), 2)
	j := &job{passes: passes, lanes: lanes, lane: slices * segment, segment: segment}
	var release func()
	j.memory, release = room(int(lanes * j.lane))
	defer release()
	j.begin(seed(password, salt, passes, memory, lanes, n))
	j.fill()
	return j.extract(n)
}

// seed is H₀ of the RFC, with room for the two numbers that follow it.
func seed(password, salt []byte, passes, memory, lanes, n uint32) []byte {
	b := make([]byte, 0, 128+len(password))
	for _, v := range []uint32{lanes, n, memory, passes, version, variant} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, field := range [][]byte{password, salt, nil, nil} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	h := blake2b.Sum512(b)
	clear(b)
	return append(h[:], make([]byte, 8)...)
}

// begin makes the first two blocks of each lane.
func (j *job) begin(seed []byte) {
	var bytes [8 * blockWords]byte
	for lane := range j.lanes {
		for i := range uint32(2) {
			binary.LittleEndian.PutUint32(seed[blake2b.Size:], i)
			binary.LittleEndian.PutUint32(seed[blake2b.Size+4:], lane)
			stretch(bytes[:], seed)
			b := &j.memory[lane*j.lane+i]
			for w := range b {
				b[w] = binary.LittleEndian.Uint64(bytes[8*w:])
			}
		}
	}
}

func (j *job) fill() {
	for pass := range j.passes {
		for slice := range uint32(slices) {
			var work sync.WaitGroup
			for lane := range j.lanes {
				work.Go(func() { j.fillSegment(pass, slice, lane) })
			}
			work.Wait()
		}
	}
}

// fillSegment makes the blocks of one segment. In the first half of the first
// pass what they are made of does not depend on the password, so that nobody can
// learn of it by watching which memory is read.
func (j *job) fillSegment(pass, slice, lane uint32) {
	independent := pass == 0 && slice < slices/2
	next := addresses{in: block{uint64(pass), uint64(lane), uint64(slice), uint64(len(j.memory)), uint64(j.passes), variant}}
	first := uint32(0)
	if pass == 0 && slice == 0 {
		first = 2
	}
	start := lane*j.lane + slice*j.segment
	before := start + first - 1
	if slice == 0 && first == 0 {
		before += j.lane
	}
	for i := first; i < j.segment; i++ {
		previous := &j.memory[before]
		chosen := previous[0]
		if independent {
			chosen = next.at(i)
		}
		other := &j.memory[j.reference(chosen, pass, slice, lane, i)]
		before = start + i
		if pass == 0 { // and nothing is read of memory that was never written
			mix(&j.memory[before], previous, other)
		} else {
			mixInto(&j.memory[before], previous, other)
		}
	}
}

// addresses are the numbers that choose blocks where the password must not.
type addresses struct {
	in, out block
	made    uint64 // so many blocks of them
}

// at returns the number for the i-th block of a segment; i only grows.
func (a *addresses) at(i uint32) uint64 {
	if a.made != uint64(i/blockWords)+1 {
		var zero block
		a.made++
		a.in[6] = a.made
		mix(&a.out, &a.in, &zero)
		mix(&a.out, &a.out, &zero)
	}
	return a.out[i%blockWords]
}

// reference returns which block a number chooses, of those that are complete
// (RFC 9106, 3.4.2).
func (j *job) reference(chosen uint64, pass, slice, lane, i uint32) uint32 {
	from := uint32(chosen>>32) % j.lanes
	if pass == 0 && slice == 0 {
		from = lane
	}
	complete, oldest := slice*j.segment, uint32(0)
	if pass > 0 {
		complete, oldest = (slices-1)*j.segment, (slice+1)%slices*j.segment
	}
	switch {
	case from == lane:
		complete += i - 1
	case i == 0:
		complete--
	}
	x := chosen & 0xffff_ffff
	x = x * x >> 32
	back := uint32(x * uint64(complete) >> 32)
	return from*j.lane + (oldest+complete-1-back)%j.lane
}

// extract makes the key of the last blocks of all lanes.
func (j *job) extract(n uint32) []byte {
	var last block
	for lane := range j.lanes {
		for i, w := range j.memory[(lane+1)*j.lane-1] {
			last[i] ^= w
		}
	}
	bytes := make([]byte, 0, 8*blockWords)
	for _, w := range last {
		bytes = binary.LittleEndian.AppendUint64(bytes, w)
	}
	key := make([]byte, n)
	stretch(key, bytes)
	return key
}

// stretch is H′ of the RFC: a hash of any length.
func stretch(out, in []byte) {
	length := binary.LittleEndian.AppendUint32(nil, uint32(len(out)))
	whole := append(length, in...)
	if len(out) <= blake2b.Size {
		copy(out, hash(len(out), whole))
		return
	}
	v := hash(blake2b.Size, whole)
	for len(out) > blake2b.Size {
		out = out[copy(out, v[:blake2b.Size/2]):]
		v = hash(min(blake2b.Size, len(out)), v)
	}
	copy(out, v)
}

func hash(size int, in []byte) []byte {
	h, err := blake2b.New(size, nil)
	if err != nil {
		panic(err) // size is from 1 to 64
	}
	h.Write(in)
	return h.Sum(nil)
}
