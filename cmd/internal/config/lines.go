package config

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// A document is a TOML file: its values, and on which line each begins. A place
// in it is written as in problems: plan.nightly.to[2].
type document struct {
	values map[string]any
	lines  map[string]int
}

// parse reads TOML. The decoder gives the values and sees to the grammar; the
// parser below it, run again, gives the lines, which the decoder keeps to
// itself.
func parse(data []byte) (document, *Problem) {
	d := document{values: map[string]any{}, lines: map[string]int{}}
	if err := toml.Unmarshal(data, &d.values); err != nil {
		return d, syntax(err)
	}
	l := liner{data: data, lines: d.lines, elements: map[string]int{}}
	l.parser.Reset(data)
	section := ""
	for l.parser.NextExpression() {
		section = l.expression(section, l.parser.Expression())
	}
	return d, nil
}

// syntax is what the decoder found wrong.
func syntax(err error) *Problem {
	var at *toml.DecodeError
	if !errors.As(err, &at) {
		return &Problem{Line: 1, Message: err.Error()}
	}
	row, _ := at.Position()
	message := regexp.MustCompile(`^toml: `).ReplaceAllString(at.Error(), "")
	return &Problem{Line: row, Message: message}
}

// A liner finds out on which line everything is.
type liner struct {
	parser   unstable.Parser
	data     []byte
	lines    map[string]int
	elements map[string]int // arrays of tables: how many there have been
}

// expression takes in one table heading or one key with its value, and returns
// the table that what follows belongs to.
func (l *liner) expression(section string, e *unstable.Node) string {
	switch e.Kind {
	case unstable.Table:
		return l.walk("", e.Key())
	case unstable.ArrayTable:
		return l.element(l.walk("", e.Key()), l.line(e.Child()))
	case unstable.KeyValue:
		l.value(l.walk(section, e.Key()), l.line(e.Child().Next()), e.Value())
	}
	return section
}

// walk notes the line of every part of a key, and returns where it leads.
func (l *liner) walk(place string, key unstable.Iterator) string {
	for key.Next() {
		n := key.Node()
		place = below(l.last(place), string(n.Data))
		l.note(place, l.line(n))
	}
	return place
}

// last is the last element of an array of tables; any other place is itself.
func (l *liner) last(place string) string {
	if n := l.elements[place]; n > 0 {
		return at(place, n-1)
	}
	return place
}

func (l *liner) element(place string, line int) string {
	l.elements[place]++
	place = l.last(place)
	l.note(place, line)
	return place
}

// value notes the lines of what is within a value, which begins on line or,
// where it knows better, later.
func (l *liner) value(place string, line int, v *unstable.Node) {
	line = max(line, l.line(v))
	l.note(place, line)
	it := v.Children()
	switch v.Kind {
	case unstable.Array:
		for i := 0; it.Next(); {
			if it.Node().Kind == unstable.Comment {
				continue
			}
			l.value(at(place, i), line, it.Node())
			line, i = l.lines[at(place, i)], i+1
		}
	case unstable.InlineTable:
		for it.Next() {
			if n := it.Node(); n.Kind == unstable.KeyValue {
				l.value(l.walk(place, n.Key()), line, n.Value())
			}
		}
	}
}

// note keeps the first line of a place.
func (l *liner) note(place string, line int) {
	if _, known := l.lines[place]; !known {
		l.lines[place] = line
	}
}

// line is where a node begins; 0 if it does not know.
func (l *liner) line(n *unstable.Node) int {
	if n == nil || n.Raw.Length == 0 {
		return 0
	}
	return 1 + bytes.Count(l.data[:n.Raw.Offset], []byte("\n"))
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// below is the place of a key in a table.
func below(place, key string) string {
	if !bareKey.MatchString(key) {
		key = strconv.Quote(key)
	}
	if place == "" {
		return key
	}
	return place + "." + key
}

// at is the place of an element, counted from 0 and written from 1.
func at(place string, i int) string { return place + "[" + strconv.Itoa(i+1) + "]" }
