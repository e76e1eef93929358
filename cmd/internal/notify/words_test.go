package notify

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// night20 is the run of Friday 20 November.
func night20(result Result) Outcome { return ran(on(20, 19, 30), result) }

func TestWordsOfARun(t *testing.T) {
	s := elm()
	for _, c := range []struct {
		name string
		make func() Outcome
	}{
		{"done", func() Outcome {
			o := savedRun(on(20, 19, 30), Done)
			o.Sources = []Source{{Name: "letters", Kind: "files", Result: Done}}
			o.Steps = []Step{
				{Name: "backup", To: "red", Result: Done, Duration: 9 * time.Minute, Note: "81,204 files"},
				{Name: "copy", To: "offsite", Result: Absent},
			}
			return o
		}},
		{"incomplete", func() Outcome {
			o := savedRun(on(20, 19, 30), Incomplete)
			o.Sources = []Source{
				{Name: "letters", Kind: "files", Result: Done},
				{Name: "opendental", Kind: "mysql", Result: Failed, Error: "connect 127.0.0.1:3306: connection refused"},
			}
			o.Log = "19:30:00 run begins\n19:30:04 opendental: connection refused"
			return o
		}},
		{"incomplete-in-part", func() Outcome {
			o := savedRun(on(20, 19, 30), Incomplete)
			o.Sources = []Source{
				{Name: "letters", Kind: "files", Result: Incomplete, Error: "3 files could not be read"},
				{Name: "images", Kind: "files", Result: Done},
				{Name: "soapware", Kind: "postgres", Result: Done},
			}
			return o
		}},
		{"failed", func() Outcome {
			o := night20(Failed)
			o.Error = "write packs/3f: no space left on device"
			o.Sources = []Source{{Name: "letters", Kind: "files", Result: Failed}}
			o.Steps = []Step{{Name: "backup", To: "red", Result: Failed, Error: "no space left on device"}}
			o.Warnings = []Warning{{About: "space red", Words: "The drive red is full."}}
			return o
		}},
		{"copy-failed", func() Outcome {
			o := savedRun(on(20, 19, 30), Done)
			o.Steps = []Step{
				{Name: "backup", To: "red", Result: Done},
				{Name: "copy", To: "offsite", Result: Failed, Duration: 2 * time.Hour, Error: "connection reset"},
				{Name: "check", To: "red", Result: Damaged, Error: "2 packs"},
			}
			return o
		}},
		{"one-not-opened", func() Outcome {
			o := savedRun(on(20, 19, 30), Failed)
			o.To = "blue"
			o.Sources = []Source{{Name: "letters", Kind: "files", Result: Done}}
			o.Steps = []Step{
				{Name: "open", To: "red", Result: Failed, Error: "wrong password"},
				{Name: "backup", To: "blue", Result: Done},
				{Name: "retention", To: "blue", Result: Skipped},
			}
			green := seen("green", on(18, 20, 0))
			green.AbsentSince = on(19, 19, 30)
			o.Copies = []Copy{seen("blue", o.Start), green}
			return o
		}},
		{"hook-failed", func() Outcome {
			o := night20(Failed)
			o.Steps = []Step{{Name: "before", Result: Failed, Error: "exit status 1"}}
			return o
		}},
		{"damage-beside", func() Outcome {
			o := savedRun(on(20, 19, 30), Failed)
			o.Steps = []Step{{Name: "backup", To: "red", Result: Done}, {Name: "check", To: "red", Result: Damaged}, {Name: "prune", To: "red", Result: Failed}}
			return o
		}},
		{"suspicious", func() Outcome {
			o := savedRun(on(20, 19, 30), Suspicious)
			o.Doubts = []string{"attachments has 1,204 files instead of 48,377", "opendental has 3 MiB instead of 2 GiB"}
			return o
		}},
		{"still-suspicious", func() Outcome { return savedRun(on(20, 19, 30), Suspicious) }},
		{"absent", func() Outcome { return night20(Absent) }},
		{"skipped", func() Outcome { return night20(Skipped) }},
		{"interrupted", func() Outcome { return night20(Interrupted) }},
		{"damaged", func() Outcome {
			o := savedRun(on(20, 19, 30), Damaged)
			o.Error = "2 packs are damaged; chartkeep repair packs"
			return o
		}},
		{"unnamed-practice", func() Outcome {
			o := night20(Failed)
			o.Practice, o.To = "", ""
			return o
		}},
	} {
		t.Run(c.name, func(t *testing.T) { golden(t, "run-"+c.name, shown(s.runNotice(c.make()))) })
	}
}

