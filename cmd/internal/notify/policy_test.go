package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A night is a run and what is said after it.
type night struct {
	outcome Outcome
	says    string // the results of the notices
}

// tellNights plays runs one after the other. The memory goes through its stored
// form between them.
func tellNights(t *testing.T, s Settings, nights []night) *Memory {
	t.Helper()
	m := &Memory{}
	for i, n := range nights {
		var said []string
		for _, notice := range s.afterRun(n.outcome, m) {
			said = append(said, string(notice.Result))
		}
		m.note(n.outcome)
		if got := strings.Join(said, " "); got != n.says {
			t.Errorf("night %d (%s, %s) says %q, not %q", i, n.outcome.Start.Format("2 15:04"), n.outcome.Result, got, n.says)
		}
		m = stored(t, m)
	}
	return m
}

func stored(t *testing.T, m *Memory) *Memory {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again := new(Memory)
	if err := json.Unmarshal(data, again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, again, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("the memory changes when it is stored: %s", diff)
	}
	return again
}

func TestSuccessIsQuiet(t *testing.T) {
	tellNights(t, elm(), []night{
		{savedRun(on(16, 19, 30), Done), ""},
		{savedRun(on(17, 19, 30), Done), ""},
	})
}

func TestTroubleIsSaidAtOnceAndRecoveryToo(t *testing.T) {
	for _, result := range []Result{Failed, Incomplete, Suspicious, Interrupted, Damaged, "unheard-of"} {
		tellNights(t, elm(), []night{
			{savedRun(on(16, 19, 30), Done), ""},
			{ran(on(17, 19, 30), result), string(result)},
			{savedRun(on(18, 19, 30), Done), "recovered"},
			{savedRun(on(19, 19, 30), Done), ""},
		})
	}
}

func TestTheSameFailureIsSaidOnceADayOfThePractice(t *testing.T) {
	tellNights(t, elm(), []night{
		{ran(on(17, 9, 0), Failed), "failed"},
		{ran(on(17, 10, 0), Failed), ""},
		{ran(on(17, 23, 0), Failed), ""},
		{ran(on(18, 1, 30), Failed), ""}, // the practice's day ends at four
		{ran(on(18, 4, 30), Failed), "failed"},
		{ran(on(18, 5, 30), Failed), ""},
	})
}

func TestANightlyFailureIsSaidEveryNightThoughItComesAMinuteEarlier(t *testing.T) {
	tellNights(t, elm(), []night{
		{ran(on(17, 19, 30), Failed), "failed"},
		{ran(on(18, 19, 29), Failed), "failed"},
	})
}

func TestAnotherFailureIsSaidAtOnce(t *testing.T) {
	whole, part := ran(on(17, 9, 0), Failed), savedRun(on(17, 10, 0), Incomplete)
	part.Sources = []Source{{Name: "opendental", Kind: "mysql", Result: Failed, Error: "connection refused at 10:00"}}
	samePart := part
	samePart.Start = on(17, 11, 0)
	samePart.Sources = []Source{{Name: "opendental", Kind: "mysql", Result: Failed, Error: "connection refused at 11:00"}}
	otherPart := part
	otherPart.Start = on(17, 12, 0)
	otherPart.Sources = []Source{{Name: "letters", Kind: "files", Result: Failed}}
	tellNights(t, elm(), []night{
		{whole, "failed"}, {part, "incomplete"}, {samePart, ""}, {otherPart, "incomplete"},
	})
}

func TestTwoFailuresInTurnsAreEachSaidOnceADay(t *testing.T) {
	in := func(hour int, plan string) Outcome {
		o := savedRun(on(17, hour, 0), Incomplete)
		o.Sources = []Source{{Name: plan, Kind: "files", Result: Failed}}
		return o
	}
	tellNights(t, elm(), []night{
		{in(9, "letters"), "incomplete"}, {in(10, "images"), "incomplete"}, {in(11, "letters"), ""}, {in(12, "images"), ""},
	})
}

func TestFailureAndSuccessInTurnsAreNotSaidEveryHour(t *testing.T) {
	tellNights(t, elm(), []night{
		{ran(on(17, 9, 0), Failed), "failed"},
		{savedRun(on(17, 10, 0), Done), "recovered"},
		{ran(on(17, 11, 0), Failed), "failed"},
		{savedRun(on(17, 12, 0), Done), ""},
		{ran(on(17, 13, 0), Failed), ""},
		{savedRun(on(17, 14, 0), Done), ""},
		{savedRun(on(18, 10, 0), Done), "recovered"},
		{savedRun(on(18, 11, 0), Done), ""},
	})
}

