// Package pack puts sealed blocks into pack files that describe and heal
// themselves, and makes payloads for blocks to be sealed.
//
// # Nouns
//
// A block is a run of chunks. Its payload is what is sealed of it: the block
// itself, or what a [Codec] made of it. A pack is an immutable file of sealed
// blocks of one class and one session, filled by a [Builder], with a directory
// that says which chunks are where. A shard is an equally long piece of a file,
// known by its sum; shards in which a fixed distance lies between one and the
// next form a stripe and have parity together. A head and a table are what the
// rest is found and checked with; there are two of each, far from each other.
//
// # The file
//
//	     ┌───────────────────────────┐
//	     │ head                      │ clear: magic, geometry, label, checksum   88 bytes
//	data ├───────────────────────────┤
//	 re- │ block ‖ block ‖ …         │ sealed by the session, back to back
//	gion ├───────────────────────────┤
//	     │ directory                 │ sealed by the box, zeros at the end of its plaintext
//	     ╞═══════════════════════════╡ a multiple of the shard length
//	     │ table A                   │ geometry, sums of all shards, checksum
//	     ├───────────────────────────┤
//	     │ parity shards             │ absent when there is no parity
//	     ├───────────────────────────┤
//	     │ table B                   │ = table A
//	     ├───────────────────────────┤
//	     │ head                      │ = the first one
//	     └───────────────────────────┘
//
//	head     = magic 8 ‖ geometry 12 ‖ label 52 ‖ checksum 16
//	geometry = data length u32 ‖ shard length u32 ‖ stripes u16 ‖ parity shards of a stripe u16
//	label    = session 16 ‖ class 1 ‖ 0 0 0 ‖ locator 32 (sealed: offset of the directory u32)
//	table    = geometry 12 ‖ sum 16 of every shard, parity last ‖ checksum 16
//	sum, checksum = the first 16 bytes of BLAKE3
//
// Numbers are little endian. The magic ends with the version of the format. The
// length of the data region decides the length of a shard (as large a power of
// two, from 1 KiB to 64 KiB, as leaves 64 of them) and the number of stripes (a
// stripe has at most 128 data shards). Shard i, parity shards counted after the
// data shards, belongs to stripe i modulo stripes.
//
// # Guarantees
//
//   - A pack's name follows from its geometry and the sums of its data shards: a
//     healed pack has the name that it had, and a file that was swapped for
//     another is noticed.
//   - Of a file with parity any single place may be lost, its front, its tail from
//     the end of the data region on, or a burst of (stripes · parity − 1) shards
//     anywhere: its directory is found, and [Repair] returns the file as it was,
//     byte for byte. Without parity this holds for heads and tables.
//   - More damage than that costs the stripes that it hit; [Mend] gives the rest.
//   - Of what a pack holds only the padded length of its data region can be seen,
//     with its class and session: not where a block begins, nor how many blocks
//     or chunks there are.
//   - Whatever the bytes of a file are, reading it does not panic, and takes memory
//     in proportion to its length.
//
// The same container around any sealed bytes is what [Protect] makes.
//
// # Payloads
//
// A block that looks like noise is sealed as it is, after a look at a sixtieth of
// it. Any other is compressed by zstd, a run of 16-bit samples after they were
// made differences, and what was compressed is decoded again and compared before
// it is used.
package pack
