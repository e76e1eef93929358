// Package repo is a chartkeep repository: a store full of sealed, immutable
// files that give back, for a password, every byte that was put in.
//
// # Nouns
//
// A chunk is a piece of plaintext, named by its keyed BLAKE3 hash. A block is a
// run of new chunks, compressed and sealed together. A pack is an immutable
// file of blocks that describes itself. A segment is a sealed copy of the
// directories of the packs that one run wrote, kept so that the packs need not
// be opened to know what they hold. A session is one writing run: it draws the
// keys of its blocks and leaves them, sealed to the repository's public key, in
// a file of its own. A document is a small sealed file with a meaning of its
// own, above all a snapshot.
//
//	Put(chunk) ─ hash ─ claim ─┬─ known: nothing to do
//	                           └─ new ─ open block ─ compress ─ seal ─ open pack ─ Store.Put
//
//	Load(id)  ─ index ─ read block ─ open ─ decompress ─ hash ─ compare with id
//
// # Guarantees
//
//   - What Flush returned nil for is durable: packs first, then the segment that
//     names them, then, by the caller, the document that refers to them.
//   - Nothing stored is overwritten or removed, except by the exported functions
//     that say so (Remove… for garbage collection, Repair… for healing).
//   - Every chunk's ID is computed again on every read. A block that does not open
//     is mended from its pack's parity, or sought in another pack, before the
//     read fails; what does not need it is not disturbed.
//   - The files that everything depends on (configuration, key slots, sessions,
//     documents) are written twice, in different folders, and read from
//     whichever copy is whole.
//   - The local index is a cache. When it is missing, busy or damaged the result
//     is the same and only the time differs.
package repo
