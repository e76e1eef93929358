package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"chartkeep/cmd/internal/secret"
	"chartkeep/cmd/internal/ui"
)

// A reader collects the problems of a document while it is read.
type reader struct {
	document
	name     string // of the file
	problems Problems
	exposed  []Problem // values that nobody else may read
}

func (r *reader) problem(place, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.name, r.line(place), place, fmt.Sprintf(format, args...)})
}

// line is the line of a place, or of the nearest that is known around it.
func (r *reader) line(place string) int {
	for place != "" {
		if line, ok := r.lines[place]; ok {
			return line
		}
		place = place[:max(strings.LastIndexAny(place, ".["), 0)]
	}
	return 1
}

// A table is one table of the document while it is read. Every key that is
// asked for is known; done complains of the others.
type table struct {
	*reader
	place  string
	values map[string]any
	known  []string
}

func (r *reader) table(place string, value any) *table {
	values, ok := value.(map[string]any)
	if !ok && value != nil {
		r.problem(place, "want a table, not %s", kindOf(value))
	}
	return &table{reader: r, place: place, values: values}
}

// below is a table within t; nil if there is none.
func (t *table) below(key string) *table {
	value, ok := t.take(key)
	if !ok {
		return nil
	}
	return t.reader.table(t.at(key), value)
}

// within is below, or an empty table.
func (t *table) within(key string) *table {
	if b := t.below(key); b != nil {
		return b
	}
	return t.reader.table(t.at(key), nil)
}

// each calls f with the tables of a table, which have names, in order of line.
func (t *table) each(key string, f func(name string, t *table)) {
	all := t.within(key)
	names := slices.SortedFunc(maps.Keys(all.values), func(a, b string) int {
		return all.line(all.at(a)) - all.line(all.at(b))
	})
	for _, name := range names {
		one := all.reader.table(all.at(name), all.values[name])
		f(name, one)
		one.done()
	}
}

// done complains of keys that nobody asked for.
func (t *table) done() {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if !slices.Contains(t.known, key) {
			t.problem(t.at(key), "unknown key%s", ui.Suggest(key, t.known))
		}
	}
}

// hasAny reports whether one of some keys is there.
func (t *table) hasAny(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return t.values[key] != nil })
}

func (t *table) at(key string) string { return below(t.place, key) }

func (t *table) take(key string) (value any, ok bool) {
	t.known = append(t.known, key)
	value, ok = t.values[key]
	return value, ok
}

