package sources

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reserved are the names that Windows keeps for devices, whatever the extension.
var reserved = map[string]bool{"con": true, "prn": true, "aux": true, "nul": true}

// FileName returns a name of something that is no file, such as a table, as the
// name of a file. It is legal on every file system, two names that differ have
// file names that differ even where case does not count, and the name comes
// back from it:
//
//	patient      patient
//	PatNote      +pat+note       a capital letter is its small one after a plus
//	a.b/c        a%2Eb%2Fc       other bytes are percent and two hexadecimal digits
//	größe        größe           letters of every script stay
//	con          %63on           Windows would open the console
//
// The result has no dot, so that one with an extension is never one without.
func FileName(name string) string {
	var b strings.Builder
	for i, r := range name {
		size := 1
		if r != utf8.RuneError {
			size = utf8.RuneLen(r)
		}
		switch {
		case i == 0 && device(name):
			percent(&b, name[:1])
		case plain(r):
			b.WriteRune(r)
		case capital(r):
			b.WriteByte('+')
			b.WriteRune(unicode.ToLower(r))
		case r == utf8.RuneError:
			_, size = utf8.DecodeRuneInString(name[i:])
			fallthrough
		default:
			percent(&b, name[i:i+size])
		}
	}
	return b.String()
}

// NameOfFile returns the name that FileName made a file name of.
func NameOfFile(file string) (string, error) {
	var b strings.Builder
	for rest := file; rest != ""; {
		var c byte
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == '%' && len(rest) >= 3:
			if _, err := fmt.Sscanf(rest[1:3], "%02X", &c); err != nil {
				return "", fmt.Errorf("%q is not the file name of a name", file)
			}
			b.WriteByte(c)
			size = 3
		case r == '+':
			l, n := utf8.DecodeRuneInString(rest[1:])
			b.WriteRune(unicode.ToUpper(l))
			size += n
		default:
			b.WriteRune(r)
		}
		rest = rest[size:]
	}
	if FileName(b.String()) != file {
		return "", fmt.Errorf("%q is not the file name of a name", file)
	}
	return b.String(), nil
}

func percent(b *strings.Builder, bytes string) {
	for i := range len(bytes) {
		fmt.Fprintf(b, "%%%02X", bytes[i])
	}
}

// plain reports whether a character stands for itself.
func plain(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-'
	case r == utf8.RuneError:
		return false
	}
	return unicode.IsLetter(r) && unicode.ToLower(r) == r && unicode.ToLower(unicode.ToUpper(r)) == r
}

// capital reports whether a character comes back from its small letter.
func capital(r rune) bool {
	small := unicode.ToLower(r)
	return small != r && plain(small) && unicode.ToUpper(small) == r
}

// device reports whether Windows takes a name for a device's.
func device(name string) bool {
	if reserved[name] {
		return true
	}
	return len(name) == 4 && (name[:3] == "com" || name[:3] == "lpt") && '0' <= name[3] && name[3] <= '9'
}
