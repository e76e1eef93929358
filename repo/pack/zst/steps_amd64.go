package zst

import "golang.org/x/sys/cpu"

// Usable reports whether this processor can do it.
func Usable() bool { return usable }

// AVX2 comes with LZCNT, but an emulator may leave it out, and then it is executed
// as another instruction.
var usable = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && leadingZeros(1) == 31

func leadingZeros(x uint32) uint32

// find looks up positions from (a multiple of 64) to to (likewise) of src, of which
// eight bytes can be read at each, and puts them into last, of 1<<tableLog. cand and
// match begin with the position from.
//
//go:noescape
func find(last *uint32, src *byte, cand *uint32, match *uint64, from, to int)

// parseJob is a tile for parse. In src, reach bytes can be read from to+margin on.
type parseJob struct {
	src   *byte
	cand  *uint32
	match *uint64
	from  int
	lanes [2]lane
}

// lane is a stretch in which matches begin before to and end at to+margin at the
// latest. n is set to how many were found.
type lane struct {
	found *sequence
	from  int
	to    int
	n     int
}

//go:noescape
func parse(j *parseJob)

// gatherJob makes records of what was found, and counts their symbols. At is moved
// on to the end of the last match, numLiterals and numRecords by what was added.
// The three last distances of the block so far are kept, 0 while there are fewer.
// From each match's literals, and to where they are put, reach bytes more are
// copied at most.
type gatherJob struct {
	src         *byte
	at          int
	found       *sequence
	n           int
	literals    *byte
	numLiterals int
	records     *record
	numRecords  int
	tables      *codeTables
	//lint:ignore U1000 gather goes on with them
	distances [3]uint32
}

//go:noescape
func gather(j *gatherJob)

// encodeJob writes the first n records, the last one of them first, and leaves
// fewer than 8 bits unwritten.
type encodeJob struct {
	records *record
	n       int
	out     *byte
	written int
	states  *[3]stateTable
	bits    uint64
	numBits int // at most 64-8
	state   [3]uint32
}

//go:noescape
func encode(j *encodeJob)
