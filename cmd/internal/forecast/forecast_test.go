package forecast_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"chartkeep/cmd/internal/forecast"
	"chartkeep/repo"
)

const gib = 1 << 30

var begin = time.Date(2026, 1, 1, 20, 0, 0, 0, time.UTC)

// nights are points of a repository that grows by so much a night on a drive of
// 1,000 GiB, with the changes that shake makes.
func nights(n int, perNight int64, shake func(night int, p *forecast.Point)) (points []forecast.Point) {
	for i := range n {
		stored := 100*gib + int64(i)*perNight
		p := forecast.Point{Time: begin.AddDate(0, 0, i), Stored: stored, Free: 1000*gib - stored, Total: 1000 * gib}
		if shake != nil {
			shake(i, &p)
		}
		points = append(points, p)
	}
	return points
}

func TestAFewNightsAreNoTrend(t *testing.T) {
	for _, points := range [][]forecast.Point{nil, nights(6, gib, nil), nights(1, gib, nil)} {
		if trend := forecast.TrendOf(points); trend.Known || !trend.Full.IsZero() {
			t.Errorf("%d nights: %+v", len(points), trend)
		}
	}
	hourly := nights(40, gib, func(i int, p *forecast.Point) { p.Time = begin.Add(time.Duration(i) * time.Hour) })
	if trend := forecast.TrendOf(hourly); trend.Known {
		t.Errorf("40 hours: %+v", trend)
	}
}

func TestWhenADriveIsFull(t *testing.T) {
	trend := forecast.TrendOf(nights(7, 10*gib, nil))
	if want := begin.AddDate(0, 0, 90); !trend.Known || trend.PerDay != 10*gib || trend.Full.Sub(want).Abs() > time.Hour {
		t.Errorf("%+v, want full on %v", trend, want)
	}
	for _, perNight := range []int64{0, -gib, 1 << 20} {
		if trend := forecast.TrendOf(nights(30, perNight, nil)); !trend.Known || trend.PerDay != perNight || !trend.Full.IsZero() {
			t.Errorf("%d a night: %+v", perNight, trend)
		}
	}
}

// Prunes, weekends and single large nights do not move the trend much; a drive
// that others use as well is full earlier.
func TestATrendWithstandsWhatIsUnusual(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 1))
	shaken := map[string]func(int, *forecast.Point){
		"noise":            func(_ int, p *forecast.Point) { p.Stored += chance.Int64N(gib); p.Free -= chance.Int64N(gib) },
		"one large night":  func(i int, p *forecast.Point) { shift(p, i >= 20, 200*gib) },
		"an emptied drive": func(i int, p *forecast.Point) { shift(p, i >= 50, -80*gib) },
		"wild figures":     func(i int, p *forecast.Point) { shift(p, i%9 == 0, 300*gib) },
		"unknown figures": func(i int, p *forecast.Point) {
			if i%3 == 0 {
				p.Stored = 0
			}
		},
	}
	for name, shake := range shaken {
		trend := forecast.TrendOf(nights(60, 2*gib, shake))
		if off := math.Abs(float64(trend.PerDay-2*gib)) / (2 * gib); off > 0.6 || trend.Full.IsZero() {
			t.Errorf("%s: %.1f GiB a day, full %v", name, float64(trend.PerDay)/gib, trend.Full)
		}
	}
	shared := forecast.TrendOf(nights(30, gib, func(i int, p *forecast.Point) { p.Free -= int64(i) * 9 * gib }))
	if left := shared.Full.Sub(begin.AddDate(0, 0, 29)); shared.PerDay != gib || left > 62*24*time.Hour || left < 60*24*time.Hour {
		t.Errorf("a shared drive: %+v, full in %v", shared, left)
	}
}

func shift(p *forecast.Point, when bool, by int64) {
	if when {
		p.Stored += by
		p.Free -= by
	}
}

// A larger drive begins a count of its own.
func TestALargerDriveIsAnotherDrive(t *testing.T) {
	larger := func(i int, p *forecast.Point) {
		if i >= 20 {
			p.Total, p.Free = 4000*gib, p.Free+3000*gib
		}
	}
	if trend := forecast.TrendOf(nights(24, 10*gib, larger)); !trend.Full.IsZero() || trend.PerDay != 10*gib {
		t.Errorf("four nights on the new drive: %+v", trend)
	}
	if trend := forecast.TrendOf(nights(30, 10*gib, larger)); trend.Full.Sub(begin.AddDate(0, 0, 390)).Abs() > time.Hour {
		t.Errorf("ten nights on the new drive: %+v", trend)
	}
}

func TestPointsAreThoseOfTheDestination(t *testing.T) {
	records := []repo.Record{
		{Time: begin.AddDate(0, 0, 1), Duration: time.Hour, Destination: "red", Stored: 2, Free: 3, Total: 4},
		{Time: begin, Destination: "red", Stored: 1},
		{Time: begin, Destination: "blue", Stored: 9},
		{Time: begin, Destination: "red", Result: repo.ResultAbsent},
	}
	points := forecast.Points(records, "red")
	if len(points) != 2 || points[0].Stored != 1 || points[1] != (forecast.Point{Time: begin.AddDate(0, 0, 1).Add(time.Hour), Stored: 2, Free: 3, Total: 4}) {
		t.Errorf("%+v", points)
	}
}

func runs(added ...int64) (records []repo.Record) {
	for _, n := range added {
		records = append(records, repo.Record{Result: repo.ResultDone, AddedPacked: n})
	}
	return records
}

func TestWhetherTheNextRunFits(t *testing.T) {
	usual := runs(400*gib, 2*gib, 3*gib, 2*gib, 1*gib, 2*gib, 10*gib, 2*gib, 3*gib, 2*gib, 1*gib)
	for _, c := range []struct {
		name     string
		runs     []repo.Record
		surveyed int64
		free     int64
		want     forecast.Room
	}{
		{"usual nights, room for many", usual, 0, 50 * gib, forecast.Enough},
		{"usual nights, room for a large one", usual, 0, 5 * gib, forecast.Enough},
		{"usual nights, room for one", usual, 0, 3 * gib, forecast.Tight},
		{"usual nights, no room", usual, 0, 1 * gib, forecast.NotEnough},
		{"nothing ever changes, no room", runs(gib, 0, 0, 0), 0, 1 << 20, forecast.Tight},
		{"the second run, whose size nobody knows", runs(400 * gib), 0, gib, forecast.Unknown},
		{"a first run", nil, 100 * gib, 200 * gib, forecast.Enough},
		{"a first run that may be compressed", nil, 100 * gib, 60 * gib, forecast.Tight},
		{"a first run that cannot be compressed so much", nil, 100 * gib, 20 * gib, forecast.NotEnough},
		{"a first run of unknown size", nil, 0, 20 * gib, forecast.Unknown},
		{"runs that failed say nothing", []repo.Record{{Result: repo.ResultFailed, AddedPacked: 9}, {Result: repo.ResultAbsent}}, 0, gib, forecast.Unknown},
	} {
		if got := forecast.Next(c.runs, c.surveyed).In(c.free); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
