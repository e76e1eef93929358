package gc_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"chartkeep/gc"
)

// A resticGroup is a block of testdata/restic.txt.
type resticGroup struct {
	zone  *time.Location
	snaps []gc.Snapshot
	keeps [][2]string // flags, and what stays
}

func readRestic(t *testing.T) (groups []resticGroup) {
	f, err := os.Open("testdata/restic.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		g := &resticGroup{}
		if len(groups) > 0 {
			g = &groups[len(groups)-1]
		}
		switch word {
		case "zone":
			groups = append(groups, resticGroup{zone: location(rest)})
		case "keep":
			flags, stay, _ := strings.Cut(rest, " : ")
			g.keeps = append(g.keeps, [2]string{flags, stay})
		case "":
			at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(rest))
			if err != nil {
				t.Fatal(err)
			}
			g.snaps = append(g.snaps, gc.Snapshot{ID: fmt.Sprint(len(g.snaps)), Time: at, Complete: true, Dated: true})
		}
	}
	return groups
}

// resticPolicy reads the flags of restic forget.
func resticPolicy(t *testing.T, flags string) (p gc.Policy) {
	counts := map[string]*int{
		"--keep-last": &p.Last, "--keep-hourly": &p.Hourly, "--keep-daily": &p.Daily,
		"--keep-weekly": &p.Weekly, "--keep-monthly": &p.Monthly, "--keep-yearly": &p.Yearly,
	}
	spans := map[string]*gc.Duration{
		"--keep-within": &p.Within, "--keep-within-hourly": &p.WithinHourly, "--keep-within-daily": &p.WithinDaily,
		"--keep-within-weekly": &p.WithinWeekly, "--keep-within-monthly": &p.WithinMonthly, "--keep-within-yearly": &p.WithinYearly,
	}
	words := strings.Fields(flags)
	for i := 0; i < len(words); i += 2 {
		var err error
		if n := counts[words[i]]; n != nil {
			*n, err = gc.ParseCount(words[i+1])
		} else {
			*spans[words[i]], err = gc.ParseDuration(words[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestResticsRulesGiveResticsResults(t *testing.T) {
	now := time.Date(2026, time.November, 22, 3, 0, 0, 0, time.UTC) // when restic was asked
	cases := 0
	for n, g := range readRestic(t) {
		for _, keep := range g.keeps {
			stay := make(map[string]bool)
			for id := range strings.FieldsSeq(keep[1]) {
				stay[id] = true
			}
			for _, d := range gc.Decide(g.snaps, resticPolicy(t, keep[0]), gc.Calendar{Zone: g.zone}, now) {
				if d.Keep != stay[d.Snapshot.ID] {
					t.Errorf("group %d, %s: %v: keep %v, restic %v: %q", n, keep[0], d.Snapshot.Time, d.Keep, !d.Keep, d.Reasons)
				}
			}
			cases++
		}
	}
	if cases < 200 {
		t.Errorf("only %d cases in testdata/restic.txt", cases)
	}
}
