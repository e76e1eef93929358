package notify

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chartkeep/gc"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s says:\n%s\nand should say:\n%s", name, text, want)
	}
}

// shown is a notice with its head, as the golden files hold it.
func shown(n Notice) string { return "[" + string(n.Result) + "] " + n.Subject + "\n\n" + n.Text() }

var chicago = func() *time.Location {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		panic(err)
	}
	return zone
}()

// elm is a practice that is open from Monday to Friday, but not on
// Thanksgiving, 26 November 2026, and the day after.
func elm() Settings {
	s := Settings{Host: "server1", Calendar: gc.Calendar{
		Zone: chicago, DayEndsAt: 4 * time.Hour,
		ExtraClosed: []gc.Date{{Year: 2026, Month: 11, Day: 26}, {Year: 2026, Month: 11, Day: 27}},
	}}
	if err := s.complete(); err != nil {
		panic(err)
	}
	return s
}

// on is a moment of November 2026 in the practice; the 16th is a Monday.
func on(day, hour, minute int) time.Time {
	return time.Date(2026, 11, day, hour, minute, 0, 0, chicago)
}

// ran is the outcome of a run that began at start and took twelve minutes.
func ran(start time.Time, result Result) Outcome {
	return Outcome{
		Run:      Run{Practice: "Elm Street Dental", Host: "server1", Plan: "nightly", ID: "0b7e", Start: start},
		Duration: 12*time.Minute + 7*time.Second, Result: result, To: "red",
	}
}

// savedRun is one that saved a snapshot.
func savedRun(start time.Time, result Result) Outcome {
	o := ran(start, result)
	o.Snapshot, o.Added = "5c1f0a9e", 81_000_000
	return o
}

// seen is a working copy of the plan as the state tells it.
func seen(destination string, good time.Time) Copy {
	return Copy{
		Plan: "nightly", Destination: destination, LastGood: good, LastID: "5c1f0a9e", LastTry: good, LastResult: Done,
		Verified: on(9, 20, 0), Drilled: on(2, 21, 30), Size: 41_000_000_000, Free: 212_000_000_000,
	}
}

func state(copies ...Copy) State {
	return State{Practice: "Elm Street Dental", Host: "server1", Copies: copies}
}

// subjects are those of notices.
func subjects(notices []Notice) (all []string) {
	for _, n := range notices {
		all = append(all, n.Subject)
	}
	return all
}

func mustNew(t *testing.T, s Settings) *Notifier {
	t.Helper()
	n, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
