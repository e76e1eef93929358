// Package index knows where every chunk of a repository is.
//
// A [Directory] says what one pack holds. It is stored in the pack itself, and copies of many directories make up
// the segments of the repository's index. An [Index] is the fast local copy of all segments. It is never
// authoritative: whoever opens it compares [Index.Segments] with what the repository has, imports what is missing,
// and forgets what is gone. Removing its files changes nothing but time.
//
//	ix, err := index.Open(dir, key, index.Options{})
//	if err != nil {
//		ix = index.NewMemory() // busy, or nowhere to write
//	}
//	known, err := ix.Segments()
//	// Import each segment of the repository that is not known, Forget each known one that is not there.
//	fresh, err := ix.Claim(id) // true: store the chunk, then Add the pack it went into
//
// # How it is laid out
//
// An average of 8 to 16 KiB a chunk makes many chunks: ten million in 80 to 160 GB. A database entry for each costs too
// much, in memory as in time, so Badger only holds larger values, each sealed with AES-256-GCM:
//
//	parts      the chunks in the order in which they became known, 512 a value: IDs and places
//	pages      the fingerprint table: up to 4,096 values, selected by the first bits of an ID
//	segments   which packs a segment lists
//	root       what of all that counts
//
// A chunk's number in that order is its ordinal. A page is a list of fingerprints (44 bits of the ID), each with an
// ordinal, which leads to a part, where the whole ID is compared. So a miss reads one page, and a hit
// also one part; chunks that were stored together are looked up together, and find their part at hand. Pages and parts
// are read when they are first wanted, and as many are kept as Options allow.
//
// The pages are rewritten seldom. What has come since is in memory, the delta, and is made from the newest parts
// when the cache is opened. A cache of up to a quarter million chunks has no pages at all.
//
// # What a crash leaves
//
// Values are written first, then the root, in one transaction. Before the root is written nothing leads to them;
// afterwards everything is there. Numbers that a crash made free can be given again, so a value says what it
// belongs to, and one that was left behind is not taken for another. Whoever opens a cache that was not closed reads
// all of it; whatever is wrong in it, the answer is an empty cache.
package index
