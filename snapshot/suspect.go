package snapshot

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/dustin/go-humanize"
)

// How much of a change is out of all proportion. A night that is only large or
// small is no reason: one that is far below the usual and well below the least
// of late is, and one in which most of what was there has been replaced although
// that is not usual.
const (
	lately     = 14   // good snapshots that are looked at: two weeks of nights
	half       = 0.5  // of the median, below which something has shrunk
	wellBelow  = 0.8  // of the least: what comes and goes by the week is usual
	gone       = 0.05 // of the median, below which nearly all is gone
	replaced   = 0.6  // of the files before, above which most were replaced
	usualShare = 0.3  // the largest such share of late that is still "usually few"
	newContent = 0.05 // of the replaced files' bytes; less is a change of owner or clock, not of content

	leastFiles  = 20       // below which a number of files says nothing
	leastSwap   = 50       // the same for replaced files
	leastBytes  = 1 << 20  // the same for the size of folders
	leastStream = 64 << 10 // the same for the size of a dump
	leastEmpty  = 1 << 10  // a dump that was never longer may as well be empty
)

// Suspect compares a new snapshot with those before it, oldest first, and returns
// in plain words why it looks wrong: a source that is gone or empty, that shrank
// out of all proportion, or most of whose files were replaced at once, as
// ransomware does it. No reasons mean that nothing was noticed.
//
// The measure are the last good snapshots of the same host and plan (without a
// plan, of the same paths): those that are not suspicious themselves, from the
// last one on of which a person said that it is right. One predecessor is enough
// to miss everything, two are needed to miss half. A source that failed is not
// judged: its error says enough.
func Suspect(now *Snapshot, before []*Snapshot) (reasons []string) {
	before = slices.DeleteFunc(slices.Clone(before), func(s *Snapshot) bool { return s.ID == now.ID && s.ID != "" || !now.SameSource(s) })
	good := goodOnes(before)
	for _, m := range measures(now) {
		past := history(good, m.name)
		reasons = append(reasons, m.shrunk(past)...)
	}
	reasons = append(reasons, vanished(now, good)...)
	return append(reasons, swapped(now, before)...)
}

// goodOnes are the last snapshots that can serve as a measure.
func goodOnes(before []*Snapshot) (good []*Snapshot) {
	for _, s := range slices.Backward(before) {
		if s.Suspicious() {
			continue
		}
		good = append(good, s)
		if s.Cleared != nil || len(good) == lately {
			break
		}
	}
	slices.Reverse(good)
	return good
}

// A measure is what one source of a snapshot amounts to.
type measure struct {
	name   string // empty: the snapshot as a whole
	stream bool   // a dump, not folders
	failed bool
	files  int64
	bytes  int64
	fresh  int64 // files new or changed since the snapshot before
	facts  map[string]string
}

func measures(s *Snapshot) (list []measure) {
	for _, r := range s.Sources {
		list = append(list, measure{r.Name, r.Kind != "files", r.Error != "", r.Files, r.Bytes, r.New, r.Facts})
	}
	if len(list) == 0 {
		u := s.Summary
		list = []measure{{"", u.Files == 1 && len(s.Paths) == 1, !s.Complete, u.Files, u.Bytes, u.FilesNew + u.FilesChanged, nil}}
	}
	return list
}

// history is what a source amounted to in snapshots in which it did not fail.
func history(good []*Snapshot, name string) (past []measure) {
	for _, s := range good {
		for _, m := range measures(s) {
			if m.name == name && !m.failed {
				past = append(past, m)
			}
		}
	}
	return past
}

func (m *measure) String() string {
	if m.name == "" {
		return "the snapshot"
	}
	return "source " + m.name
}

// shrunk says what has become too little.
func (m *measure) shrunk(past []measure) (reasons []string) {
	if m.failed || len(past) == 0 {
		return nil
	}
	size := func(n int64) string { return humanize.IBytes(uint64(max(0, n))) }
	least := int64(leastBytes)
	if m.stream {
		least = leastStream
	}
	usual := series(past, func(p *measure) int64 { return p.bytes })
	switch {
	case m.bytes == 0 && usual.median >= leastEmpty && usual.least > 0:
		reasons = append(reasons, fmt.Sprintf("%v is empty; usually it has %s", m, size(usual.median)))
	case usual.collapsed(m.bytes, least):
		reasons = append(reasons, fmt.Sprintf("%v has %s; usually it has %s", m, size(m.bytes), size(usual.median)))
	}
	usual = series(past, func(p *measure) int64 { return p.files })
	if usual.collapsed(m.files, leastFiles) {
		reasons = append(reasons, fmt.Sprintf("%v has %s files; usually it has %s", m, humanize.Comma(m.files), humanize.Comma(usual.median)))
	}
	return append(reasons, m.fewer(past)...)
}

// counted are the facts of a database that are numbers of what is in it.
var counted = []string{"tables", "rows"}

