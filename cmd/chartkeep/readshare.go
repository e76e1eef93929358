package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
)

// readShare says how much content a check reads. The zero value reads none.
type readShare struct {
	part, parts int     // part 1, 2, … of so many
	percent     float64 // of the bytes
	size        int64   // bytes
	within      int     // days in which everything is read once
	all         bool
}

func readShareOf(c *cli.Context) (readShare, error) {
	if text := c.String("read-data-subset"); text != "" {
		return parseShare(text)
	}
	return readShare{all: c.Bool("read-data") || c.Duration("time-budget") > 0}, nil
}

// parseShare reads n/m, P% or a size.
func parseShare(text string) (s readShare, err error) {
	part, parts, fraction := strings.Cut(text, "/")
	percent, share := strings.CutSuffix(text, "%")
	switch {
	case fraction:
		n, err1 := strconv.Atoi(part)
		m, err2 := strconv.Atoi(parts)
		if err1 != nil || err2 != nil || n < 1 || n > m {
			return s, fmt.Errorf("%q is not a part: write 1/7, 2/7 up to 7/7", text)
		}
		return readShare{part: n, parts: m}, nil
	case share:
		p, err := strconv.ParseFloat(percent, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return s, fmt.Errorf("%q is not a share between 0%% and 100%%", text)
		}
		return readShare{percent: p}, nil
	}
	s.size, err = ui.ParseSize(text)
	if err == nil && s.size == 0 {
		err = fmt.Errorf("%q: nothing would be read", text)
	}
	return s, err
}

// of chooses among all packs, those first that were read longest ago.
func (s readShare) of(all []index.PackInfo, log *repo.CheckLog) []index.PackInfo {
	slices.SortFunc(all, func(a, b index.PackInfo) int {
		return cmp.Or(log.Verified(a.ID).Compare(log.Verified(b.ID)), slices.Compare(a.ID[:], b.ID[:]))
	})
	switch {
	case s.all:
		return all
	case s.parts > 0:
		return s.slice(all, log.Empty())
	case s.percent > 0:
		total := int64(0)
		for _, p := range all {
			total += int64(p.Size)
		}
		return upTo(all, int64(float64(total)*s.percent/100))
	case s.size > 0:
		return upTo(all, s.size)
	case s.within > 0:
		return s.overdue(all, log, time.Now())
	}
	return nil
}

// overdue takes tonight's part of what is to be read within some days: as many
// packs as are needed when this is done every night, and all whose time is over
// by tomorrow.
func (s readShare) overdue(all []index.PackInfo, log *repo.CheckLog, now time.Time) []index.PackInfo {
	n := (len(all) + s.within - 1) / s.within
	last := now.AddDate(0, 0, 1-s.within)
	for n < len(all) && !log.Verified(all[n].ID).IsZero() && log.Verified(all[n].ID).Before(last) {
		n++
	}
	return all[:n]
}

// slice takes one part. What was read before says which is next; where no check
// could write that down, the number of the part does.
func (s readShare) slice(all []index.PackInfo, unwritten bool) []index.PackInfo {
	n := (len(all) + s.parts - 1) / s.parts
	from := 0
	if unwritten {
		from = min((s.part-1)*n, len(all))
	}
	return all[from:min(from+n, len(all))]
}

// upTo takes packs until they make up a size: at least one.
func upTo(all []index.PackInfo, size int64) []index.PackInfo {
	for i, p := range all {
		if size -= int64(p.Size); size <= 0 {
			return all[:i+1]
		}
	}
	return all
}
