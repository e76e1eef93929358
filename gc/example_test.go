package gc_test

import (
	"fmt"
	"strings"
	"time"

	"chartkeep/gc"
)

func ExampleDecide() {
	chicago, _ := time.LoadLocation("America/Chicago")
	snaps := []gc.Snapshot{
		{ID: "a", Time: time.Date(2026, 10, 30, 19, 30, 0, 0, chicago), Complete: true},
		{ID: "b", Time: time.Date(2026, 11, 1, 1, 30, 0, 0, chicago), Complete: true},
		{ID: "c", Time: time.Date(2026, 11, 2, 19, 30, 0, 0, chicago), Complete: true},
	}
	policy := gc.Policy{BusinessDays: 1, Monthly: 12}
	calendar := gc.Calendar{Zone: chicago, DayEndsAt: 4 * time.Hour}
	for _, d := range gc.Decide(snaps, policy, calendar, time.Date(2026, 11, 2, 20, 0, 0, 0, chicago)) {
		fmt.Println(d.Snapshot.ID, d.Keep, strings.Join(d.Reasons, "; "))
		if d.Keep {
			fmt.Println("  goes", d.Until.Format(time.DateOnly), d.Goes)
		}
	}
	// Output:
	// c true business day 2026-11-02; month 2026-11 so far
	//   goes 2026-11-03 when 1 more business day has a snapshot
	// b true month end 2026-10
	//   goes 2027-10-01 when 11 more months have a snapshot
	// a true oldest, while monthly is not full
	//   goes 2027-09-01 when 10 more months have a snapshot
}
