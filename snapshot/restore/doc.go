// Package restore brings what a snapshot holds back to a sink, above all to a
// folder.
//
// # The plan
//
// Chunks of old files lie scattered over many packs, so a restore does not go
// from file to file but from pack to pack:
//
//	walk the tree, in order:
//	    make folders, links and special files at once
//	    for each file: look up its chunks, note (pack, block, chunk) → (file, offset)
//	when enough is noted, or at the end:
//	    for each pack, several at a time:
//	        read the needed blocks once and in order; open each once
//	        verify each chunk; write it to its files at its offsets
//	    a file whose last chunk is written gets its metadata and is closed
//	    hard links; then the metadata of the folders that are complete
//
// What is noted is bounded, so memory does not grow with what is restored.
//
// # Guarantees
//
// Nothing but verified chunks is written. A file of which a chunk cannot be had
// is removed again and named as a problem; all others come back. What a restore that
// was killed has left of a file that was not complete has the mode 0200, or stands
// beside its name as ".chartkeep-…"; the next restore takes it for nothing and writes
// the file anew, whatever Overwrite says. (Not so a file that is overwritten in place,
// and not on Windows, which has no modes.) Nothing is
// written outside the sink's folder, whatever names or links the snapshot or
// the folder hold.
package restore
