package schedule

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// Merged are the coming times of several plans, in order; at the same time in
// the order of their names.
func Merged(plans map[string]Times, after time.Time, zone *time.Location) iter.Seq2[time.Time, string] {
	return func(yield func(time.Time, string) bool) {
		next := map[string]time.Time{}
		for name, t := range plans {
			next[name] = Next(t, after, zone)
		}
		names := slices.Sorted(maps.Keys(plans))
		for {
			first := ""
			for _, name := range names {
				if at := next[name]; !at.IsZero() && (first == "" || at.Before(next[first])) {
					first = name
				}
			}
			if first == "" || !yield(next[first].In(zone), first) {
				return
			}
			next[first] = Next(plans[first], next[first], zone)
		}
	}
}
