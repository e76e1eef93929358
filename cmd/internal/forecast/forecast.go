// Package forecast says how fast a repository grows, when its drive will be full,
// and whether the next run has room. It computes with what earlier runs left in
// their records, and with nothing else: no clock, no drive.
//
//	used  │            ╭ full
//	      │         ╱
//	      │      ╱╲╱ a prune
//	      │  ╱╲╱
//	      └──────────────────► nights
//
// A prune, a first run or an emptied folder make jumps that say nothing of the
// nights to come. So the growth is the median of the slopes between all pairs of
// nights (Theil 1950, Sen 1968), which up to a quarter of wild nights do not
// move.
package forecast

import (
	"slices"
	"time"

	"chartkeep/repo"
)

// A Point is how full a place was at a time. Sizes are in bytes.
type Point struct {
	Time        time.Time
	Stored      int64 // by the repository; 0: not known
	Free, Total int64 // of the place; Total 0: not known
}

// Points takes from records what they say of one destination, oldest first.
func Points(records []repo.Record, destination string) (points []Point) {
	for _, rec := range records {
		if rec.Destination == destination && (rec.Stored > 0 || rec.Total > 0) {
			points = append(points, Point{rec.Time.Add(rec.Duration), rec.Stored, rec.Free, rec.Total})
		}
	}
	slices.SortStableFunc(points, func(a, b Point) int { return a.Time.Compare(b.Time) })
	return points
}

// How many nights a trend needs, and how far back it looks.
const (
	leastNights = 7
	leastSpan   = 5 * day
	longest     = 90 * day
	horizon     = 10 * 365 * day // a drive that is full later than that has died before

	day = 24 * time.Hour
)

// A Trend is how a place fills.
type Trend struct {
	Known  bool      // enough nights for it are known
	PerDay int64     // bytes by which the repository grows a day; negative: it shrinks
	Full   time.Time // about when the place is full; zero: not within ten years, or not known
}

// TrendOf finds the trend of points, oldest first, as of the last of them. It
// looks at one point a day, since the place was last exchanged for one of
// another size.
func TrendOf(points []Point) (t Trend) {
	nights := daily(points)
	stored := slopes(nights, func(p Point) (int64, bool) { return p.Stored, p.Stored > 0 })
	if stored.known() {
		t.Known, t.PerDay = true, int64(stored.median())
	}
	if len(nights) == 0 {
		return t
	}
	last := nights[len(nights)-1]
	same := slices.DeleteFunc(slices.Clone(nights), func(p Point) bool { return p.Total != last.Total || p.Total == 0 })
	taken := slopes(same, func(p Point) (int64, bool) { return p.Total - p.Free, true })
	if !taken.known() {
		return t
	}
	perDay := taken.median()
	if !t.Known {
		t.Known, t.PerDay = true, int64(perDay)
	}
	if perDay < 1 {
		return t
	}
	if left := float64(last.Free) / perDay; left < float64(horizon/day) {
		t.Full = last.Time.Add(time.Duration(left * float64(day)))
	}
	return t
}

// daily keeps the last point of each day within the time that counts.
func daily(points []Point) (nights []Point) {
	if len(points) == 0 {
		return nil
	}
	from := points[len(points)-1].Time.Add(-longest)
	for _, p := range points {
		if p.Time.Before(from) {
			continue
		}
		if n := len(nights); n > 0 && p.Time.Format(time.DateOnly) == nights[n-1].Time.Format(time.DateOnly) {
			nights[n-1] = p
			continue
		}
		nights = append(nights, p)
	}
	return nights
}

// pairs are the slopes between all pairs of nights.
type pairs struct {
	nights int
	span   time.Duration
	all    []float64 // bytes a day
}

func slopes(nights []Point, of func(Point) (int64, bool)) (s pairs) {
	type at struct {
		day   float64
		bytes int64
	}
	var known []at
	for _, p := range nights {
		if n, ok := of(p); ok {
			s.span = p.Time.Sub(nights[0].Time)
			known = append(known, at{float64(p.Time.Sub(nights[0].Time)) / float64(day), n})
		}
	}
	s.nights = len(known)
	for i, a := range known {
		for _, b := range known[i+1:] {
			if b.day > a.day {
				s.all = append(s.all, float64(b.bytes-a.bytes)/(b.day-a.day))
			}
		}
	}
	slices.Sort(s.all)
	return s
}

func (s pairs) known() bool { return s.nights >= leastNights && s.span >= leastSpan }

func (s pairs) median() float64 {
	n := len(s.all)
	return (s.all[(n-1)/2] + s.all[n/2]) / 2
}
