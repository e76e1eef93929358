package snapshot

import "sync/atomic"

// Progress counts what is done of a run. It may be read at any time.
type Progress struct {
	Files, Bytes           atomic.Int64 // done
	TotalFiles, TotalBytes atomic.Int64 // expected; 0: not known
	Errors                 atomic.Int64
	Current                atomic.Pointer[string] // path being read
}
