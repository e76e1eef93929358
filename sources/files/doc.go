// Package files reads folders of a disk as a sources.Source, and writes them
// back through a Target.
//
// # Reading
//
// A Source walks the given paths depth first and in order, though it lists
// folders and asks for metadata in parallel and ahead of the reader:
//
//	given paths ─ tree of them ─┐
//	                            ▼
//	queue of jobs, in the order of the walk ──► workers: list a folder, or
//	     ▲                                       lstat up to 512 names of it
//	     └── folders found ◄─────────────────────────┘ │
//	                                                   ▼
//	Entries ◄── yields a folder's batches, and each folder's own where it stands
//
// A worker always takes the earliest job of the walk, and only while few enough
// entries wait to be yielded; the one job Entries is waiting for is always
// allowed. So the walk can neither run away nor stand still, and a folder of a
// million entries costs its names and a few batches of metadata.
//
// System calls are relative to folder handles: no path is resolved twice, paths
// may be longer than the system's limit, and a folder that is renamed during
// the walk is still walked to its end. Handles are counted and the idle ones
// closed beyond a bound; a handle needed again is opened anew by way of its
// parent, and must then be the same folder.
//
// Guarantees:
//
//   - A symbolic link is never followed, so there are no loops. A given path that
//     is a link is stored as the link; only the folders above a given path may
//     be links, and are then stored as the folders that they lead to.
//   - Given paths that repeat, overlap or lie in each other are walked once.
//   - What vanishes before it is yielded was never there, unless it is a given
//     path. What cannot be read is yielded with its error, and the walk goes on.
//   - Reading does not change access times where the system permits that.
//
// # Writing
//
// A Target is a folder that nothing written to it can leave: every path is
// taken apart, every folder on the way is opened by one name relative to its
// parent's handle and without following links. See Target.
//
// # Systems
//
// Linux, from 4.11, has everything. macOS has no holes, no preallocation, and
// special files are not restored. On Windows a drive is the first element of a
// path ("/C/Users"), handles are os.Root, and owners, modes, ACLs, alternate
// streams, hard links, holes and special files are not kept; attributes and the
// time of creation are read but not restored. Other systems are like Windows,
// with modes.
package files
