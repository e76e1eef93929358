package crosscheck

import (
	"bufio"
	"fmt"
	"io"
	"unicode/utf8"
)

// longest bounds a value that is kept, bytes. No path is longer.
const longest = 32 << 10

// A row is the wanted values of one row. NULL is empty.
type row []string

// eachRow calls do with every row of a table's file: values between tabs, with
// escapes, as COPY and LOAD DATA both write them. A row of do is valid until it
// returns. What is not wanted is passed over without being kept.
func eachRow(r io.Reader, columns int, wanted []int, do func(row) error) error {
	s := rowScanner{in: bufio.NewReaderSize(r, 256<<10), columns: columns, keep: make([]bool, columns), values: make([][]byte, columns)}
	for _, w := range wanted {
		s.keep[w] = true
	}
	texts := make(row, len(wanted))
	for number := int64(1); ; number++ {
		err := s.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", number, err)
		}
		for i, w := range wanted {
			texts[i] = text(s.values[w])
		}
		if err := do(texts); err != nil {
			return err
		}
	}
}

type rowScanner struct {
	in      *bufio.Reader
	columns int
	keep    []bool
	values  [][]byte
}

// next reads a row; io.EOF means that there is none.
func (s *rowScanner) next() error {
	for column := 0; ; column++ {
		if column == s.columns {
			return fmt.Errorf("more than %d values", s.columns)
		}
		end, err := s.value(column)
		switch {
		case err == io.EOF && column == 0:
			return io.EOF
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case end == '\n' && column != s.columns-1:
			return fmt.Errorf("%d values, not %d", column+1, s.columns)
		case end == '\n':
			return nil
		}
	}
}

// value reads one value and returns the byte that ended it.
func (s *rowScanner) value(column int) (end byte, err error) {
	value, null := s.values[column][:0], false
	defer func() {
		if null {
			value = value[:0]
		}
		s.values[column] = value
	}()
	for first := true; ; first = false {
		c, err := s.in.ReadByte()
		if err != nil {
			if err == io.EOF && !first {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		switch c {
		case '\t', '\n':
			return c, nil
		case '\\':
			if c, err = s.in.ReadByte(); err != nil {
				return 0, io.ErrUnexpectedEOF
			}
			null = first && c == 'N'
			c = unescaped(c)
		}
		if s.keep[column] && len(value) < longest {
			value = append(value, c)
		}
	}
}

// unescaped is the byte that stands behind a backslash for another.
func unescaped(c byte) byte {
	switch c {
	case '0':
		return 0
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'v':
		return '\v'
	}
	return c
}

// text is a value as UTF-8. A table in Latin-1 has its own bytes in the file.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}
