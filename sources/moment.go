package sources

import "context"

// A Moment is a Source that holds one moment of something that goes on
// changing, such as a database, until it has been read.
//
// Entries begins the moment, and what cannot be had at all is its first entry's
// Err. End is called once, after everything was read or given up, whether or
// not the reading went well: it gives back what is held (connections, locks,
// processes), and says whether what was read is whole. Without a nil error of
// End nobody may take it for a backup.
type Moment interface {
	Source
	// End returns what is worth remembering of the moment, in words a person
	// can read: "server" = "PostgreSQL 15.18", "position" = "0/1A2B3C". The
	// facts are valid beside an error too.
	End(ctx context.Context) (facts map[string]string, err error)
}
