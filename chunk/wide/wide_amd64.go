package wide

import "golang.org/x/sys/cpu"

// Available reports whether the processor and the system have what Sum needs.
var Available = cpu.X86.HasAVX512F

// sixteen hashes so many blocks of 64 bytes in each of sixteen lanes, whose inputs
// lie at offsets from in, from the key on: with the flags first for the first
// block, between for those between, and last for the last one, to which first is
// added when there is only one. It writes the lanes' values, word by word.
//
//go:noescape
func sixteen(in *byte, offsets *[lanes]uint64, blocks int, key *[8]uint32, numbers *[lanes]uint32, first, between, last uint32, out *[8][lanes]uint32)
