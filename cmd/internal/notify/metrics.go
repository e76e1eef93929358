package notify

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// codes are the results as numbers, for graphs; they never change.
var codes = map[Result]int{Done: 0, Failed: 1, Incomplete: 2, Absent: 3, Skipped: 4, Suspicious: 5, Interrupted: 6, Damaged: 7}

// A gauge is one metric with a value for each set of labels.
type gauge struct {
	name, help string
	values     []string // lines without the name
}

func (g *gauge) add(labels string, value float64) {
	g.values = append(g.values, fmt.Sprintf("{%s} %v", labels, value))
}

func (g *gauge) addTime(labels string, t time.Time) {
	if !t.IsZero() {
		g.add(labels, float64(t.UnixMilli())/1000)
	}
}

func (g *gauge) addKnown(labels string, n int64) {
	if n >= 0 {
		g.add(labels, float64(n))
	}
}

// labels writes pairs of names and values in the text format.
func labels(pairs ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `%s="%s"`, pairs[i], escape.Replace(strings.ToValidUTF8(pairs[i+1], "\uFFFD")))
	}
	return b.String()
}

// exposition is the memory in Prometheus' text format.
func exposition(m *Memory) string {
	var b strings.Builder
	for _, g := range append(planGauges(m), copyGauges(m)...) {
		if len(g.values) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", g.name, g.help, g.name)
		for _, v := range g.values {
			fmt.Fprintf(&b, "%s%s\n", g.name, v)
		}
	}
	return b.String()
}

func planGauges(m *Memory) []gauge {
	run := gauge{name: "chartkeep_last_run_timestamp_seconds", help: "End of the last run, whatever its result."}
	success := gauge{name: "chartkeep_last_success_timestamp_seconds", help: "End of the last run that saved everything."}
	duration := gauge{name: "chartkeep_last_run_duration_seconds", help: "How long the last run took."}
	added := gauge{name: "chartkeep_last_run_added_bytes", help: "Bytes by which the last run let the repository grow."}
	result := gauge{name: "chartkeep_last_run_result", help: "0 done, 1 failed, 2 incomplete, 3 absent, 4 skipped, 5 suspicious, 6 interrupted, 7 damaged."}
	overdue := gauge{name: "chartkeep_overdue", help: "1 while no good snapshot was made for longer than allowed."}
	for _, name := range slices.Sorted(maps.Keys(m.Plans)) {
		p := m.Plans[name]
		l := labels("plan", name, "host", p.Host)
		overdue.add(l, truth(!m.Overdue[name].IsZero()))
		if p.LastRun.IsZero() {
			continue
		}
		run.addTime(l, p.LastRun)
		success.addTime(l, p.LastSuccess)
		duration.add(l, p.Duration.Seconds())
		added.addKnown(l, p.Added)
		result.add(l, float64(codes[p.Result]))
	}
	return []gauge{run, success, duration, added, result, overdue}
}

func copyGauges(m *Memory) []gauge {
	good := gauge{name: "chartkeep_copy_last_good_timestamp_seconds", help: "Newest complete and unsuspicious snapshot at a destination."}
	size := gauge{name: "chartkeep_repository_bytes", help: "Bytes in the repository at a destination."}
	free := gauge{name: "chartkeep_free_bytes", help: "Bytes free beside the repository."}
	verified := gauge{name: "chartkeep_oldest_verified_timestamp_seconds", help: "When the part of the data was read back that was read back longest ago."}
	drilled := gauge{name: "chartkeep_last_drill_timestamp_seconds", help: "Last restore for proof."}
	overdue := gauge{name: "chartkeep_copy_overdue", help: "1 while the copy is overdue."}
	for _, key := range slices.Sorted(maps.Keys(m.Copies)) {
		c := m.Copies[key]
		l := labels("plan", c.Plan, "destination", c.Destination)
		good.addTime(l, c.LastGood)
		size.addKnown(l, c.Size)
		free.addKnown(l, c.Free)
		verified.addTime(l, c.Verified)
		drilled.addTime(l, c.Drilled)
		overdue.add(l, truth(!m.Overdue[key].IsZero() || !m.Overdue[c.Plan].IsZero()))
	}
	return []gauge{good, size, free, verified, drilled, overdue}
}

func truth(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// writeMetrics is the job that writes the file, if there is to be one.
func (n *Notifier) writeMetrics(m *Memory) job {
	return job{"metrics", func(context.Context) error {
		if n.metrics == "" {
			return nil
		}
		if err := replaceFile(n.metrics, exposition(m)); err != nil {
			return final{err}
		}
		return nil
	}}
}

// replaceFile writes a file whole or not at all: the collector may read at any
// moment, and skips names that do not end in .prom.
func replaceFile(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(text)
	if e := f.Chmod(0o644); err == nil { // the collector is another user
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
