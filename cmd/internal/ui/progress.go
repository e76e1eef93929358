package ui

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// State is how far some work has come. What is 0 is not shown; a total is an
// estimate.
type State struct {
	Files, TotalFiles int64
	Bytes, TotalBytes int64
	Errors            int64
	Current           string // what is being worked on
}

// How often the line is drawn, and how often programs are told.
const (
	drawEvery = 100 * time.Millisecond
	tellEvery = time.Second
)

// During runs work and shows meanwhile how far it has come: on a terminal as a
// line that is redrawn, to a program as status objects, elsewhere not at all.
func (u *UI) During(state func() State, work func() error) error {
	if !u.Shows() {
		return work()
	}
	every := drawEvery
	if u.JSON {
		every = tellEvery
	}
	done := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() { u.show(state, every, done) })
	err := work()
	close(done)
	shown.Wait()
	return err
}

// Shows reports whether During shows anything.
func (u *UI) Shows() bool { return u.JSON || u.errTerminal && !u.Quiet }

// show draws at once, at every tick, and at the end.
func (u *UI) show(state func() State, every time.Duration, done <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var r rate
	for {
		s := state()
		r.observe(time.Now(), s.Bytes)
		if u.JSON {
			u.Event(statusOf(s, &r))
		} else {
			u.draw(Line(s, r.elapsed(), r.perSecond(), u.width()-1))
		}
		select {
		case <-tick.C:
		case <-done:
			if u.JSON {
				u.Event(statusOf(state(), &r))
			}
			u.mu.Lock()
			u.erase()
			u.mu.Unlock()
			return
		}
	}
}

// draw replaces the line on the terminal.
func (u *UI) draw(line string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.out.Flush()
	fmt.Fprintf(u.err, "\r%s\x1b[K", line)
	u.drawn = true
}

// erase clears the line before something else is written. mu is held.
func (u *UI) erase() {
	if u.drawn {
		fmt.Fprint(u.err, "\r\x1b[K")
		u.drawn = false
	}
}

// status is State for programs.
type status struct {
	Type             string  `json:"message_type"`
	PercentDone      float64 `json:"percent_done"` // 0 to 1
	SecondsElapsed   int64   `json:"seconds_elapsed"`
	SecondsRemaining int64   `json:"seconds_remaining"`
	FilesDone        int64   `json:"files_done"`
	TotalFiles       int64   `json:"total_files"`
	BytesDone        int64   `json:"bytes_done"`
	TotalBytes       int64   `json:"total_bytes"`
	Errors           int64   `json:"error_count,omitempty"`
	Current          string  `json:"current_file,omitempty"`
}

func statusOf(s State, r *rate) status {
	o := status{
		Type: "status", PercentDone: s.share(), SecondsElapsed: int64(r.elapsed().Seconds()),
		FilesDone: s.Files, TotalFiles: max(s.Files, s.TotalFiles), BytesDone: s.Bytes, TotalBytes: max(s.Bytes, s.TotalBytes),
		Errors: s.Errors, Current: s.Current,
	}
	if left, ok := s.left(r.perSecond()); ok {
		o.SecondsRemaining = int64(left.Seconds())
	}
	return o
}

// share is how much is done, 0 to 1. A total that turned out too small counts
// as nearly reached.
func (s State) share() float64 {
	switch {
	case s.TotalBytes > 0:
		return min(1, float64(s.Bytes)/float64(s.TotalBytes))
	case s.TotalFiles > 0:
		return min(1, float64(s.Files)/float64(s.TotalFiles))
	}
	return 0
}

// left estimates how long the rest takes.
func (s State) left(perSecond float64) (time.Duration, bool) {
	if s.TotalBytes == 0 || s.Bytes >= s.TotalBytes || perSecond < 1 {
		return 0, false
	}
	return time.Duration(float64(s.TotalBytes-s.Bytes) / perSecond * float64(time.Second)), true
}

// Line is the progress for people, at most width columns wide.
func Line(s State, elapsed time.Duration, perSecond float64, width int) string {
	parts := []string{"[" + clock(int64(elapsed.Seconds())) + "]"}
	if share := s.share(); share > 0 {
		parts = append(parts, fmt.Sprintf("%4.1f%%", 100*math.Min(share, 0.999)))
	}
	if s.Files > 0 || s.TotalFiles > 0 {
		parts = append(parts, Counted(s.Files, "file"))
	}
	parts = append(parts, amount(s))
	if perSecond >= 1 {
		parts = append(parts, Size(int64(perSecond))+"/s")
	}
	if left, ok := s.left(perSecond); ok {
		parts = append(parts, clock(int64(left.Seconds()))+" left")
	}
	if s.Errors > 0 {
		parts = append(parts, Counted(s.Errors, "problem"))
	}
	return fit(strings.Join(parts, "  "), Plain(s.Current), width)
}

func amount(s State) string {
	if s.TotalBytes > s.Bytes {
		return Size(s.Bytes) + " of " + Size(s.TotalBytes)
	}
	return Size(s.Bytes)
}

// fit appends as much of the end of a path as there is room for.
func fit(line, path string, width int) string {
	if n := utf8.RuneCountInString(line); n > width {
		return string([]rune(line)[:width])
	} else if room := width - n - 2; path != "" && room >= 12 {
		runes := []rune(path)
		if len(runes) > room {
			path = "…" + string(runes[len(runes)-room+1:])
		}
		line += "  " + path
	}
	return line
}

// rate measures speed over the last seconds.
type rate struct {
	start, last time.Time
	bytes       int64
	smooth      float64 // bytes per second
}

// memory is how fast an old speed is forgotten.
const memory = 8 * time.Second

func (r *rate) observe(now time.Time, bytes int64) {
	if r.start.IsZero() {
		r.start, r.last, r.bytes = now, now, bytes
		return
	}
	span := now.Sub(r.last)
	if span <= 0 {
		return
	}
	speed := float64(bytes-r.bytes) / span.Seconds()
	// At the start the mean, later a moving average.
	weight := 1 - math.Exp(-span.Seconds()/memory.Seconds())
	weight = math.Max(weight, span.Seconds()/now.Sub(r.start).Seconds())
	r.smooth += weight * (speed - r.smooth)
	r.last, r.bytes = now, bytes
}

func (r *rate) elapsed() time.Duration { return r.last.Sub(r.start) }

func (r *rate) perSecond() float64 { return r.smooth }
