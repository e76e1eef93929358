// Package argon2 derives keys from passwords with Argon2id (RFC 9106). It gives
// what golang.org/x/crypto/argon2 gives, bit for bit, in less time: a command
// that does little spends most of its time here. On processors
// without AVX2 that package does the work.
//
//	memory   lane 0   ┌ segment 0 ┬ segment 1 ┬ segment 2 ┬ segment 3 ┐
//	         lane 1   ├───────────┼───────────┼───────────┼───────────┤
//	         …        └───────────┴───────────┴───────────┴───────────┘
//
// A pass fills one column of segments after the other, its lanes at the same
// time. A block is made of the one before it in its lane and of another one, that
// the password chooses.
//
// Two things are faster: a block is mixed in registers of 256 bits, and on Linux the
// memory comes from the system in large pages. It goes back to the system at once:
// kept by the heap it would be most of a backup's footprint.
package argon2
