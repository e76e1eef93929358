package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"chartkeep/sources"
)

// A Name is the name of something in a database, in the bytes that the server
// gives: UTF-8, unless the database's encoding is SQL_ASCII. As text, bytes that
// are not UTF-8 are percent and two hexadecimal digits, and so is the percent.
type Name string

// MarshalText writes a name so that it comes back.
func (n Name) MarshalText() ([]byte, error) {
	var b strings.Builder
	for i, r := range string(n) {
		_, size := utf8.DecodeRuneInString(string(n[i:]))
		if r == utf8.RuneError && size == 1 || r == '%' {
			fmt.Fprintf(&b, "%%%02X", n[i])
		} else {
			b.WriteRune(r)
		}
	}
	return []byte(b.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (n *Name) UnmarshalText(text []byte) error {
	var b strings.Builder
	for rest := string(text); rest != ""; {
		before, after, found := strings.Cut(rest, "%")
		b.WriteString(before)
		if !found {
			break
		}
		if len(after) < 2 {
			return fmt.Errorf("%q is not a name", text)
		}
		c, err := hex.DecodeString(after[:2])
		if err != nil {
			return fmt.Errorf("%q is not a name", text)
		}
		b.Write(c)
		rest = after[2:]
	}
	*n = Name(b.String())
	return nil
}

// longest is how many bytes a file's name may have here: file systems take 255,
// and programs add endings.
const longest = 240

// tableFile is the name of a table's file: "public.patient.copy". A name that
// would be too long is cut, and ends in what its hash is.
func tableFile(schema, table Name) string {
	return shorten(sources.FileName(string(schema))+"."+sources.FileName(string(table)), string(schema)+"\x00"+string(table)) + ".copy"
}

// folder is the name of a database's folder.
func folder(database Name) string {
	return shorten(sources.FileName(string(database)), string(database))
}

func shorten(file, name string) string {
	const kept = longest - 40
	if len(file) <= longest-len(".copy") {
		return file
	}
	sum := sha256.Sum256([]byte(name))
	cut := strings.ToValidUTF8(file[:kept], "")
	return cut + "~" + hex.EncodeToString(sum[:16])
}
