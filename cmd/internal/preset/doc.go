// Package preset knows practice systems: where each keeps its database and its
// files. It fills in what a source of the configuration does not say, and says in
// plain words what it has found, what is covered by that, and what is not.
//
//	filled, err := preset.Fill(ctx, source, preset.Options{Computer: host})
//	if err != nil {
//		return err // it names what to write instead
//	}
//	for _, words := range filled.Words {
//		...
//	}
//	save(filled.Source)
//
// What the source says stays. No name is guessed: what is not found is an error.
//
// # Open Dental
//
// Known from the vendor's published source code and manual. FreeDentalConfig.xml,
// beside the program, holds
//
//	ConnectionSettings/DatabaseConnection/ComputerName   server, perhaps server:port
//	                                      Database
//	                                      User
//	                                      Password       plain; or empty, and
//	                                      MySQLPassHash  the password, obfuscated: not used here
//	ConnectionSettings/ServerConnection/URI              a middle tier: no database is named
//
// The first folder of these that is there is the image folder, which has the
// patients' folders below a folder for each letter:
//
//	replicationserver.AtoZpath         of a replicating server
//	computerpref.AtoZpath              of a computer
//	preference DocPath                 several, with semicolons between them
//
// The preference AtoZfolderUsed is 0 when images are in the database, 1 for a
// folder, 2 for Dropbox, 3 for an SFTP server. A document's file is
// F/FOLDER/FILE, where FOLDER is patient.ImageFolder, F its first letter as a
// capital, and FILE document.FileName; those of eobattach are in EOBs, those of
// ehramendment in Amendments. That a port may follow the server's name was not
// verified; a name with a colon and a number can mean nothing else.
//
// # EXACT
//
// Known from the vendor's help pages: the list of data folders is databases.ini
// in the program's folder, the folders that come with it lie in
// ProgramData\Software of Excellence\EXACT Server, a data folder is known by the
// file UNICONFIG6.FS5, X-rays may lie elsewhere, and the vendor advises to back
// up the copy that EXACT makes of its data rather than data that is in use. What
// the lines of databases.ini look like was not verified: whatever in them is the
// path of such a folder is taken.
//
// # MacPractice, SOAPware
//
// That they use MySQL and PostgreSQL is known, and that SOAPware keeps its
// attachments in the database. Neither vendor publishes the names of databases,
// users or folders. Unless the source says more, all databases of the usual
// server on this computer are saved, so that none is missed; MacPractice's folders
// have to be said, and the error tells how.
package preset
