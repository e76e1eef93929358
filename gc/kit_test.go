package gc_test

import (
	"time"

	"chartkeep/gc"

	"github.com/rickar/cal/v2"
)

// location is a zone by name. The tests need the system's zone files or those
// of the Go installation.
func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

func public(code string) []*cal.Holiday {
	days, err := gc.Holidays(code)
	if err != nil {
		panic(err)
	}
	return days
}

func kept(decisions []gc.Decision) (stay []gc.Snapshot) {
	for _, d := range decisions {
		if d.Keep {
			stay = append(stay, d.Snapshot)
		}
	}
	return stay
}
