package text

import (
	"io"
	"strings"
	"testing"
)

func TestAMarkIsNoPartOfTheText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"UTF-8", "pä\r\n", "pä\r\n"},
		{"UTF-8 with a mark", "\xef\xbb\xbfpä\r\n", "pä\r\n"},
		{"UTF-16, little end first", "\xff\xfep\x00\xe4\x00\r\x00\n\x00", "pä\r\n"},
		{"UTF-16, big end first", "\xfe\xff\x00p\x00\xe4\x00\r\x00\n", "pä\r\n"},
		{"Latin-1", "p\xe4", "p\xe4"},
		{"a mark in the middle", "p\xef\xbb\xbf", "p\xef\xbb\xbf"},
		{"nothing", "", ""},
	} {
		got, err := UTF8([]byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		want, _, found := strings.Cut(c.want, "\r\n")
		line, ended, err := FirstLine([]byte(c.in))
		if err != nil || string(line) != want || ended != found {
			t.Errorf("%s: the first line is %q, %v, %v", c.name, line, ended, err)
		}
		all, err := io.ReadAll(Reader(strings.NewReader(c.in)))
		if err != nil || string(all) != c.want {
			t.Errorf("%s, read: %q, %v", c.name, all, err)
		}
	}
}
