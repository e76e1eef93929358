package sources_test

import (
	"testing"

	"chartkeep/sources"
)

func digestOf(rows ...string) string {
	var d sources.RowDigest
	for _, r := range rows {
		d.Add([]byte(r))
	}
	return d.String()
}

func TestADigestOfRowsDependsOnAllButTheirOrder(t *testing.T) {
	want := digestOf("a", "b", "b")
	if got := digestOf("b", "a", "b"); got != want {
		t.Errorf("another order: %s, want %s", got, want)
	}
	for _, other := range [][]string{{"a", "b"}, {"a", "a", "b"}, {"a", "b", "c"}, {"ab", "b"}, {}} {
		if digestOf(other...) == want {
			t.Errorf("%q has the digest of a, b, b", other)
		}
	}
}
