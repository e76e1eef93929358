package crypt

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRecoveryCodeIsThirteenGroupsOfFive(t *testing.T) {
	form := regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{5}-){12}[0-9A-HJKMNP-TV-Z]{5}$`)
	for range 200 {
		c := NewRecoveryCode()
		if !form.MatchString(c.String()) {
			t.Fatalf("code is %s", c)
		}
		if got, err := ParseRecoveryCode(c.String()); err != nil || got != c {
			t.Fatalf("%s came back as %s: %v", c, got, err)
		}
	}
}

func TestRecoveryCodeOfTheFormat(t *testing.T) {
	var c RecoveryCode
	for i := range c {
		c[i] = byte(i)
	}
	if got := c.String(); got != goldenCode {
		t.Errorf("code is\n%s, want\n%s", got, goldenCode)
	}
}

func TestRecoveryCodeIsReadAsPeopleType(t *testing.T) {
	c := NewRecoveryCode()
	for c.String() == strings.Trim(c.String(), "01") { // one with both would do
		c = NewRecoveryCode()
	}
	text := c.String()
	for name, typed := range map[string]string{
		"lower case":     strings.ToLower(text),
		"no dashes":      strings.ReplaceAll(text, "-", ""),
		"spaces":         strings.ReplaceAll(text, "-", "  "),
		"lines":          "\r\n\t" + strings.ReplaceAll(text, "-", "\r\n") + "\n",
		"long dashes":    strings.ReplaceAll(text, "-", " – "),
		"minus":          strings.ReplaceAll(text, "-", "−"),
		"no-break space": strings.ReplaceAll(text, "-", "\u00a0"),
		"O and I":        strings.NewReplacer("0", "O", "1", "I").Replace(text),
		"o and l":        strings.NewReplacer("0", "o", "1", "l").Replace(text),
		"odd groups":     text[:7] + " " + text[7:],
	} {
		if got, err := ParseRecoveryCode(typed); err != nil || got != c {
			t.Errorf("%s: %q was not read: %v", name, typed, err)
		}
	}
}

// wantGroups fails unless typed is refused with exactly these groups named.
func wantGroups(t *testing.T, typed string, groups ...int) {
	t.Helper()
	_, err := ParseRecoveryCode(typed)
	if mistake, ok := errors.AsType[*CodeError](err); !ok || !slices.Equal(mistake.Groups, groups) {
		t.Errorf("%s: %v, want groups %v", typed, err, groups)
	}
}

func TestOneWrongCharacterIsLocated(t *testing.T) {
	text := NewRecoveryCode().String()
	for at := range text {
		if text[at] == '-' {
			continue
		}
		for _, wrong := range codeAlphabet + "U!é" {
			if string(wrong) != text[at:at+1] {
				wantGroups(t, text[:at]+string(wrong)+text[at+1:], at/6+1)
			}
		}
	}
}

func TestTwoCharactersThatChangedPlacesAreLocated(t *testing.T) {
	text := []byte(NewRecoveryCode().String())
	for g := range codeGroups {
		for i := range groupSize {
			for j := range i {
				typed := slices.Clone(text)
				a, b := 6*g+i, 6*g+j
				typed[a], typed[b] = typed[b], typed[a]
				if typed[a] != typed[b] {
					wantGroups(t, string(typed), g+1)
				}
			}
		}
	}
}

func TestGroupsThatChangedPlacesAreLocated(t *testing.T) {
	groups := NewRecoveryCode().groups()
	for i := range groups {
		for j := range i {
			typed := slices.Clone(groups)
			typed[i], typed[j] = typed[j], typed[i]
			wantGroups(t, strings.Join(typed, "-"), j+1, i+1)
		}
	}
}

// With a character missing or too many, the neighbours of the gap may hold by
// chance, so the group itself, or none, is named.
func TestMissingCharacterIsLocated(t *testing.T) {
	named := 0
	for range 10 {
		text := NewRecoveryCode().String()
		for at := range text {
			if text[at] == '-' {
				continue
			}
			for _, typed := range []string{text[:at] + text[at+1:], text[:at] + "7" + text[at:]} {
				_, err := ParseRecoveryCode(typed)
				mistake, ok := errors.AsType[*CodeError](err)
				if !ok || (len(mistake.Groups) > 0 && !slices.Equal(mistake.Groups, []int{at/6 + 1})) {
					t.Fatalf("%s: %v, want group %d", typed, err, at/6+1)
				}
				named += len(mistake.Groups)
			}
		}
	}
	if named < 10*65*2*8/10 {
		t.Errorf("the group was named %d times of %d", named, 10*65*2)
	}
}

func TestSeveralWrongGroupsAreNamed(t *testing.T) {
	groups := NewRecoveryCode().groups()
	for _, g := range []int{2, 6, 12} {
		groups[g] = "UUUUU"
	}
	_, err := ParseRecoveryCode(strings.Join(groups, "-"))
	if want := "recovery code is mistyped: look at groups 3 7 13"; fmt.Sprint(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Every group adds up, but the last carries another check of the whole.
func TestCodeThatDoesNotAddUpAsAWholeIsRefused(t *testing.T) {
	c := NewRecoveryCode()
	symbols := c.symbols()
	symbols[51] ^= 1
	last := make([]byte, 0, groupSize)
	for _, v := range append(symbols[48:52:52], groupCheck(12, symbols[48:52])) {
		last = append(last, codeAlphabet[v])
	}
	wantGroups(t, strings.Join(append(c.groups()[:12], string(last)), "-"))
}

func TestPasswordIsNotTakenForAMistypedCode(t *testing.T) {
	for _, text := range []string{
		"", "correct horse battery staple", strings.Repeat("0", 65), strings.Repeat("é", 65),
		strings.Repeat("A", 10_000), "NB4X7", NewRecoveryCode().String()[:30], "\xff\xfe",
	} {
		_, err := ParseRecoveryCode(text)
		if _, mistyped := errors.AsType[*CodeError](err); err == nil || mistyped {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func FuzzParseRecoveryCode(f *testing.F) {
	f.Add(NewRecoveryCode().String())
	f.Add(strings.Repeat("0", 65))
	f.Add("OIL-\u2212\u00a0é\xff")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseRecoveryCode(text)
		if err != nil {
			if c != (RecoveryCode{}) {
				t.Error("a refused code is not zero")
			}
			return
		}
		if again, err := ParseRecoveryCode(c.String()); err != nil || again != c {
			t.Errorf("%q is %s, which does not come back: %v", text, c, err)
		}
	})
}
