package main

import (
	"slices"
	"testing"
)

func pickOf(t *testing.T, includes, excludes []string) *selection {
	t.Helper()
	s, err := newSelection(includes, excludes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSelectionPicks(t *testing.T) {
	for _, c := range []struct {
		includes, excludes []string
		path               string
		want               bool
	}{
		{nil, nil, "a/b", true},
		{[]string{"S/Smith/pano.jpg"}, nil, "S/Smith/pano.jpg", true},
		{[]string{"/S/Smith/pano.jpg"}, nil, "S/Smith/pano.jpg", true},
		{[]string{"S/Smith/pano.jpg"}, nil, "x/S/Smith/pano.jpg", false},
		{[]string{"S/Smith/pano.jpg"}, nil, "S/Smith/pano.jpg.old", false},
		{[]string{"S/Smith/pano.jpg"}, nil, "S/Smith", false},
		{[]string{"S/Smith"}, nil, "S/Smith/2026/pano.jpg", true},
		{[]string{"S/*/pano.jpg"}, nil, "S/Smith/pano.jpg", true},
		{[]string{"S/*/pano.jpg"}, nil, "S/Smith/2026/pano.jpg", false},
		{[]string{"S/**/pano.jpg"}, nil, "S/Smith/2026/pano.jpg", true},
		{[]string{"S/**/pano.jpg"}, nil, "S/pano.jpg", true},
		{[]string{"**/2026"}, nil, "S/Smith/2026/pano.jpg", true},
		{[]string{"S/**"}, nil, "S", true},
		{[]string{"*.jpg"}, nil, "S/Smith/pano.jpg", true},
		{[]string{"*.jpg"}, nil, "S/Smith/letter.txt", false},
		{[]string{"2026"}, nil, "S/Smith/2026/letter.txt", true},
		{[]string{"/pano.jpg"}, nil, "S/pano.jpg", false},
		{[]string{"{a,b}.txt"}, nil, "a.txt", false},
		{[]string{"{a,b}.txt"}, nil, "{a,b}.txt", true},
		{[]string{"x", "S/y"}, nil, "S/y", true},
		{nil, []string{"*.tmp"}, "S/x.tmp", false},
		{nil, []string{"S/x"}, "Q/S/x", false},
		{nil, []string{"/S/x"}, "Q/S/x", true},
		{nil, []string{"/S/x"}, "S/x", false},
		{[]string{"S"}, []string{"*.tmp"}, "S/x.tmp", false},
		{[]string{"S"}, []string{"*.tmp"}, "S/x.jpg", true},
	} {
		if got, _ := pickOf(t, c.includes, c.excludes).pick(c.path, false); got != c.want {
			t.Errorf("include %q, exclude %q: %s is picked: %v, want %v", c.includes, c.excludes, c.path, got, c.want)
		}
	}
}

// What cannot hold anything that is wanted is not read: restoring one file of a
// million must not read a million nodes.
func TestSelectionEntersOnlyWhatMayHoldSomething(t *testing.T) {
	for _, c := range []struct {
		include, folder string
		want            bool
	}{
		{"S/Smith/pano.jpg", "S", true},
		{"S/Smith/pano.jpg", "S/Smith", true},
		{"S/Smith/pano.jpg", "R", false},
		{"S/Smith/pano.jpg", "S/Reed", false},
		{"S/Smith/pano.jpg", "S/Smith/2026", false},
		{"S/Smith", "S/Smith/2026", true},
		{"S/*/pano.jpg", "S/Reed", true},
		{"S/*/pano.jpg", "S/Reed/2026", false},
		{"S/**/pano.jpg", "S/Reed/2026", true},
		{"S/**/pano.jpg", "R", false},
		{"*.jpg", "R/Reed", true},
	} {
		if _, got := pickOf(t, []string{c.include}, nil).pick(c.folder, true); got != c.want {
			t.Errorf("include %s: folder %s is entered: %v, want %v", c.include, c.folder, got, c.want)
		}
	}
	if _, below := pickOf(t, nil, []string{"tmp"}).pick("S/tmp", true); below {
		t.Error("a folder that is excluded is entered")
	}
}

func TestSelectionCoversWhatWasBackedUp(t *testing.T) {
	s := pickOf(t, nil, nil)
	s.covers, s.base = []string{"/srv/practice", "/home/x"}, "/srv"
	var picked []string
	for _, p := range []string{"practice", "practice/S", "other", "practice2"} {
		if ok, _ := s.pick(p, true); ok {
			picked = append(picked, p)
		}
	}
	if want := []string{"practice", "practice/S"}; !slices.Equal(picked, want) {
		t.Errorf("below /srv, %q are covered, want %q", picked, want)
	}
	s.base = "/"
	if ok, _ := s.pick("srv", true); !ok {
		t.Error("a folder on the way to what was backed up is not covered")
	}
	if ok, _ := s.pick("etc", true); ok {
		t.Error("/etc, which was not backed up, is covered")
	}
}

func TestSelectionRefusesWhatIsNoPattern(t *testing.T) {
	for _, text := range []string{"", "/", "[a", "a/[", `a\`} {
		if _, err := newSelection([]string{text}, nil); err == nil {
			t.Errorf("%q is taken as a pattern", text)
		}
	}
	if _, err := newSelection(nil, []string{"[a"}); err == nil {
		t.Error("[a is taken as a pattern to exclude")
	}
}