// fewer compares what a database said of itself.
func (m *measure) fewer(past []measure) (reasons []string) {
	for _, fact := range counted {
		is, ok := number(m.facts, fact)
		var was []measure
		for _, p := range past {
			if n, known := number(p.facts, fact); known {
				was = append(was, measure{files: n})
			}
		}
		if !ok || len(was) == 0 {
			continue
		}
		usual := series(was, func(p *measure) int64 { return p.files })
		if usual.collapsed(is, leastFiles) || is == 0 && usual.least > 0 {
			reasons = append(reasons, fmt.Sprintf("%v has %s %s; usually it has %s", m, humanize.Comma(is), fact, humanize.Comma(usual.median)))
		}
	}
	return reasons
}

func number(facts map[string]string, name string) (int64, bool) {
	n, err := strconv.ParseInt(facts[name], 10, 64)
	return n, err == nil && n >= 0
}

// usually sums up a number over the nights.
type usually struct {
	nights        int
	median, least int64
}

func series(past []measure, of func(*measure) int64) usually {
	var all []int64
	for i := range past {
		all = append(all, of(&past[i]))
	}
	slices.Sort(all)
	return usually{len(all), all[len(all)/2], all[0]}
}

// collapsed reports whether n is far below what is usual. What is usually below
// enough says nothing.
func (u usually) collapsed(n, enough int64) bool {
	if u.median < enough || float64(n) >= wellBelow*float64(u.least) {
		return false
	}
	return float64(n) < gone*float64(u.median) || u.nights >= 2 && float64(n) < half*float64(u.median)
}

// vanished names the sources that the last good snapshot has and this one lacks.
func vanished(now *Snapshot, good []*Snapshot) (reasons []string) {
	if len(good) == 0 || len(now.Sources) == 0 {
		return nil
	}
	for _, was := range good[len(good)-1].Sources {
		same := func(r SourceRecord) bool { return r.Name == was.Name }
		if !slices.ContainsFunc(now.Sources, same) {
			reasons = append(reasons, fmt.Sprintf("source %s is not saved any more", was.Name))
		}
	}
	return reasons
}

// swapped says which sources had most of their files replaced since the snapshot
// before. That shows on one night only: what comes after it looks like it, and
// is not right before somebody says so.
func swapped(now *Snapshot, before []*Snapshot) (reasons []string) {
	for s := now; ; {
		parent := parentOf(s, before)
		if parent == nil {
			return nil
		}
		earlier := before[:slices.Index(before, parent)+1]
		for _, m := range measures(s) {
			if reason := m.swapped(s, parent, earlier); reason != "" {
				reasons = append(reasons, reason)
			}
		}
		switch {
		case len(reasons) > 0 && s == now:
			return reasons
		case len(reasons) > 0:
			return []string{fmt.Sprintf("most files are as in snapshot %s of %s, in which they had been replaced", s.ID.Short(), s.Time.Format("2006-01-02"))}
		case !parent.Suspicious():
			return nil
		}
		s = parent
	}
}

// parentOf finds the snapshot that s was compared with, edited or not, among
// those before it.
func parentOf(s *Snapshot, before []*Snapshot) *Snapshot {
	if i := slices.Index(before, s); i >= 0 {
		before = before[:i]
	}
	if s.Parent == "" {
		return nil
	}
	return Newest(before, func(o *Snapshot) bool { return o.ID == s.Parent || o.Original == s.Parent })
}

// swapped says that most of the files that the parent had are not there any more
// as they were, with content that is new, although few used to change.
func (m *measure) swapped(s, parent *Snapshot, before []*Snapshot) string {
	share, lost := m.share(parent)
	if m.failed || lost < leastSwap || share <= replaced {
		return ""
	}
	if float64(s.Summary.DataAdded) < newContent*share*float64(m.bytes) {
		return ""
	}
	good := goodOnes(before)
	var most float64
	known := 0
	for _, g := range good {
		p := parentOf(g, before)
		if p == nil || g.Cleared != nil { // what was cleared was right once, not usual
			continue
		}
		for _, past := range measures(g) {
			if past.name == m.name && !past.failed {
				usual, _ := past.share(p)
				most = max(most, usual)
				known++
			}
		}
	}
	if known < 2 || most > usualShare {
		return ""
	}
	return fmt.Sprintf("%v: of %s files, %s were replaced or removed since the snapshot before; usually at most %.0f%% are",
		m, humanize.Comma(lost+m.files-m.fresh), humanize.Comma(lost), 100*most)
}

// share is how many of the files that the parent had are not there any more as
// they were. Files that were added do not count.
func (m *measure) share(parent *Snapshot) (share float64, lost int64) {
	for _, p := range measures(parent) {
		if p.name == m.name && p.files > 0 {
			lost = max(0, p.files-max(0, m.files-m.fresh))
			return float64(lost) / float64(p.files), lost
		}
	}
	return 0, 0
}
