// Package transfer copies snapshots from one repository to another.
//
// # Nouns
//
// The two repositories are companions when one was made like the other: chunks
// have the same IDs in both, and so have trees and content lists. Otherwise they
// are independent. A line is a snapshot with its edited copies, wherever they
// lie: all of them name the first as Original. A copy belongs to the line of
// what it was copied from, and that is how a second copying knows it.
//
// # Companions
//
//	mark what the snapshots need in the source
//	leave out what the target has
//	for each pack that holds some of the rest, content before trees:
//	    read it once, in order
//	    open each block, decompress it, compare every chunk with its ID
//	    a block that is needed whole  → sealed for the target as it was compressed
//	    of any other                  → the missing chunks, compressed anew
//	flush; store the manifests, the oldest first
//
// What no chosen snapshot needs never travels, not even because it lies in the
// same block.
//
// # Independent repositories
//
//	for each snapshot, the oldest first:
//	    walk its tree beside that of the last one copied
//	    what is the same there     → what it became then, unread
//	    the content of other files → read, and cut, named and compressed anew
//	    flush; store the manifest
//
// # Guarantees
//
//   - A manifest is stored only when all that its snapshot needs is durable in
//     the target and was verified on the way.
//
//   - Wherever a copying is cut off, what it stored is used by the next one.
//
//   - What is damaged in the source costs the snapshots that need it, and those
//     only; it is named by its paths.
//
//   - Where a check has found damage in the target, copying from a companion
//     stores anew what was lost, also of snapshots that are there.
//
//     plan, err := transfer.New(ctx, from, to, chosen, transfer.Options{})
//     result, err := plan.Run(ctx)
package transfer
