package postgres

import (
	"strings"
	"testing"
)

func TestNamesAreTextAndComeBack(t *testing.T) {
	for name, want := range map[Name]string{
		"patient": "patient", "größe 患者": "größe 患者", "100%": "100%25", "\xe9\xff": "%E9%FF", "a\uFFFDb": "a\uFFFDb", "": "",
	} {
		text, err := name.MarshalText()
		var back Name
		if err != nil || string(text) != want || back.UnmarshalText(text) != nil || back != name {
			t.Errorf("%q: %s, back %q, %v", name, text, back, err)
		}
	}
	for _, bad := range []string{"%", "%4", "a%zz"} {
		if err := new(Name).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is a name", bad)
		}
	}
}

func TestFileNamesAreNeverTooLong(t *testing.T) {
	quotes := Name(strings.Repeat(`"`, 63))
	other := quotes[:62] + "'"
	a, b := tableFile(quotes, quotes), tableFile(quotes, other)
	if len(a) > 255 || len(b) > 255 || a == b || !strings.HasSuffix(a, ".copy") {
		t.Errorf("%d %s\n%d %s", len(a), a, len(b), b)
	}
	if got := tableFile("public", "Patient"); got != "public.+patient.copy" {
		t.Error(got)
	}
	if f := folder(quotes); len(f) > 255 {
		t.Error(f)
	}
}
