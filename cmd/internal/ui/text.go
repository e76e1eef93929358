package ui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// Size is a number of bytes for people: IEC units, three digits.
func Size[T ~int | ~int64 | ~uint64 | ~uint32](n T) string { return humanize.IBytes(uint64(max(0, n))) }

// Count is a number with its thousands set apart.
func Count[T ~int | ~int64 | ~uint64](n T) string { return humanize.Comma(int64(n)) }

// Counted is a number with its noun: 1 file, 2 files.
func Counted[T ~int | ~int64 | ~uint64](n T, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Count(n) + " " + noun
}

// Time is a moment for people, in the zone that it carries.
func Time(t time.Time) string { return t.Format("2006-01-02 15:04:05") }

// Duration is a time span for people: 0.3 s, 12 s, 4:05, 1:04:05.
func Duration(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := int64(d.Round(time.Second).Seconds())
	if s < 60 {
		return fmt.Sprintf("%d s", s)
	}
	return clock(s)
}

func clock(s int64) string {
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// ParseSize reads a size as people type it: a number, and K, M, G or T for
// powers of 1024, with or without B or iB.
func ParseSize(s string) (int64, error) {
	number := strings.TrimRightFunc(s, unicode.IsLetter)
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	unit, known := sizeUnits[strings.ToUpper(s[len(number):])]
	if err != nil || !known || !(n >= 0) {
		return 0, fmt.Errorf("%q is not a size; write it like 500K, 20M or 1.5G", s)
	}
	if n *= unit; n >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return int64(n), nil
}

var sizeUnits = makeSizeUnits()

func makeSizeUnits() map[string]float64 {
	units := map[string]float64{"": 1, "B": 1}
	for i, letter := range []string{"K", "M", "G", "T"} {
		n := math.Pow(1024, float64(i+1))
		units[letter], units[letter+"B"], units[letter+"IB"] = n, n, n
	}
	return units
}

// Plain writes control characters, and bytes that are no text, as escapes.
func Plain(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsControl(r):
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