// kindOf names what a value is.
func kindOf(value any) string {
	switch value.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

// text reads a key whose value is text, and reports whether it is there.
func (t *table) text(key string, to *string) bool {
	value, ok := t.take(key)
	if !ok {
		return false
	}
	text, ok := t.textOf(t.at(key), value)
	if ok {
		*to = text
	}
	return ok
}

// textOf is a value as text. Dates and times may be written without quotes.
func (r *reader) textOf(place string, value any) (string, bool) {
	switch v := value.(type) {
	case string:
		if strings.ContainsRune(v, 0) {
			r.problem(place, "holds a zero byte")
			return "", false
		}
		return v, true
	case time.Time:
		r.problem(place, "want a date or time without a zone: the practice's zone counts")
		return "", false
	case fmt.Stringer: // dates and times of TOML
		return strings.TrimSuffix(strings.Replace(v.String(), "T", " ", 1), ":00"), true
	}
	r.problem(place, "want text in quotes, not %s", kindOf(value))
	return "", false
}

// list reads a key whose value is a list of texts; one text will do.
func (t *table) list(key string, to *[]string) bool {
	places, texts := t.texts(key)
	if len(places) > 0 {
		*to = texts
	}
	return len(places) > 0
}

// texts are the places and values of a list of texts.
func (t *table) texts(key string) (places, texts []string) {
	value, ok := t.take(key)
	if !ok {
		return nil, nil
	}
	elements, ok := value.([]any)
	if !ok {
		text, ok := t.textOf(t.at(key), value)
		if !ok {
			return nil, nil
		}
		return []string{t.at(key)}, []string{text}
	}
	for i, e := range elements {
		if text, ok := t.textOf(at(t.at(key), i), e); ok {
			places, texts = append(places, at(t.at(key), i)), append(texts, text)
		}
	}
	return places, texts
}

func (t *table) yes(key string, to *bool) {
	value, ok := t.take(key)
	if !ok {
		return
	}
	yes, ok := value.(bool)
	if !ok {
		t.problem(t.at(key), "want true or false, not %s", kindOf(value))
		return
	}
	*to = yes
}

// number reads a key whose value is a number between two others.
func (t *table) number(key string, from, to float64, into *float64) bool {
	value, ok := t.take(key)
	if !ok {
		return false
	}
	var n float64
	switch v := value.(type) {
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		t.problem(t.at(key), "want a number, not %s", kindOf(value))
		return false
	}
	if !(n >= from && n <= to) {
		t.problem(t.at(key), "want a number from %v to %v", from, to)
		return false
	}
	*into = n
	return true
}

// whole is number for whole numbers.
func (t *table) whole(key string, from, to int, into *int) bool {
	n := float64(*into)
	ok := t.number(key, float64(from), float64(to), &n)
	if ok && n != math.Trunc(n) {
		t.problem(t.at(key), "want a whole number")
		return false
	}
	*into = int(n)
	return ok
}

// size reads a size in bytes, such as 512M.
func (t *table) size(key string, to *int64) {
	var text string
	if n, ok := t.values[key].(int64); ok && n >= 0 {
		t.take(key)
		*to = n
		return
	}
	if !t.text(key, &text) {
		return
	}
	n, err := ui.ParseSize(text)
	if err != nil {
		t.problem(t.at(key), "%v", err)
		return
	}
	*to = n
}

// span reads a span of time, such as 1h30m.
func (t *table) span(key string, to *time.Duration) {
	var text string
	if !t.text(key, &text) {
		return
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.problem(t.at(key), "want a span of time such as 45m or 1h30m")
		return
	}
	*to = d
}

// reference reads a reference to a secret. What is none is not repeated: it
// may be the secret.
func (t *table) reference(key string, to *string) {
	var text string
	if !t.text(key, &text) || text == "" {
		return
	}
	if err := secret.Check(text); err != nil {
		t.problem(t.at(key), "%v; the secret itself must not stand here", err)
		return
	}
	*to = text
}

// absolute reads a list of absolute paths.
func (t *table) absolute(key string, to *[]string) {
	places, texts := t.texts(key)
	for i, path := range texts {
		if clean, ok := t.cleanPath(places[i], path); ok {
			*to = append(*to, clean)
		}
	}
}

// parsed reads a text that parse understands.
func parsed[T any](t *table, key string, parse func(string) (T, error), to *T) bool {
	var text string
	if !t.text(key, &text) {
		return false
	}
	v, err := parse(text)
	if err != nil {
		t.problem(t.at(key), "%v", err)
		return false
	}
	*to = v
	return true
}

// parsedList reads a list of texts that parse understands, without repetition.
func parsedList[T comparable](t *table, key string, parse func(string) (T, error), to *[]T) {
	places, texts := t.texts(key)
	var all []T
	for i, text := range texts {
		v, err := parse(text)
		switch {
		case err != nil:
			t.problem(places[i], "%v", err)
		case slices.Contains(all, v):
			t.problem(places[i], "%s stands here twice", text)
		default:
			all = append(all, v)
		}
	}
	if len(places) > 0 {
		*to = all
	}
}

// choice reads one of several words.
func choice[T ~string](t *table, key string, to *T, words ...T) {
	parsed(t, key, func(text string) (T, error) {
		if !slices.Contains(words, T(text)) {
			return "", fmt.Errorf("%q is not one of %s%s", text, joined(words), ui.Suggest(text, texts(words)))
		}
		return T(text), nil
	}, to)
}

func texts[T ~string](words []T) (all []string) {
	for _, w := range words {
		all = append(all, string(w))
	}
	return all
}

func joined[T ~string](words []T) string { return strings.Join(texts(words), ", ") }
