// Package proof holds the tests of the program as a whole, and of nothing else:
// what a practice relies on, tried as it may happen to it.
//
//   - Damage: every byte of a repository turned, every file cut off, lost or
//     swapped. It is always found, nothing wrong ever comes out, and what is
//     within the parity comes back and is mended.
//   - Crashes: the power cut before every operation of a backup, a prune, a
//     change of keys and a repair. What was reported as saved restores.
//   - Faults: every call of the store failing, once and for good. No failure is
//     reported as success.
//   - Kills: the real program killed at random moments, asked to stop, and run
//     twice at the same time.
//   - Round trips: the real program on a tree with everything that a file system
//     knows, compared by an independent listing.
//   - Bounds: how much a second night adds, how much memory a run takes, how
//     little a restore of one file reads.
//
// The tests run in a short form. Their long form (every byte, more kills) is
//
//	go test ./cmd/internal/proof -full -timeout 2h
package proof
