// Package chunk cuts streams of bytes into chunks and names them.
//
// A chunk is a piece of plaintext whose ends were chosen by the bytes before
// them, so that an insertion moves the cuts after it along with the data and
// only the chunks it touches are new. A chunk's [ID] is the keyed BLAKE3 hash
// of its bytes: equal chunks are stored once, and without the key nobody can
// tell from an ID whether a repository holds a known document.
//
// The nouns:
//
//	Hasher    names chunks
//	Params    how a repository cuts: the algorithm, and the sizes of each profile
//	Profile   Fine for data edited in place, Coarse for media that never is
//	Classify  says from a file's first bytes which profile it gets
//	Cutter    Params and a key made ready for use; shared and immutable
//	Splitter  one stream on its way through a Cutter
//
// # Where a cut falls
//
// Params, key and data decide, and nothing else: not the sizes of the reads,
// not the machine. A chunk of n bytes ends where Min <= n <= Max and the hash
// of its last 64 bytes hits, at the first n where that is so; at Max whatever
// the hash; and at the end of the stream.
//
//	0                       Min-64            Min        cut           Max
//	├── not looked at ────────┼── first window ─┼── tested ──┼ ─ ─ ─ ─ ─ ─┤
//
// [Gear] (Xia et al., FastCDC, USENIX ATC 2016) keeps the hash in 64 bits:
// h = h<<1 + table[b], where table holds 256 numbers derived from the key. A
// byte leaves h after 64 shifts, which is the window. It hits where
// h < 2^64/(Avg-Min), so that chunks of random data are Avg bytes long in the
// mean.
//
// FastCDC has two masks, a strict one before a target size and a loose one
// after it, to keep sizes close to the mean. Skipping ahead to a high minimum
// and testing one limit from there does the same with less work. At an equal
// mean of 8 KiB, the next night of a 367 MB database dump (1 % of its rows
// updated) brings this much that is new, for rows updated in runs and alone:
//
//	minimum 1/4 of the target, no masks         27.4 MB   138.9 MB
//	minimum 1/4 of the target, masks of 1 bit   24.4 MB   124.8 MB
//	minimum 1/4 of the target, masks of 2 bits  24.6 MB   120.7 MB
//	minimum 1/2 of the target, masks of 1 bit   24.1 MB   121.7 MB
//	minimum 5/8 of the mean, one limit          23.7 MB   120.3 MB
//
// and five bytes of eight are never looked at.
//
// [Rabin] is the fingerprint of github.com/restic/chunker, over a polynomial
// derived from the key: several times slower, and older.
//
// A secret table or polynomial alone does not hide what is cut: chunk lengths
// give it away, so whoever stores chunks must not show them.
package chunk
