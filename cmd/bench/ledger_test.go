package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// measured returns units that note their names in log, and fail where told.
func measured(log *[]string, fail string, names ...string) (units []unit) {
	for _, name := range names {
		units = append(units, unit{name: name, measure: func(r *results) error {
			*log = append(*log, name)
			r.add("ours", "first", figure{x: 1, wall: float64(len(*log)), cpu: 2, memory: 3, stored: 4, added: 5})
			if name == fail {
				return errors.New("no")
			}
			return nil
		}})
	}
	return units
}

func TestMeasuringGoesOnWhereItEnded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.jsonl")
	var log []string
	open := func() *ledger {
		l, err := openLedger(file, "of these data")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if err := runUnits(options{}, open(), measured(&log, "b", "a", "b", "c")); err == nil {
		t.Fatal("the unit that fails is no error")
	}
	l := open()
	if n := left(l, measured(&log, "", "a", "b", "c")); n != 2 {
		t.Errorf("%d units are left, want 2", n)
	}
	if n := len(l.results().by["oursfirst"]); n != 1 {
		t.Errorf("%d figures count, want that of the unit that was done", n)
	}
	if err := runUnits(options{}, l, measured(&log, "", "a", "b", "c")); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "b", "c"}; !slices.Equal(log, want) {
		t.Errorf("measured were %v, want %v", log, want)
	}
	want := figure{x: 1, wall: 4, cpu: 2, memory: 3, stored: 4, added: 5}
	if all := open().results().by["oursfirst"]; len(all) != 3 || *all[2] != want {
		t.Errorf("%d figures come back, the last of them %+v; want 3, and %+v", len(all), all[len(all)-1], want)
	}
}

func TestWhatIsPreparedIsPreparedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.jsonl")
	prepared, log := 0, []string{}
	units := measured(&log, "", "a")
	units[0].prepare = func() error { prepared++; return nil }
	for range 2 {
		l, err := openLedger(file, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := runUnits(options{prepareOnly: true}, l, units); err != nil {
			t.Fatal(err)
		}
	}
	if prepared != 1 || len(log) != 0 {
		t.Errorf("prepared %d times and measured %d times, want once and never", prepared, len(log))
	}
}

func TestFiguresOfOtherDataAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.jsonl")
	if _, err := openLedger(file, "seed 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := openLedger(file, "seed 2"); err == nil {
		t.Error("figures of seed 1 were taken for those of seed 2")
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openLedger(file, "seed 1"); err == nil {
		t.Error("half a line was taken for a figure")
	}
}
