package sources

import "time"

// A Maintained is what became of one table that a server was asked to look
// after.
type Maintained struct {
	Work  string // analyze, vacuum, reindex, optimize
	Table string // with its database or schema: "shop.patient"
	Words string // what the server said of it; empty: nothing but that it is done
	Took  time.Duration
	Err   error // the table is as it was
}
