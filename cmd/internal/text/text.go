// Package text reads what people and their tools write into files.
package text

import (
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// UTF8 returns what a file holds without a byte order mark, and as UTF-8 where the
// mark says that it is UTF-16: editors of Windows write the one, and its older
// shells the other. What has no mark is returned as it is.
func UTF8(b []byte) ([]byte, error) {
	b, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), b)
	return b, err
}

// FirstLine returns the first line of b, without its end, and whether it has one.
func FirstLine(b []byte) (line []byte, ended bool, err error) {
	if b, err = UTF8(b); err != nil {
		return nil, false, err
	}
	line, _, ended = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), ended, nil
}

// Reader is UTF8 of what r holds.
func Reader(r io.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(transform.Nop))
}
