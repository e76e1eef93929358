package snapshot_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/snapshot"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// A practiceRun makes a series of nights of one plan.
type practiceRun struct {
	all []*snapshot.Snapshot
}

// night is the next snapshot of these sources; data is what it added.
func (p *practiceRun) night(data int64, sources ...snapshot.SourceRecord) *snapshot.Snapshot {
	n := len(p.all)
	s := &snapshot.Snapshot{
		ID: repo.DocumentID(fmt.Sprintf("%064d", n+1)), Time: time.Date(2026, 1, 1+n, 19, 30, 0, 0, time.UTC),
		Host: "server", Plan: "nightly", Complete: true, Sources: sources, Summary: snapshot.Summary{DataAdded: data},
	}
	if n > 0 {
		s.Parent = p.all[n-1].ID
	}
	p.all = append(p.all, s)
	return s
}

// judged is night, judged and marked as a run does it.
func (p *practiceRun) judged(data int64, sources ...snapshot.SourceRecord) []string {
	before := slices.Clone(p.all)
	s := p.night(data, sources...)
	s.Suspicion = snapshot.Suspect(s, before)
	return s.Suspicion
}

func (p *practiceRun) clear(i int) { p.all[i].Cleared = &snapshot.Hold{Who: "manager"} }

func folder(files, bytes, fresh int64) snapshot.SourceRecord {
	return snapshot.SourceRecord{Name: "images", Kind: "files", Files: files, Bytes: bytes, New: fresh}
}

func dump(bytes int64) snapshot.SourceRecord {
	return snapshot.SourceRecord{Name: "opendental", Kind: "mysql", Files: 1, Bytes: bytes, New: 1}
}

// usual is a practice of 20,000 images and a dump, for so many nights.
func usual(nights int) *practiceRun {
	p := &practiceRun{}
	for i := range int64(nights) {
		fresh := 40 + 5*i
		if i == 0 {
			fresh = 20_000
		}
		p.night(30*mib, folder(20_000+40*i, 40*gib+40*mib*i, fresh), dump(gib+mib*i))
	}
	return p
}

