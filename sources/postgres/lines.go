package postgres

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// A field is a value of a line in COPY's text format; nil is NULL.
type field *string

// longestLine bounds a line of the small files, bytes. A comment may be 1 GB in
// theory.
const longestLine = 16 << 20

// lines yields the fields of each line of a file in COPY's text format that has
// n of them.
func lines(r io.Reader, n int) iter.Seq2[[]field, error] {
	return func(yield func([]field, error) bool) {
		in := bufio.NewScanner(r)
		in.Buffer(nil, longestLine)
		for in.Scan() {
			parts := strings.Split(in.Text(), "\t")
			if len(parts) != n {
				yield(nil, fmt.Errorf("a line has %d fields, not %d", len(parts), n))
				return
			}
			fields := make([]field, n)
			for i, p := range parts {
				if p != `\N` {
					v := unescape(p)
					fields[i] = &v
				}
			}
			if !yield(fields, nil) {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// unescape is the value of a field: COPY writes no other sequences than these.
var unescape = strings.NewReplacer(`\\`, `\`, `\b`, "\b", `\f`, "\f", `\n`, "\n", `\r`, "\r", `\t`, "\t", `\v`, "\v").Replace

// errNull says that a file has NULL where a value has to be.
var errNull = errors.New("a value is missing")

// texts returns fields none of which may be NULL.
func texts(fields []field) ([]string, error) {
	all := make([]string, len(fields))
	for i, f := range fields {
		if f == nil {
			return nil, errNull
		}
		all[i] = *f
	}
	return all, nil
}
