package ui

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// heard is a UI whose streams are in memory.
func heard() (u *UI, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	u = &UI{out: bufio.NewWriter(out), err: errs, width: func() int { return 80 }}
	u.encoder = newEncoder(u.out)
	return u, out, errs
}

func TestSizesAreReadAsPeopleTypeThem(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "500": 500, "1K": 1024, "1kb": 1024, "20MiB": 20 << 20, "1.5G": 3 << 29, "2T": 2 << 40, "7B": 7, "3 M": 3 << 20,
	} {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "M", "-1", "1X", "1KBB", "ten", "1e30T", "NaN", "1..5K"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("%q is taken for %d", in, got)
		}
	}
}

func TestDurationsAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		320 * time.Millisecond: "0.3 s", 12 * time.Second: "12 s", 245 * time.Second: "4:05", time.Hour + 65*time.Second: "1:01:05",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestNamesCannotCommandATerminal(t *testing.T) {
	for in, want := range map[string]string{
		"Müller 牙.jpg": "Müller 牙.jpg", "a\x1b[2Jb": `a\x1b[2Jb`, "two\nlines": `two\nlines`, "\xff\xfe": `\xff\xfe`, "�": "�",
	} {
		if got := Plain(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestTheLineShowsWhatIsKnownAndFits(t *testing.T) {
	s := State{Files: 1234, TotalFiles: 5000, Bytes: 1 << 30, TotalBytes: 4 << 30, Errors: 1, Current: "/srv/OpenDentImages/S/SmithJohn12/pano.jpg"}
	got := Line(s, 72*time.Second, 100<<20, 200)
	want := "[1:12]  25.0%  1,234 files  1.0 GiB of 4.0 GiB  100 MiB/s  0:30 left  1 problem  /srv/OpenDentImages/S/SmithJohn12/pano.jpg"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for width := range 140 {
		if n := len([]rune(Line(s, 72*time.Second, 100<<20, width))); n > width {
			t.Errorf("%d columns where there are %d", n, width)
		}
	}
	if got := Line(State{Bytes: 10}, time.Second, 0, 80); got != "[0:01]  10 B" {
		t.Errorf("with nothing known: %q", got)
	}
	// A total that was guessed too small is neither shown nor passed.
	if got := Line(State{Bytes: 10, TotalBytes: 5}, time.Second, 1, 80); strings.Contains(got, "of") || strings.Contains(got, "left") || !strings.Contains(got, "99.9%") {
		t.Errorf("past the total: %q", got)
	}
}

func TestTheRateForgetsOldSpeeds(t *testing.T) {
	var r rate
	now := time.Unix(0, 0)
	r.observe(now, 0)
	bytes := int64(0)
	for range 100 { // 10 s of 100 bytes a second
		now, bytes = now.Add(drawEvery), bytes+10
		r.observe(now, bytes)
	}
	if got := r.perSecond(); got < 95 || got > 105 {
		t.Errorf("steady 100 bytes a second look like %.1f", got)
	}
	for range 400 { // 40 s of nothing
		now = now.Add(drawEvery)
		r.observe(now, bytes)
	}
	if got := r.perSecond(); got > 2 {
		t.Errorf("after 40 s of nothing there are still %.1f bytes a second", got)
	}
}

func TestProgramsAreToldEverySecondAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, out, errs := heard()
		u.JSON = true
		failure := errors.New("failed")
		s := State{TotalBytes: 100}
		err := u.During(func() State { s.Bytes += 10; return s }, func() error {
			time.Sleep(2500 * time.Millisecond)
			return failure
		})
		if !errors.Is(err, failure) {
			t.Errorf("the work's error became %v", err)
		}
		var got []int64
		for line := range strings.Lines(out.String()) {
			var o status
			if err := json.Unmarshal([]byte(line), &o); err != nil || o.Type != "status" || o.TotalBytes != 100 {
				t.Errorf("%s: %v", line, err)
			}
			got = append(got, o.BytesDone)
		}
		if len(got) != 4 || errs.Len() > 0 { // at 0, 1 and 2 s, and at the end
			t.Errorf("told %v, and on stderr %q", got, errs)
		}
	})
}

func TestTheLineIsGoneBeforeAnythingElseIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, out, errs := heard()
		u.errTerminal = true
		err := u.During(func() State { return State{Bytes: 5} }, func() error {
			time.Sleep(250 * time.Millisecond)
			u.Warn("careful")
			time.Sleep(250 * time.Millisecond)
			return nil
		})
		if err != nil || out.Len() > 0 {
			t.Errorf("%v, and on stdout %q", err, out)
		}
		lines := strings.Split(errs.String(), "\n")
		if len(lines) != 2 || !strings.HasSuffix(lines[0], "\r\x1b[Kwarning: careful") || !strings.HasSuffix(lines[1], "\r\x1b[K") {
			t.Errorf("%q", errs)
		}
	})
}

func TestQuietAndJSONDecideWhatIsSaid(t *testing.T) {
	say := func(u *UI) {
		u.Print("result")
		u.Say("done")
		u.Object(map[string]int{"n": 1})
		u.Remark("remark")
		u.Detail(1, "detail")
		u.Warn("warning")
		u.Close()
	}
	for _, c := range []struct {
		name      string
		set       func(*UI)
		out, errs string
	}{
		{"plain", func(*UI) {}, "result\ndone\n", "remark\nwarning: warning\n"},
		{"quiet", func(u *UI) { u.Quiet = true }, "result\n", "warning: warning\n"},
		{"verbose", func(u *UI) { u.Verbose = 1 }, "result\ndone\n", "remark\ndetail\nwarning: warning\n"},
		{"JSON", func(u *UI) { u.JSON = true }, "{\"n\":1}\n", "{\"message_type\":\"warning\",\"message\":\"warning\"}\n"},
	} {
		u, out, errs := heard()
		c.set(u)
		say(u)
		if out.String() != c.out || errs.String() != c.errs {
			t.Errorf("%s: stdout %q, stderr %q", c.name, out, errs)
		}
	}
}

func TestTablesAlign(t *testing.T) {
	u, out, _ := heard()
	table := NewTable("ID", ">Size", "Paths")
	table.Row("ab", "1 B", "/a\n/b")
	table.Row("ü", "1.0 MiB", "")
	u.Table(table)
	u.Close()
	want := "ID     Size  Paths\n------------------\nab      1 B  /a\n             /b\nü   1.0 MiB\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