func TestAFailedStepIsSaidThoughTheDataIsSaved(t *testing.T) {
	copied := savedRun(on(17, 19, 30), Done)
	copied.Steps = []Step{{Name: "backup", To: "red", Result: Done}, {Name: "copy", To: "offsite", Result: Failed}}
	m := tellNights(t, elm(), []night{{copied, "failed"}})
	if got := m.Plans["nightly"]; got.Result != Failed || !got.LastSuccess.Equal(copied.end()) {
		t.Errorf("a run with a failed copy is remembered as %+v", got)
	}
	copied.Steps[1].Result = Absent
	tellNights(t, elm(), []night{{copied, ""}})
}

func TestARunThatSavedEverythingCountsThoughAnotherStepFailed(t *testing.T) {
	whole, part := Source{Name: "a", Result: Done}, Source{Name: "b", Result: Failed}
	for _, c := range []struct {
		outcome Outcome
		kept    bool
	}{
		{Outcome{Result: Done}, true},
		{Outcome{Result: Failed}, false},
		{Outcome{Result: Failed, Snapshot: "5c1f0a9e", Sources: []Source{whole}}, true},
		{Outcome{Result: Failed, Snapshot: "5c1f0a9e", Sources: []Source{whole, part}}, false},
		{Outcome{Result: Suspicious, Snapshot: "5c1f0a9e"}, true},
		{Outcome{Result: Suspicious, Snapshot: "5c1f0a9e", Doubts: []string{"all gone"}}, false},
		{Outcome{Result: Incomplete, Snapshot: "5c1f0a9e"}, false},
		{Outcome{Result: Interrupted, Snapshot: "5c1f0a9e"}, false},
		{Outcome{Result: Absent}.settled(), false},
		{Outcome{Result: Skipped, Snapshot: "5c1f0a9e"}.settled(), true},
	} {
		if got := c.outcome.kept(); got != c.kept {
			t.Errorf("%+v is kept: %v", c.outcome, got)
		}
	}
}

func TestAnAbsentDriveIsQuietUntilItIsOverdue(t *testing.T) {
	m := tellNights(t, elm(), []night{
		{savedRun(on(20, 19, 30), Done), ""}, // Friday
		{ran(on(21, 19, 30), Absent), ""},    // closed
		{ran(on(23, 19, 30), Absent), ""},    // Monday has not ended
		{ran(on(24, 1, 30), Absent), ""},     // nor now
		{ran(on(24, 19, 30), Absent), "overdue"},
		{ran(on(24, 20, 30), Skipped), ""},
		{ran(on(25, 19, 30), Absent), "overdue"},
		{savedRun(on(26, 19, 30), Done), "recovered"},
		{savedRun(on(27, 19, 30), Done), ""},
	})
	if len(m.Overdue) > 0 {
		t.Errorf("still overdue: %v", m.Overdue)
	}
}

func TestANewPlanHasTimeForItsFirstBackup(t *testing.T) {
	tellNights(t, elm(), []night{
		{ran(on(17, 19, 30), Absent), ""},
		{ran(on(18, 19, 30), Absent), ""},
		{ran(on(19, 19, 30), Absent), "overdue"},
	})
}

func TestAWarningIsRepeatedAfterAWeek(t *testing.T) {
	warned := func(day int, about, words string) Outcome {
		o := savedRun(on(day, 19, 30), Done)
		o.Warnings = []Warning{{About: about, Words: words}}
		return o
	}
	tellNights(t, elm(), []night{
		{warned(10, "space red", "The drive red will be full about 14 March."), "warning"},
		{warned(11, "space red", "The drive red will be full about 12 March."), ""},
		{warned(12, "space blue", "The drive blue will be full about 12 March."), "warning"},
		{warned(17, "space red", "The drive red will be full about 10 March."), "warning"},
	})
}

// watchAll is what a watch says on each of some moments, of one memory.
func watchAll(s Settings, m *Memory, st State, moments ...time.Time) (said [][]string) {
	for _, now := range moments {
		m.noteState(st)
		said = append(said, subjects(s.watch(st, m, now)))
	}
	return said
}

