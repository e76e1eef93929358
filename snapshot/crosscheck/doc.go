// Package crosscheck compares the rows of a saved database with the files that
// lie in the same snapshot. It reads what was saved and asks no server, so that
// it judges the copy and not the original.
//
// # Nouns
//
// A rule says which column of which table names files, and where below its roots
// such a file lies. A file is covered when it lies below a folder that the
// snapshot saved. A row's file is
//
//	found      in the snapshot
//	missing    its place is covered, and nothing readable is there
//	outside    its place is in no folder that was saved
//
// and a file is an orphan when it lies where a rule's rows put theirs, and no row
// of any rule names it. Neither is a fault of the backup: a row may have lost its
// file years ago. Somebody has to know of it before the file is looked for.
//
// # Layouts
//
// A practice system that keeps a folder for each patient below a folder for each
// letter has the rule
//
//	Rule{
//		Source: "practice", Table: "document", FileColumn: "FileName",
//		FolderTable: "patient", FolderColumn: "ImageFolder", Join: "PatNum",
//		Roots: []string{"/srv/OpenDentImages"}, Layout: LetterFolderFile,
//	}
//
//	document 7: PatNum 12, FileName xray.jpg
//	patient 12: ImageFolder SmithJohn12      →  /srv/OpenDentImages/S/SmithJohn12/xray.jpg
//
// A table with a column of paths needs no more than Table, FileColumn and Roots.
//
// # Memory
//
// Two passes over the tree and one over each table: a covered file takes 8 bytes
// and a bit, whatever its name, and a row of the folder table its folder's name.
// Rows go by one field at a time, however large they are. Files are told apart by
// 64 bits of a hash with a random seed: among a million of them one false match
// is to be expected in every 30 million runs.
package crosscheck
