package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// nightsStudy is a repository with more and more nights in it.
var nightsStudy = study{
	name: "nights", title: "After more and more nights", x: "nights",
	words: "A practice of 400 letters and a table of 50,000 rows (about 65 MB), of which one row in a hundred and one letter change each day and one letter is new; " +
		"every night stays. Forget and prune work on a copy: they keep 30 days, 12 months and 10 years; then once more after another night, as they would every night.",
	plotted: []string{"backup", "snapshots", "restore one", "check", prunedNightly},
	units: func(l *lab) (units []unit) {
		h := l.history(50_000/uint64(l.o.shrink), max(400/l.o.shrink, 20))
		before := 0
		for _, n := range []int{10, 100, 365, 1000, 2000, 3650} {
			n = max(n/l.o.shrink, before+3)
			from := before
			units = append(units, unit{
				name: fmt.Sprint(n), prepare: func() error { return l.decade(h, from, n-2) },
				measure: func(*results) error { return l.atNight(h, n) },
			})
			before = n
		}
		return units
	},
}

// decade adds nights; the last two are made by the program, one of them unmeasured.
func (l *lab) decade(h *history, from, to int) error {
	if from == 0 {
		if err := l.fresh(""); err != nil {
			return err
		}
	}
	return h.save(context.Background(), from, to)
}

// saveAt is the command that saves a night.
func (h *history) saveAt(n int) string {
	return fmt.Sprintf("exec $BIN backup --time %s %s", firstNight.AddDate(0, 0, n).Format(time.RFC3339), h.folder())
}

func (l *lab) atNight(h *history, n int) error {
	x := float64(n)
	for _, day := range []int{n - 2, n - 1} {
		if err := h.day(day); err != nil {
			return err
		}
		if day == n-1 {
			l.measure(x, "backup", h.saveAt(day), nil)
		} else if out, err := l.command(h.saveAt(day), "").CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	l.measure(x, "snapshots", "exec $BIN snapshots", nil)
	l.one(x, "restore one", h)
	l.measure(x, "check", "exec $BIN check", nil)
	return l.forgotten(x, h.saveAt(n))
}

// prunedNightly is the step of one night's forgetting and pruning.
const prunedNightly = "forget and prune, nightly"

// one restores one letter of the last night.
func (l *lab) one(x float64, step string, h *history) {
	l.measure(x, step, "exec $BIN restore latest:"+h.folder()+"/07/000007.rtf --target $DEST", nil)
	_ = os.RemoveAll(l.dest())
}

// forgotten measures what frees space, on a copy of the repository: of all the
// nights at once, and of the one that save adds.
func (l *lab) forgotten(x float64, save string) error {
	aside := filepath.Join(l.work, "aside")
	script := "mkdir $WORK/aside && cp -a $REPO $WORK/cache $WORK/aside"
	if out, err := l.command(script, "").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	other := *l
	other.work = aside
	const forget = "exec $BIN forget --keep-daily 30 --keep-monthly 12 --keep-yearly 10 --prune"
	other.measure(x, "forget and prune", forget, nil)
	if out, err := other.command(save, "").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	other.measure(x, prunedNightly, forget, nil)
	return os.RemoveAll(aside)
}

// yearStudy compares restores after a year of nights with those of a new repository.
var yearStudy = study{
	name: "year", title: "Restores after a year of nights", x: "nights",
	words: "A practice of 2,000 letters and a table of 800,000 rows (about 380 MB), of which one row in a hundred and one letter change each day and one letter is new. " +
		"Once a month all but 30 days and 12 months are forgotten, and the repository is pruned. Then the last night is restored from it, and from a new repository that has nothing else (0 nights).",
	plotted: []string{"forget and prune"},
	units: func(l *lab) []unit {
		h := l.history(800_000/uint64(l.o.shrink), max(2000/l.o.shrink, 100))
		var units []unit
		for month := range 12 {
			units = append(units, unit{
				name:    fmt.Sprint("month ", month+1),
				prepare: func() error { return l.decade(h, 30*month, 30*month+30) },
				measure: func(*results) error { return l.monthEnds(float64(30*month + 30)) },
			})
		}
		return append(units, unit{name: "restore", prepare: func() error { return h.day(359) }, measure: func(*results) error { return l.compareYear(h) }})
	},
}

func (l *lab) monthEnds(x float64) error {
	l.measure(x, "forget and prune", "exec $BIN forget --keep-daily 30 --keep-monthly 12 --prune", nil)
	return nil
}

// compareYear restores everything three times from each repository, in turn.
func (l *lab) compareYear(h *history) error {
	old := l.repository()
	fresh := filepath.Join(l.work, "fresh")
	use := func(repository string) error { return errors.Join(os.Remove(old), os.Symlink(repository, old)) }
	year := filepath.Join(l.work, "year")
	if err := errors.Join(os.Rename(old, year), os.MkdirAll(fresh, 0o755), os.Symlink(fresh, old)); err != nil {
		return err
	}
	for _, script := range []string{l.init, "exec $BIN backup " + h.folder()} {
		if out, err := l.command(script, "").CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	for range 3 {
		for x, repository := range map[float64]string{0: fresh, 360: year} {
			if err := use(repository); err != nil {
				return err
			}
			l.measure(x, "restore all", "exec $BIN restore latest:"+h.folder()+" --target $DEST", nil)
			if err := errors.Join(same(h.folder(), l.dest()), os.RemoveAll(l.dest())); err != nil {
				return err
			}
			l.one(x, "restore one", h)
		}
	}
	return nil
}
