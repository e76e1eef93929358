package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tablesOf begins the key of the fact that counts a database's tables.
const tablesOf = "tables of "

// facts are what is worth remembering. With several databases, what is of one
// has its name behind.
func (d *dump) facts() map[string]string {
	all := map[string]string{"seconds": seconds(d.ended.Sub(d.started))}
	if d.release == "" {
		return all // there was no server
	}
	all["server"] = "PostgreSQL " + d.release
	if d.roles != nil {
		all["roles"] = map[bool]string{true: "with passwords", false: "without passwords"}[d.secrets]
	}
	var names []string
	for _, m := range d.moments {
		names = append(names, string(m.Name))
		of := ""
		if len(d.moments) > 1 {
			of = " of " + string(m.Name)
		}
		for k, v := range m.facts(d.ended) {
			all[k+of] = v
		}
		all[tablesOf+string(m.Name)] = m.counts()
	}
	all["databases"] = strings.Join(names, ", ")
	return all
}

func (m *moment) facts(end time.Time) map[string]string {
	var rows, size int64
	for _, r := range m.readings {
		rows += r.count.Rows
		size += r.count.Bytes
	}
	all := map[string]string{
		"position": m.position, "moment": m.at.UTC().Format(time.RFC3339Nano), "encoding": m.Encoding,
		"collation": strings.TrimSpace(m.Collate + " " + m.Collations),
		"tables":    strconv.Itoa(len(m.readings)), "rows": strconv.FormatInt(rows, 10), "bytes": strconv.FormatInt(size, 10),
		"locks held, seconds": seconds(end.Sub(m.locked)), "locks waited for, seconds": seconds(m.waited),
	}
	if m.Objects {
		all["large objects"] = strconv.Itoa(len(m.objects))
		all["bytes of large objects"] = strconv.FormatInt(m.seen.bytes, 10)
	}
	return all
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

// counts is a line for each table: file without its ending, rows, bytes, digest.
func (m *moment) counts() string {
	var b strings.Builder
	for _, r := range m.readings {
		if r.done {
			fmt.Fprintf(&b, "%s\t%d\t%d\t%s\n", strings.TrimSuffix(r.table.File, ".copy"), r.count.Rows, r.count.Bytes, r.count.Digest)
		}
	}
	return b.String()
}

// Counts reads from facts how much each table of a database held. The keys are
// the tables' files without their ending: "public.patient".
func Counts(facts map[string]string, database string) (map[string]Count, error) {
	all := map[string]Count{}
	for line := range strings.Lines(facts[tablesOf+database]) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 || len(f[3]) != 32 {
			return nil, fmt.Errorf("%q does not count a table", line)
		}
		var c Count
		var errs [4]error
		c.Rows, errs[0] = strconv.ParseInt(f[1], 10, 64)
		c.Bytes, errs[1] = strconv.ParseInt(f[2], 10, 64)
		c.Digest[1], errs[2] = strconv.ParseUint(f[3][:16], 16, 64)
		c.Digest[0], errs[3] = strconv.ParseUint(f[3][16:], 16, 64)
		for _, err := range errs {
			if err != nil {
				return nil, fmt.Errorf("%q does not count a table: %w", line, err)
			}
		}
		all[f[0]] = c
	}
	return all, nil
}

// Differences compares what the tables of a database held when it was saved
// with what they hold elsewhere. Partitions whose rows may have moved to a
// sibling count together.
func Differences(d Database, saved, now map[string]Count) []string {
	was, is := map[string]Count{}, map[string]Count{}
	for _, t := range d.Tables {
		file := strings.TrimSuffix(t.File, ".copy")
		name := t.place().String()
		if t.Root != nil {
			name = t.Root.String()
		}
		was[name] = was[name].plus(saved[file])
		is[name] = is[name].plus(now[file])
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if was[name] != is[name] {
			all = append(all, fmt.Sprintf("%s: saved were %d rows with digest %v, here are %d with %v", name, was[name].Rows, was[name].Digest, is[name].Rows, is[name].Digest))
		}
	}
	return all
}