func TestTheDeadMansAlertComesWhenNothingRan(t *testing.T) {
	st := state(seen("red", on(18, 19, 42)), seen("offsite", on(18, 19, 50))) // Wednesday
	got := watchAll(elm(), &Memory{}, st, on(19, 12, 0), on(20, 3, 0), on(20, 4, 30), on(20, 12, 0), on(21, 12, 0))
	alert := []string{"Elm Street Dental: no nightly backup since Wednesday 18 November 2026"}
	if diff := cmp.Diff([][]string{nil, nil, alert, nil, alert}, got); diff != "" {
		t.Error(diff)
	}
}

func TestClosedDaysAreNotMissed(t *testing.T) {
	st := state(seen("red", on(25, 19, 42))) // Wednesday before a long weekend
	got := watchAll(elm(), &Memory{}, st, on(30, 19, 0), on(31, 5, 0))
	if len(got[0]) != 0 || len(got[1]) != 1 {
		t.Errorf("after a long weekend: %q", got)
	}
}

func TestMoreDaysCanBeAllowed(t *testing.T) {
	s := elm()
	s.OverdueAfter = 3
	st := state(seen("red", on(16, 19, 42)))
	got := watchAll(s, &Memory{}, st, on(19, 12, 0), on(20, 12, 0))
	if len(got[0]) != 0 || len(got[1]) != 1 {
		t.Errorf("with three days allowed: %q", got)
	}
}

func TestAnOldCopyIsSaidThoughOthersAreNew(t *testing.T) {
	blue := seen("blue", on(12, 19, 42)) // Thursday
	blue.Days = []time.Weekday{time.Tuesday, time.Thursday}
	blue.AbsentSince = on(17, 19, 30)
	st := state(seen("red", on(18, 19, 42)), blue)
	got := watchAll(elm(), &Memory{}, st, on(17, 12, 0), on(18, 3, 0), on(18, 5, 0))
	alert := []string{"Elm Street Dental: no nightly backup on blue since Thursday 12 November 2026"}
	if diff := cmp.Diff([][]string{nil, nil, alert}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFailureOfTodayIsNotSaidTwice(t *testing.T) {
	s, m := elm(), &Memory{}
	failed := ran(on(20, 19, 30), Failed)
	s.afterRun(failed, m)
	m.note(failed)
	st := state(seen("red", on(17, 19, 42)))
	got := watchAll(s, m, st, on(20, 20, 0), on(21, 12, 0))
	if len(got[0]) != 0 || len(got[1]) != 1 {
		t.Errorf("beside a failure: %q", got)
	}
}

func TestWhatIsConfiguredNoMoreIsForgotten(t *testing.T) {
	s, m := elm(), &Memory{}
	watchAll(s, m, state(seen("red", on(10, 19, 42)), Copy{Plan: "weekly", Destination: "red"}), on(20, 12, 0))
	watchAll(s, m, state(seen("red", on(20, 19, 42))), on(20, 20, 0))
	if len(m.Plans) != 1 || len(m.Copies) != 1 || len(m.Overdue) != 0 || len(m.Watched) != 2 {
		t.Errorf("the memory holds %+v", m)
	}
}

func TestTheSummaryComesOnceOnOpenDays(t *testing.T) {
	s := elm()
	s.SummaryAt = 7 * time.Hour
	weekly := s
	weekly.Summary = Weekly
	never := s
	never.Summary = Never
	for _, c := range []struct {
		name string
		s    Settings
		want string
	}{
		{"daily", s, "16 7:00, 17 7:10, 18 19:42, 23 7:00, 25 9:00, 30 7:00"},
		{"weekly", weekly, "16 7:00, 23 7:00, 30 7:00"},
		{"never", never, ""},
	} {
		var got []string
		m := &Memory{}
		for _, now := range []time.Time{
			on(15, 12, 0), on(16, 5, 0), on(16, 7, 0), on(16, 20, 0), on(17, 3, 0), on(17, 6, 59), on(17, 7, 10),
			on(18, 19, 42), on(21, 9, 0), on(22, 9, 0), on(23, 7, 0), on(25, 9, 0), on(26, 9, 0), on(27, 9, 0), on(30, 7, 0),
		} {
			if c.s.summaryDue(m, now) {
				m.Summary = now
				got = append(got, now.Format("2 ")+strings.TrimPrefix(now.Format("15:04"), "0"))
			}
		}
		if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
