package sources_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"chartkeep/sources"
)

func TestNamesComeBackFromTheirFileNames(t *testing.T) {
	names := map[string]string{
		"patient": "patient", "PatNote": "+pat+note", "a.b/c": "a%2Eb%2Fc", "größe": "größe", "ÜBER": "+ü+b+e+r",
		"con": "%63on", "CON": "+c+o+n", "com1": "%63om1", "console": "console", "a\x00\xff": "a%00%FF", "\uFFFD": "%EF%BF%BD",
		"100% +": "100%25%20%2B", "..": "%2E%2E", "患者": "患者", "ǅ": "%C7%85",
	}
	for name, want := range names {
		got := sources.FileName(name)
		back, err := sources.NameOfFile(got)
		if got != want || back != name || err != nil {
			t.Errorf("%q: file %q, want %q; back %q, %v", name, got, want, back, err)
		}
	}
	for _, bad := range []string{"A", "a.b", "%4", "%6Z", "%61", "+", "+1", "con", "a%2e"} {
		if name, err := sources.NameOfFile(bad); err == nil {
			t.Errorf("%q came back as %q", bad, name)
		}
	}
}

// TestDifferentNamesHaveDifferentFiles also where case does not count.
func TestDifferentNamesHaveDifferentFiles(t *testing.T) {
	alphabet := []rune("aAbBäÄß./+% -_ſKkıİσςΣ1\u0000")
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]string{}
	for range 20_000 {
		var name []rune
		for range 1 + rng.IntN(4) {
			name = append(name, alphabet[rng.IntN(len(alphabet))])
		}
		n := string(name)
		f := sources.FileName(n)
		if back, err := sources.NameOfFile(f); back != n || err != nil {
			t.Fatalf("%q: file %q came back as %q, %v", n, f, back, err)
		}
		fold := strings.ToLower(strings.ToUpper(f))
		if other, ok := seen[fold]; ok && other != n {
			t.Fatalf("%q and %q share the file %q", n, other, fold)
		}
		seen[fold] = n
	}
}