func TestWordsOfOccasions(t *testing.T) {
	s := elm()
	run := night20(Done).Run
	absent, never, doubtful := seen("blue", on(12, 19, 42)), seen("offsite", time.Time{}), seen("red", on(19, 19, 42))
	absent.AbsentSince, absent.LastTry, absent.LastResult = on(17, 19, 30), on(19, 19, 30), Absent
	never.LastResult, never.Verified, never.Drilled, never.Size, never.Free = "", time.Time{}, time.Time{}, -1, -1
	doubtful.Suspicious, doubtful.LastTry, doubtful.LastResult = 1, on(20, 2, 30), Suspicious
	doubtful.Full = time.Date(2027, 3, 14, 0, 0, 0, 0, chicago)
	late := night20(Failed)
	notices := map[string]Notice{
		"recovered":     s.recoveredNotice(savedRun(on(20, 19, 30), Done), PlanMemory{Since: on(17, 19, 30)}),
		"warning":       s.warningNotice(savedRun(on(20, 19, 30), Done), Warning{About: "space red", Words: "The drive red will be full about 14 March."}),
		"overdue":       s.overduePlanNotice(run, seen("red", on(17, 19, 42)), 2, on(20, 7, 0)),
		"overdue-never": s.overduePlanNotice(run, never, 1, on(20, 7, 0)),
		"overdue-drive": s.overduePlanNotice(run, absent, 5, on(20, 7, 0)),
		"overdue-copy":  s.overdueCopyNotice(run, absent, 1, on(20, 7, 0)),
		"summary-well":  s.summaryNotice(state(seen("red", on(19, 19, 42)), seen("offsite", on(20, 1, 10))), on(20, 7, 0)),
		"summary":       s.summaryNotice(state(doubtful, absent, never), on(20, 7, 0)),
		"test":          s.testNotice(run),
	}
	st := state(seen("red", on(19, 19, 42)))
	st.Warnings = []Warning{{About: "space red", Words: "The drive red will be full about 14 March."}}
	notices["summary-warned"] = s.summaryNotice(st, on(20, 7, 0))
	notices["late"] = s.runNotice(late)
	m := &Memory{}
	m.keepUnsent([]Notice{notices["late"]})
	notices["late"] = m.Unsent[0]
	for name, n := range notices {
		t.Run(name, func(t *testing.T) { golden(t, name, shown(n)) })
	}
}

func TestWordsAreCalm(t *testing.T) {
	s := elm()
	for _, r := range []Result{Done, Incomplete, Failed, Absent, Skipped, Suspicious, Interrupted, Damaged} {
		text := shown(s.runNotice(night20(r)))
		if strings.ContainsAny(text, "!") {
			t.Errorf("%s shouts: %s", r, text)
		}
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > 90 {
				t.Errorf("%s has a long line: %s", r, line)
			}
		}
	}
}

func TestAChatLearnsNoFileNames(t *testing.T) {
	o := night20(Failed)
	o.Error = "read /srv/letters/Maria Alvarez.pdf: input/output error"
	o.Log = "/srv/letters/Maria Alvarez.pdf"
	o.Steps = []Step{{Name: "backup", Result: Failed, Error: "Alvarez"}}
	o.Sources = []Source{{Name: "letters", Kind: "files", Result: Failed, Error: "Alvarez"}}
	n := elm().runNotice(o)
	if strings.Contains(n.Brief(maxChat), "Alvarez") {
		t.Errorf("a chat is told:\n%s", n.Brief(maxChat))
	}
	if !strings.Contains(n.Text(), "Alvarez") {
		t.Errorf("the mail lacks the error:\n%s", n.Text())
	}
}

func TestALongNoticeIsCutAtACharacter(t *testing.T) {
	for most := 10; most < 20; most++ {
		got := cut(strings.Repeat("ü", 30), most)
		if len(got) > most || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
			t.Errorf("cut to %d bytes: %q", most, got)
		}
	}
}

func TestTheMemoryOfWhatIsUnsentIsBounded(t *testing.T) {
	var notices []Notice
	for day := 1; day <= 30; day++ {
		notices = append(notices, Notice{Time: on(day, 9, 0), Log: strings.Repeat("x", 1<<20)})
	}
	m := &Memory{}
	m.keepUnsent(notices)
	if len(m.Unsent) != 8 || !m.Unsent[7].Time.Equal(on(30, 9, 0)) || len(m.Unsent[0].Log) > maxUnsentLog {
		t.Errorf("%d notices are kept, with %d bytes of log", len(m.Unsent), len(m.Unsent[0].Log))
	}
}
