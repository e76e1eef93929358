package sources

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// TablesOf begins the keys of a database's facts that count its tables; the
// database's name follows. The value has a line for each table: its file
// without the ending, rows, bytes and digest, with tabs between.
const TablesOf = "tables of "

// A Count is how much was read of a table.
type Count struct {
	Rows, Bytes int64
	Digest      string // a RowDigest's
}

// Line is the count as a line of a fact.
func (c Count) Line(table string) string {
	return fmt.Sprintf("%s\t%d\t%d\t%s\n", table, c.Rows, c.Bytes, c.Digest)
}

// Counts reads from facts how much each table of a database held. The keys are
// the tables' files without their ending.
func Counts(facts map[string]string, database string) (map[string]Count, error) {
	all := map[string]Count{}
	for line := range strings.Lines(facts[TablesOf+database]) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("%q does not count a table", line)
		}
		rows, errRows := strconv.ParseInt(f[1], 10, 64)
		size, errBytes := strconv.ParseInt(f[2], 10, 64)
		if errRows != nil || errBytes != nil {
			return nil, fmt.Errorf("%q does not count a table", line)
		}
		all[f[0]] = Count{Rows: rows, Bytes: size, Digest: f[3]}
	}
	return all, nil
}

// Lost compares the facts of a database's reading with those of the one before,
// and names the tables that held rows then and are empty or gone now, as
// "shop: patient held 1200 rows and is empty".
func Lost(before, now map[string]string) ([]string, error) {
	var lost []string
	for key := range before {
		database, ok := strings.CutPrefix(key, TablesOf)
		if !ok {
			continue
		}
		then, err := Counts(before, database)
		if err != nil {
			return nil, err
		}
		today, err := Counts(now, database)
		if err != nil {
			return nil, err
		}
		for table, c := range then {
			if t, there := today[table]; c.Rows > 0 && t.Rows == 0 {
				is := map[bool]string{true: "empty", false: "gone"}[there]
				lost = append(lost, fmt.Sprintf("%s: %s held %d rows and is %s", database, table, c.Rows, is))
			}
		}
	}
	slices.Sort(lost)
	return lost, nil
}
