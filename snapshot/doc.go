// Package snapshot turns a source's entries into a tree of nodes in a
// repository, and reads such trees back.
//
// # Nouns
//
// A node is one entry: a file, a folder, a link, with all its file system knows
// of it. A tree is the sorted nodes of one folder. A content list is the chunks
// of one file in order. A snapshot is the manifest that names the root tree and
// says when, where and by which plan it was made, and how it went.
//
// # Long lists
//
// Trees and content lists share one shape. Items are laid in pieces, a piece is
// cut after an item that its own hash chooses, and every piece is stored as a
// chunk. When there is more than one piece, the references to them are a list
// of the next level, cut in the same way:
//
//	level 0    node node node | node node | node …       or    chunk chunk | chunk …
//	level 1    ref(piece) ref(piece) ref(piece) | ref(piece) …
//	level 2    ref(piece) ref(piece)
//
// A cut depends on the item before it alone, so a change in one place changes
// one piece of each level, whatever the length of the list, and equal lists
// have equal references. A tree ends in one reference; a content list ends when
// its references are few enough to stand in the node.
//
// # Saving
//
//	for each entry of the source, in order:
//	    look for it in the parent snapshot's tree, read in step
//	    unchanged file     → the parent's node again
//	    small file         → read, hash and put by one of many readers
//	    big file           → cut, hash and put by one of few
//	    end of a folder    → encode its tree, or, when every node in it is the
//	                         parent's, take over the parent's reference
//	flush the writer; store the manifest
//
// Nodes are assembled in the source's order by one goroutine that waits for
// each file's content, so memory depends on how much is under way and not on
// how many entries there are.
package snapshot
