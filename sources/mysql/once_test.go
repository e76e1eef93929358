package mysql

import (
	"errors"
	"strings"
	"testing"
)

func TestATableThatWasNotReadIsAnError(t *testing.T) {
	db := database(t, shared)
	must(t, dial(t, shared, db), "CREATE TABLE a (n INT)", "CREATE TABLE b (n INT) ENGINE=MyISAM")
	src := sourceOf(t, shared, db)
	all := entriesOf(t, src)
	if _, err := readEntry(all["a.tsv"]); err != nil {
		t.Fatal(err)
	}
	if _, err := readEntry(all["a.tsv"]); err == nil {
		t.Error("a table was read a second time, perhaps of another moment")
	}
	if _, err := src.End(t.Context()); err == nil || !strings.Contains(err.Error(), "1 of 2 tables were not read") {
		t.Errorf("End: %v", err)
	}
	if _, err := src.End(t.Context()); err == nil {
		t.Error("End without a moment says that all is well")
	}
}

func TestASourceIsReadOnceAtATime(t *testing.T) {
	db := database(t, shared)
	src := sourceOf(t, shared, db)
	entriesOf(t, src)
	for e := range src.Entries(t.Context()) {
		if !errors.Is(e.Err, errTwice) {
			t.Errorf("%s: %v", e.Path, e.Err)
		}
	}
	if _, err := src.End(t.Context()); err != nil {
		t.Error(err)
	}
}
