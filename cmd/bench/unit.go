package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A unit is what is measured at one go. What it needs is prepared before, by the
// same process or an earlier one, and not timed.
type unit struct {
	name    string
	prepare func() error // nil: nothing is needed
	measure func(*results) error
}

// runUnits prepares and measures what the ledger does not have yet: until enough
// time has gone by, or with -prepare, until the next unit is ready.
func runUnits(o options, l *ledger, units []unit) error {
	start := time.Now()
	for _, u := range units {
		if l.done[u.name] {
			continue
		}
		if o.limit > 0 && time.Since(start) > o.limit {
			return nil
		}
		fmt.Fprintln(os.Stderr, u.name)
		if u.prepare != nil && !l.ready[u.name] {
			if err := prepareUnit(o, l, u); err != nil {
				return fmt.Errorf("%s: %w", u.name, err)
			}
		}
		if o.prepareOnly {
			return nil
		}
		var r results
		if err := u.measure(&r); err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
		if err := l.finish(u.name, &r); err != nil {
			return err
		}
	}
	return nil
}

// prepareUnit does so in a process of its own, for the reason that apart gives.
func prepareUnit(o options, l *ledger, u unit) error {
	if !o.prepareOnly {
		return apart("-prepare")
	}
	if err := u.prepare(); err != nil {
		return err
	}
	return l.prepared(u.name)
}

// left is how many units are not done.
func left(l *ledger, units []unit) (n int) {
	for _, u := range units {
		if !l.done[u.name] {
			n++
		}
	}
	return n
}

func ledgerFile(work, study string) string { return filepath.Join(work, study+".jsonl") }
