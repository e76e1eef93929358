package snapshot

import "slices"

// Newest returns the last of the snapshots that want is true for, or nil. They
// are sorted by time.
func Newest(all []*Snapshot, want func(*Snapshot) bool) *Snapshot {
	for _, s := range slices.Backward(all) {
		if want(s) {
			return s
		}
	}
	return nil
}

// Last returns the snapshot that was written last by a host, or nil: by the
// host's own count, as its clock may have jumped.
func Last(all []*Snapshot, host string) *Snapshot {
	var last *Snapshot
	for _, s := range all {
		if s.Host == host && (last == nil || s.Sequence >= last.Sequence) {
			last = s
		}
	}
	return last
}

// SameSource reports whether o was made from the same host and plan, or without
// a plan from the same paths, so that comparing with it saves reading. A plan
// may get another folder and remains the plan.
func (s *Snapshot) SameSource(o *Snapshot) bool {
	return s.Host == o.Host && s.Plan == o.Plan && (s.Plan != "" || slices.Equal(s.Paths, o.Paths))
}
