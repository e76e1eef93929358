package sources_test

import (
	"fmt"
	"testing"

	"chartkeep/sources"
)

func TestTablesThatLostTheirRowsAreNamed(t *testing.T) {
	count := func(rows int64) sources.Count { return sources.Count{Rows: rows, Bytes: 10 * rows, Digest: "ab"} }
	before := map[string]string{"server": "x", sources.TablesOf + "shop": count(7).Line("kept") + count(5).Line("emptied") + count(3).Line("dropped") + count(0).Line("never") + count(0).Line("left")}
	now := map[string]string{sources.TablesOf + "shop": count(1).Line("kept") + count(0).Line("emptied") + count(0).Line("never")}
	lost, err := sources.Lost(before, now)
	if want := "[shop: dropped held 3 rows and is gone shop: emptied held 5 rows and is empty]"; err != nil || fmt.Sprint(lost) != want {
		t.Errorf("%v, %v; want %s", lost, err, want)
	}
	c, err := sources.Counts(before, "shop")
	if err != nil || c["kept"] != count(7) || len(c) != 5 {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := sources.Lost(map[string]string{sources.TablesOf + "shop": "kept\tmany\t1\tab\n"}, now); err == nil {
		t.Error("a fact that counts nothing was accepted")
	}
}
