package mysql

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"chartkeep/sources"
)

// WriteScript writes one of the saved databases as statements that the vendor's
// client reads: tables, rows, then routines, triggers, events and views.
// database may be empty when one is saved. No statement names the database, and
// so the script makes its tables in the one that the client was told, which
// should be empty. Users are not in it.
//
// Rows are written as they are read; what is kept in memory is a statement of
// rows, and the definitions.
func WriteScript(ctx context.Context, w io.Writer, saved sources.Restorable, database string) error {
	r := &restore{RestoreOptions: RestoreOptions{Saved: saved, Database: database}, sizes: map[string]int64{}}
	if err := r.choose(ctx); err != nil {
		return err
	}
	definitions, err := readAll(ctx, saved, path.Join(r.saved.Folder, definitionsFile))
	if err != nil {
		return err
	}
	kind, version, _ := strings.Cut(r.from.Server, " ")
	if r.server, err = parseVersion(version); err != nil {
		return err
	}
	r.server.maria = kind == "MariaDB"
	s := &scriptWriter{restore: r, w: bufio.NewWriterSize(w, bufferSize)}
	if err := s.write(ctx, definitions); err != nil {
		return fmt.Errorf("write database %s as statements: %w", r.saved.Name, err)
	}
	return nil
}

// A scriptWriter is a database on its way out. Errors of w wait for Flush.
type scriptWriter struct {
	*restore
	w *bufio.Writer
}

// rowsBegin and rowsEnd stand around the rows. Nothing is checked that held when
// they were saved, and bytes are what they are.
const rowsBegin = `
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT, @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS, @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
SET NAMES binary;
SET @OLD_TIME_ZONE=@@TIME_ZONE, TIME_ZONE='+00:00';
SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0;
SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0;
SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
/*M!100201 SET @OLD_CHECKS=@@CHECK_CONSTRAINT_CHECKS, CHECK_CONSTRAINT_CHECKS=0 */;
/*M!101100 SET @OLD_HISTORY=@@SYSTEM_VERSIONING_INSERT_HISTORY, SYSTEM_VERSIONING_INSERT_HISTORY=1 */;
`

const rowsEnd = `
/*M!101100 SET SYSTEM_VERSIONING_INSERT_HISTORY=@OLD_HISTORY */;
/*M!100201 SET CHECK_CONSTRAINT_CHECKS=@OLD_CHECKS */;
SET SQL_MODE=@OLD_SQL_MODE;
SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS;
SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS;
SET TIME_ZONE=@OLD_TIME_ZONE;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT, CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS, COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
`

