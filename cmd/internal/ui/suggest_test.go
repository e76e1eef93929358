package ui

import "testing"

func TestWhatWasMeantIsNear(t *testing.T) {
	if d := distance("kitten", "sitting"); d != 3 {
		t.Errorf("distance of kitten and sitting: %d", d)
	}
	for typed, want := range map[string]string{"att": "; did you mean at?", "zz": "", "": ""} {
		if got := Suggest(typed, []string{"at", "to"}); got != want {
			t.Errorf("for %q: %q", typed, got)
		}
	}
}
