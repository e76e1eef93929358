// Package drill proves that a snapshot can be brought back, by doing it.
//
// # A database
//
//	is there room for it (2.5 times its data), and a server of its version?
//	start a scratch server: a private folder, a socket, nothing else
//	restore every database, with roles and users; count what came back
//	dump again with the code that made the backup; cut and hash, store nothing
//	compare with the snapshot's content lists, file by file
//	pg_amcheck --heapallindexed, or CHECK TABLE … EXTENDED
//	stop the server, remove its folder
//
// Equal content lists are equal bytes, and those are the proof. Some files may
// differ without a difference: rows of a table without a key lie in no order, so
// their digests are compared, which know none; an archive of definitions has the
// server's own numbers in it, so what it says is compared, statement by
// statement; of roles and users the scratch server has some of its own.
//
// # Files
//
// A random sample, seeded by the snapshot's ID and the time, is restored into a
// private folder by the code that every restore uses, and read back from there.
//
// # What comes of it
//
// Each source is Proven, Differs (damage counts as a difference), or NotProven:
// no server's programs here, too little space, a source that was not whole when
// it was saved, a restore that failed. NotProven is never a proof, whatever else
// went well.
//
//	report, err := drill.Run(ctx, r, s, drill.Options{})
//	if err == nil && report.Result() == drill.Proven {
//		fmt.Println("back in", report.Recovery())
//	}
//
// Whatever was started has ended, and what was written is gone, when Run
// returns, also when ctx ends first.
package drill
