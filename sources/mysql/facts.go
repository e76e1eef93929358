package mysql

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartkeep/sources"
)

// facts are what is worth remembering of a dump.
func (d *dump) facts() map[string]string {
	all := map[string]string{"seconds": seconds(d.ended.Sub(d.started))}
	if d.server.version != "" {
		all["server"] = d.server.String()
	}
	if d.failure != nil {
		return all
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hold
	all["moment"] = h.at.UTC().Format(time.RFC3339Nano)
	all["position"] = cmp.Or(strings.Join(h.position, ", "), "not known: no binary log, or no right to see it")
	all["consistent by"] = h.block.name
	all["writers blocked, seconds"] = seconds(h.block.blocked)
	all["encoding"] = h.desc.Charset
	all["collation"] = h.desc.Collation
	if !h.lockedAt.IsZero() {
		all["tables locked, seconds"] = seconds(h.lockedFor)
	}
	d.countTables(all)
	return all
}

// countTables adds what was read.
func (d *dump) countTables(all map[string]string) {
	var rows, size int64
	var names []string
	engines := map[string]int{}
	locked := map[string]int{}
	for i := range d.hold.desc.Databases {
		b := &d.hold.desc.Databases[i]
		names = append(names, b.Name)
		all[sources.TablesOf+b.Name] = ""
		all["collation of "+b.Name] = b.Charset + " " + b.Collation
	}
	for _, t := range d.hold.desc.tables() {
		engines[t.Engine]++
		if t.locked() {
			locked[t.Engine]++
		}
	}
	for _, r := range d.readings {
		if r.whole {
			rows, size = rows+r.count.Rows, size+r.count.Bytes
			all[sources.TablesOf+r.database.Name] += r.count.Line(strings.TrimSuffix(r.table.File, extension))
		}
	}
	all["databases"] = strings.Join(names, ", ")
	all["engines"] = perEngine(engines)
	if len(locked) > 0 {
		all["tables locked"] = perEngine(locked)
	}
	all["tables"], all["rows"], all["bytes"] = strconv.Itoa(len(d.readings)), strconv.FormatInt(rows, 10), strconv.FormatInt(size, 10)
}

// perEngine is "12 InnoDB, 3 MyISAM".
func perEngine(count map[string]int) string {
	var all []string
	for e, n := range count {
		all = append(all, fmt.Sprintf("%d %s", n, e))
	}
	slices.SortFunc(all, func(a, b string) int {
		_, a, _ = strings.Cut(a, " ")
		_, b, _ = strings.Cut(b, " ")
		return cmp.Compare(a, b)
	})
	return strings.Join(all, ", ")
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 4, 64) }