func (s *scriptWriter) write(ctx context.Context, definitions []byte) error {
	fmt.Fprintf(s.w, "-- A database of %s\n-- Its server's client reads this, when it is told a database that is empty.\n\n", s.from.Server)
	s.alterDatabase()
	s.statements(definitions, tableKind)
	s.w.WriteString(rowsBegin)
	for _, t := range s.tables {
		if t.File == "" {
			continue
		}
		if err := s.rows(ctx, t); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	s.w.WriteString(rowsEnd)
	s.statements(definitions, standInKind)
	s.statements(definitions, codeKind, alterKind, otherKind)
	s.statements(definitions, viewKind)
	s.w.WriteString("\n-- The end\n")
	return s.w.Flush()
}

// alterDatabase gives the database the saved one's character set.
func (s *scriptWriter) alterDatabase() {
	fmt.Fprintf(s.w, "ALTER DATABASE CHARACTER SET %s COLLATE %s;\n", s.saved.Charset, s.saved.Collation)
	if s.saved.Comment != "" {
		fmt.Fprintf(s.w, "/*M!100502 ALTER DATABASE COMMENT %s */;\n", text(s.saved.Comment))
	}
}

// statements writes the statements of some kinds, and those that set variables
// for them.
func (s *scriptWriter) statements(definitions []byte, kinds ...kind) {
	s.w.WriteByte('\n')
	for st := range statements(definitions) {
		k := kindOf(st)
		if k != stateKind && !slices.Contains(kinds, k) {
			continue
		}
		st = s.unnamed(st, k)
		if k != codeKind {
			s.w.WriteString(st + ";\n")
			continue
		}
		end := ";;"
		for strings.Contains(st, end) {
			end += ";"
		}
		s.w.WriteString("DELIMITER " + end + "\n" + st + "\n" + end + "\nDELIMITER ;\n")
	}
}

// unnamed takes the database's name out of a statement.
func (s *scriptWriter) unnamed(statement string, k kind) string {
	switch k {
	case tableKind:
		return nextValue.ReplaceAllStringFunc(statement, func(found string) string {
			m := nextValue.FindStringSubmatch(found)
			if m[2] != strings.ReplaceAll(s.saved.Name, "`", "``") {
				return found
			}
			return m[1] + "("
		})
	case alterKind:
		if at := alterDatabase.FindStringIndex(statement); at != nil {
			return "ALTER DATABASE" + statement[at[1]:]
		}
	}
	return statement
}

// rows writes a table's rows as INSERT statements of many rows each.
func (s *scriptWriter) rows(ctx context.Context, t *Table) error {
	f, err := s.Saved.Open(ctx, s.saved.path(t))
	if err != nil {
		return err
	}
	defer f.Close()
	l := load{server: s.server, table: t}
	in := bufio.NewReaderSize(f, bufferSize)
	var b []byte
	length := 0 // of the statement that was begun
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if length > 0 && (len(line) == 0 || length > batch) {
			s.w.WriteString(";\n")
			length = 0
		}
		if len(line) == 0 {
			return ctx.Err()
		}
		if err == io.EOF {
			return fmt.Errorf("%w: the last row has no end", ErrDiffers)
		}
		b = b[:0]
		if length == 0 {
			b = append(b, "INSERT INTO "+quote(t.Name)+" "+l.insertColumns()+" VALUES\n"...)
		} else {
			b = append(b, ",\n"...)
		}
		b = l.appendLiterals(b, line[:len(line)-1])
		length += len(b)
		if _, err := s.w.Write(b); err != nil {
			return err
		}
	}
}

// appendLiterals appends a line of a table's file as a tuple of VALUES that is
// text, whatever the bytes are: the vendor's client changes some bytes, and knows
// nothing of what a column's are.
func (l *load) appendLiterals(b, line []byte) []byte {
	b = append(b, '(')
	for i, c := range l.table.Columns {
		field, rest, _ := bytes.Cut(line, []byte("\t"))
		line = rest
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case string(field) == `\N`:
			b = append(b, "NULL"...)
		case l.asText(c):
			b = append(appendLiteral(append(b, "CONVERT("...), field), " USING utf8mb4)"...)
		case numeric[c.Type]:
			b = append(b, field...)
		default:
			b = appendLiteral(b, field)
		}
	}
	return append(b, ')')
}

// numeric are the types whose values are written as numbers.
var numeric = map[string]bool{"tinyint": true, "smallint": true, "mediumint": true, "int": true, "bigint": true, "decimal": true}

// appendLiteral appends a value of a table's file, where it is escaped as LOAD
// DATA reads it, as a string of SQL: in quotes if it is text, in hexadecimal if
// not.
func appendLiteral(b, field []byte) []byte {
	if !utf8.Valid(field) {
		return fmt.Appendf(b, "0x%X", unescape(field))
	}
	b = append(b, "_binary'"...)
	for _, c := range field {
		switch c {
		case '\'':
			b = append(b, "''"...)
		case '\r':
			b = append(b, `\r`...)
		case 0x1a:
			b = append(b, `\Z`...)
		default:
			b = append(b, c)
		}
	}
	return append(b, '\'')
}

// unescape is the value that appendEscaped was given.
func unescape(field []byte) []byte {
	var v []byte
	for i := 0; i < len(field); i++ {
		c := field[i]
		if c == '\\' && i+1 < len(field) {
			i++
			if c = field[i]; c != '\\' {
				c = byte(bytes.IndexByte(escapes[:], c))
			}
		}
		v = append(v, c)
	}
	return v
}
