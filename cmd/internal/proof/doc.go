// Package proof holds the tests of the program as a whole, and of nothing else:
// what a practice relies on, tried as it may happen to it.
//
//   - Damage: every byte of a repository turned, every file cut off, lost or
//     swapped. It is always found, nothing wrong ever comes out, and what is
//     within the parity comes back and is mended.
//   - Crashes: the power cut before every operation of a backup, a prune, a copy,
//     a change of keys, a repair, of the bin, the log and the reserve. What was
//     reported as saved restores.
//   - Power: the same of real file systems, ext4 and XFS in an image, which the
//     kernel shuts down at random moments of the real program.
//   - Faults: every call of the store failing, and every call of the file system
//     with every error, once and for good. No failure is reported as success.
//   - Kills: the real program killed at random moments, asked to stop, and run
//     twice at the same time.
//   - Hostility: repositories made with a key to harm whoever opens them. Memory and
//     time stay within bounds, nothing is written outside of the target, and a log
//     that was set back is noticed.
//   - Model: random lives, compared with what a user believes; ten years of nights.
//   - Memory: bits that turn in the program and on the way to the drive.
//   - Secrets: canaries that are found in no file and in nothing that is said.
//   - Round trips: the real program on a tree with everything that a file system
//     knows, compared by an independent listing.
//   - Bounds: how much a second night adds, how much memory a run takes, how
//     little a restore of one file reads.
//
// The tests run in a short form. Their long form is make torture, in parts; what
// it found, and how each test was shown to be able to fail, is in
// docs/reliability.md.
package proof
