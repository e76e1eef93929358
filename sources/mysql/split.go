package mysql

import (
	"bytes"
	"iter"
	"strings"
)

// statements ranges over the statements of a script that the vendor's client
// reads, as that client cuts it: the delimiter ends a statement outside of
// strings, quoted names and comments, and the word DELIMITER at a line's start
// changes it. What stands in a conditional comment, /*! … */, is code.
func statements(script []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		c := cutter{rest: script, delimiter: ";"}
		for {
			s, ok := c.next()
			if !ok {
				return
			}
			if s = strings.TrimSpace(s); s == "" {
				continue
			}
			c.follow(s)
			if !yield(s) {
				return
			}
		}
	}
}

// A cutter cuts a script. The mode decides what ends a string.
type cutter struct {
	rest      []byte
	delimiter string

	plainBackslash bool // sql_mode has NO_BACKSLASH_ESCAPES
	ansiQuotes     bool // sql_mode has ANSI_QUOTES
}

// follow keeps up with the sql_mode that a statement sets.
func (c *cutter) follow(statement string) {
	if at := strings.Index(strings.ToLower(statement), "sql_mode"); at >= 0 && kindOf(statement) == stateKind {
		c.plainBackslash = strings.Contains(statement[at:], "NO_BACKSLASH_ESCAPES")
		c.ansiQuotes = strings.Contains(statement[at:], "ANSI")
	}
}

// next returns the next statement without its delimiter.
func (c *cutter) next() (string, bool) {
	c.directives()
	if len(c.rest) == 0 {
		return "", false
	}
	for at := 0; at < len(c.rest); {
		if bytes.HasPrefix(c.rest[at:], []byte(c.delimiter)) {
			s := string(c.rest[:at])
			c.rest = c.rest[at+len(c.delimiter):]
			return s, true
		}
		at += c.token(c.rest[at:])
	}
	s := string(c.rest)
	c.rest = nil
	return s, true
}

// directives takes DELIMITER lines from the beginning.
func (c *cutter) directives() {
	for {
		trimmed := bytes.TrimLeft(c.rest, " \t\r\n")
		word, after, found := bytes.Cut(trimmed, []byte(" "))
		if !found || !strings.EqualFold(string(word), "delimiter") {
			return
		}
		line, rest, _ := bytes.Cut(after, []byte("\n"))
		c.delimiter, c.rest = string(bytes.TrimSpace(line)), rest
		if c.delimiter == "" {
			c.delimiter = ";"
		}
	}
}

// token returns the length of what stands at the beginning of b and hides
// delimiters; 1 if nothing does.
func (c *cutter) token(b []byte) int {
	switch b[0] {
	case '\'':
		return quoted(b, !c.plainBackslash)
	case '"':
		return quoted(b, !c.plainBackslash && !c.ansiQuotes)
	case '`':
		return quoted(b, false)
	case '#':
		return until(b, "\n")
	case '-':
		if len(b) > 2 && b[1] == '-' && b[2] <= ' ' {
			return until(b, "\n")
		}
	case '/':
		if len(b) > 2 && b[1] == '*' && b[2] != '!' && !bytes.HasPrefix(b, []byte("/*M!")) {
			return 2 + until(b[2:], "*/")
		}
	}
	return 1
}

// quoted returns the length of a string or name in quotes. A doubled quote ends
// one and begins the next, which comes to the same.
func quoted(b []byte, backslash bool) int {
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == b[0]:
			return i + 1
		case b[i] == '\\' && backslash:
			i++
		}
	}
	return len(b)
}

// until returns the length up to and with end.
func until(b []byte, end string) int {
	if i := bytes.Index(b, []byte(end)); i >= 0 {
		return i + len(end)
	}
	return len(b)
}

// A kind says what a statement of a dump is for.
type kind int

const (
	otherKind   kind = iota
	stateKind        // sets variables, for the statements that follow
	tableKind        // makes a table or a sequence
	standInKind      // makes a view that holds a view's place until all exist
	viewKind         // makes a view, or takes its stand-in away
	codeKind         // trigger, event, function, procedure, package
	alterKind        // changes the database's character set, for a while
)

// kindOf looks at a statement's first words.
func kindOf(statement string) kind {
	words := head(statement)
	if len(words) == 0 {
		return stateKind // nothing but comments
	}
	switch words[0] {
	case "SET":
		return stateKind
	case "ALTER":
		if len(words) > 1 && words[1] == "DATABASE" {
			return alterKind
		}
	case "DROP":
		if len(words) > 1 && words[1] == "VIEW" {
			return viewKind
		}
		return codeKind
	case "CREATE":
		return kindOfCreate(words[1:])
	}
	return otherKind
}

func kindOfCreate(words []string) kind {
	for i, w := range words {
		switch w {
		case "TABLE", "SEQUENCE":
			return tableKind
		case "VIEW":
			if i == 0 { // a real one says its algorithm
				return standInKind
			}
			return viewKind
		case "TRIGGER", "EVENT", "FUNCTION", "PROCEDURE", "PACKAGE":
			return codeKind
		}
	}
	return otherKind
}

// headWords bounds how far head looks.
const headWords = 24

// head returns a statement's first words in capitals. Signs of conditional
// comments, quoted names and plain comments are left out.
func head(statement string) []string {
	var words []string
	c := cutter{}
	b := []byte(statement)
	for at := 0; at < len(b) && len(words) < headWords; {
		switch {
		case bytes.HasPrefix(b[at:], []byte("/*!")), bytes.HasPrefix(b[at:], []byte("/*M!")):
			at += bytes.IndexByte(b[at:], '!') + 1
			for at < len(b) && '0' <= b[at] && b[at] <= '9' {
				at++
			}
		case isLetter(b[at]):
			end := at
			for end < len(b) && isLetter(b[end]) {
				end++
			}
			words = append(words, strings.ToUpper(string(b[at:end])))
			at = end
		default:
			at += c.token(b[at:])
		}
	}
	return words
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