func TestSuspicion(t *testing.T) {
	for _, c := range []struct {
		name   string
		nights int
		data   int64
		now    []snapshot.SourceRecord
		want   string // a part of the one reason; empty: none
	}{
		{"an ordinary night", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60), dump(gib)}, ""},
		{"an empty dump", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60), dump(0)}, "source opendental is empty; usually it has 1.0 GiB"},
		{"an empty dump on the second night", 1, 40 * mib, []snapshot.SourceRecord{folder(20_000, 40*gib, 60), dump(0)}, "source opendental is empty"},
		{"a dump of the head alone", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60), dump(2 * kib)}, "source opendental has 2.0 KiB"},
		{"a third of the dump", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60), dump(350 * mib)}, "source opendental has 350 MiB"},
		{"a third of the dump on the second night", 1, 40 * mib, []snapshot.SourceRecord{folder(20_000, 40*gib, 60), dump(350 * mib)}, ""},
		{"two thirds of the dump", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60), dump(700 * mib)}, ""},
		{"a dump that has doubled", 10, 2 * gib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60), dump(2 * gib)}, ""},
		{"most files are gone", 10, 40 * mib, []snapshot.SourceRecord{folder(3_000, 39*gib, 0), dump(gib)}, "source images has 3,000 files; usually it has 20,200"},
		{"most bytes are gone", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 2*gib, 60), dump(gib)}, "source images has 2.0 GiB"},
		{"ransomware in place", 10, 38 * gib, []snapshot.SourceRecord{folder(20_400, 41*gib, 20_300), dump(gib)}, "of 20,360 files, 20,260 were replaced"},
		{"ransomware that renames", 10, 38 * gib, []snapshot.SourceRecord{folder(20_460, 41*gib, 20_460), dump(gib)}, "of 20,360 files, 20,360 were replaced"},
		{"ransomware on the third night", 2, 38 * gib, []snapshot.SourceRecord{folder(20_040, 41*gib, 20_040), dump(gib)}, ""},
		{"ransomware on the fifth night", 4, 38 * gib, []snapshot.SourceRecord{folder(20_120, 41*gib, 20_120), dump(gib)}, "were replaced"},
		{"a new owner of all files", 10, 20 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 20_400), dump(gib)}, ""},
		{"an import of many images", 10, 90 * gib, []snapshot.SourceRecord{folder(80_000, 130*gib, 60_000), dump(gib)}, ""},
		{"a source that failed", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60), {Name: "opendental", Kind: "mysql", Error: "no server"}}, ""},
		{"a source that was left out", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60)}, "source opendental is not saved any more"},
		{"a source that is new", 10, 40 * mib, []snapshot.SourceRecord{folder(20_400, 41*gib, 60), dump(gib), {Name: "letters", Kind: "files"}}, ""},
		{"the first night", 0, 40 * gib, []snapshot.SourceRecord{folder(20_000, 40*gib, 20_000), dump(0)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := usual(c.nights).judged(c.data, c.now...)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestSmallThingsAreNotSuspicious(t *testing.T) {
	p := &practiceRun{}
	for _, n := range []int64{12, 3, 10, 1, 2, 9, 1} {
		if got := p.judged(n*kib, folder(n, n*20*kib, n), dump(n*100)); len(got) > 0 {
			t.Errorf("%d small files: %q", n, got)
		}
	}
}

// A full dump on Fridays, a small one on the other days; a folder that is written
// anew each night: what is usual is not suspicious.
func TestWhatAlternatesIsUsual(t *testing.T) {
	p := &practiceRun{}
	for i := range 60 {
		size := int64(50 * mib)
		if i%7 == 4 {
			size = 2 * gib
		}
		if got := p.judged(gib, folder(500, 10*gib, 500), dump(size)); len(got) > 0 {
			t.Errorf("night %d: %q", i, got)
		}
	}
	if got := p.judged(gib, folder(500, 10*gib, 500), dump(0)); len(got) != 1 {
		t.Errorf("an empty dump: %q", got)
	}
	p.clear(len(p.all) - 1)
	for i := range 4 {
		if got := p.judged(gib, folder(500, 10*gib, 500), dump(50*mib)); len(got) > 0 {
			t.Errorf("after the alarm, night %d: %q", i, got)
		}
	}
}

// Small dumps at weekends are remarked on once.
func TestWhatIsSmallEachWeekendIsUsual(t *testing.T) {
	p := &practiceRun{}
	alarms := 0
	for i := range 90 {
		size := int64(2 * gib)
		if i%7 >= 5 {
			size = 50 * mib
		}
		if len(p.judged(gib, dump(size))) > 0 {
			alarms++
			p.clear(i)
		}
	}
	if alarms != 1 {
		t.Errorf("%d alarms, want one on the first weekend", alarms)
	}
}

// What looks wrong is no measure for what comes after it, until a person says
// that it is right; then it is the measure.
func TestASuspiciousSnapshotIsNoMeasure(t *testing.T) {
	p := usual(10)
	small := func() []string { return p.judged(40*mib, folder(20_400, 41*gib, 60), dump(100*mib)) }
	for range 20 {
		if got := small(); len(got) != 1 {
			t.Fatalf("a small dump again: %q", got)
		}
	}
	p.clear(len(p.all) - 1)
	if got := small(); len(got) > 0 {
		t.Errorf("after it was cleared: %q", got)
	}
	if got := p.judged(40*mib, folder(20_400, 41*gib, 60), dump(0)); len(got) != 1 {
		t.Errorf("and an empty one: %q", got)
	}
}

// Replaced files show on one night only; the nights after it are as bad.
func TestNightsAfterAnAttackAreSuspicious(t *testing.T) {
	p := usual(10)
	first := len(p.all)
	if got := p.judged(38*gib, folder(20_400, 41*gib, 20_400), dump(gib)); len(got) != 1 {
		t.Fatalf("the attack: %q", got)
	}
	for i := range 3 {
		got := p.judged(mib, folder(20_400, 41*gib, 2), dump(gib))
		if len(got) != 1 || !strings.Contains(got[0], p.all[first].ID.Short()) || !strings.Contains(got[0], "2026-01-11") {
			t.Errorf("%d nights after it: %q", i+1, got)
		}
	}
	p.clear(first)
	for i := range 3 {
		if got := p.judged(mib, folder(20_400, 41*gib, 40), dump(gib)); len(got) > 0 {
			t.Errorf("night %d after it was cleared: %q", i+1, got)
		}
	}
	if got := p.judged(38*gib, folder(20_400, 41*gib, 20_400), dump(gib)); len(got) != 1 {
		t.Errorf("the next attack: %q", got)
	}
}

// Edited copies have other IDs, and other plans and hosts are other worlds.
func TestSuspicionComparesWhatBelongsTogether(t *testing.T) {
	p := usual(10)
	last := p.all[9]
	last.Original, last.ID = last.ID, repo.DocumentID(strings.Repeat("f", 64)) // got a tag
	for _, s := range p.all[:8] {
		s.Host = "old-server"
	}
	if got := p.judged(38*gib, folder(20_400, 41*gib, 20_400), dump(0)); len(got) != 1 || !strings.Contains(got[0], "empty") {
		t.Errorf("%q", got)
	}
	for _, s := range p.all[:8] {
		s.Host = "server"
	}
	if got := snapshot.Suspect(p.all[10], p.all); len(got) != 2 {
		t.Errorf("with the nights before: %q", got)
	}
}

func TestASnapshotWithoutSourcesIsJudgedAsAWhole(t *testing.T) {
	var before []*snapshot.Snapshot
	for i := range 5 {
		s := &snapshot.Snapshot{
			ID: repo.DocumentID(fmt.Sprintf("%064d", i+1)), Host: "server", Paths: []string{"/all.sql"}, Complete: true,
			Summary: snapshot.Summary{Files: 1, Bytes: 300 * kib},
		}
		before = append(before, s)
	}
	now := *before[0]
	now.ID, now.Summary.Bytes = "", 0
	if got := snapshot.Suspect(&now, before); len(got) != 1 || got[0] != "the snapshot is empty; usually it has 300 KiB" {
		t.Errorf("%q", got)
	}
	now.Complete = false
	if got := snapshot.Suspect(&now, before); len(got) > 0 {
		t.Errorf("an incomplete one: %q", got)
	}
}

func TestADatabaseThatLostItsTablesIsSuspicious(t *testing.T) {
	p := &practiceRun{}
	database := func(tables, rows string) snapshot.SourceRecord {
		s := dump(gib)
		s.Facts = map[string]string{"version": "8.0", "tables": tables, "rows": rows}
		return s
	}
	for i := range 5 {
		if got := p.judged(mib, database("415", fmt.Sprint(1_000_000+i*500))); len(got) > 0 {
			t.Errorf("%q", got)
		}
	}
	if got := p.judged(mib, database("12", "0")); len(got) != 2 || !strings.Contains(got[0], "12 tables; usually it has 415") {
		t.Errorf("%q", got)
	}
}

// Growing by up to 1 % a night is never suspicious, nor is shrinking by it.
func TestSteadyChangeIsNeverSuspicious(t *testing.T) {
	for seed := range uint64(40) {
		chance := rand.New(rand.NewPCG(seed, 7))
		p := &practiceRun{}
		files, bytes, size := int64(1+chance.IntN(100_000)), int64(1+chance.IntN(1<<40)), int64(1+chance.IntN(1<<36))
		trend := 0.01
		if seed%4 == 3 {
			trend = -0.01
		}
		fresh := files
		for night := range 200 {
			if got := p.judged(bytes/100+size/50, folder(files, bytes, fresh), dump(size)); len(got) > 0 {
				t.Fatalf("seed %d, night %d: %q", seed, night, got)
			}
			step := 1 + trend*chance.Float64()
			more := int64(float64(files)*step) - files
			files, bytes, size = files+more, int64(float64(bytes)*step), int64(float64(size)*step)
			fresh = min(files, max(0, more)+files/100)
		}
	}
}
