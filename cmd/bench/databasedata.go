package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
)

// dbData are the rows of a practice's database. They follow from the seed.
type dbData struct {
	seed      uint64
	megabytes int
}

// seats is how many rows the writer's table has.
const seats = 100

// A dbTable is made of columns that both kinds of servers know; text and bytes
// have names of types of their own in each.
type dbTable struct {
	name, columns string
	indexes       []string
	percent       int // of the megabytes
	average       int // bytes a row
	row           func(b []byte, r *rand.Rand) []byte
	bytes         string // column of bytes, in hexadecimal digits
	changed       string // SET of an UPDATE
	measure       string // what tells it from another, beside the number of rows
}

var dbTables = []dbTable{
	{
		name: "patient", percent: 2, average: 130, indexes: []string{"name"},
		columns: "name varchar(80), born date, street varchar(80), phone varchar(20), balance numeric(10,2), note text", row: patientRow,
		changed: "balance = balance + 1", measure: "sum(balance)",
	},
	{
		name: "appointment", percent: 10, average: 100, indexes: []string{"patient", "begins"},
		columns: "patient int, begins timestamp, minutes int, room int, status varchar(12), note text", row: appointmentRow,
		changed: "minutes = minutes + 1", measure: "sum(minutes)",
	},
	{
		name: "procedurelog", percent: 28, average: 110, indexes: []string{"patient", "done"},
		columns: "patient int, appointment int, done date, code varchar(8), tooth int, fee numeric(10,2), status varchar(12), note text", row: procedureRow,
		changed: "fee = fee + 1", measure: "sum(fee)",
	},
	{
		name: "note", percent: 25, average: 520, indexes: []string{"patient"},
		columns: "patient int, written timestamp, body text", row: noteRow,
		changed: "body = concat(body, '; seen')", measure: "sum(length(body))",
	},
	{
		name: "document", percent: 35, average: 60_000, indexes: []string{"patient"},
		columns: "patient int, added timestamp, name varchar(80), content BYTES", row: documentRow, bytes: "content",
		changed: "name = concat('new ', name)", measure: "sum(length(content))",
	},
}

// count is how many rows there are of a table on the first day.
func (d dbData) count(t dbTable) int { return d.megabytes * 10_000 * t.percent / t.average }

// added is how many rows a day brings.
func (d dbData) added(t dbTable) int { return max(d.count(t)/200, 1) }

// stream is the rows from one number up to another, between tabs; bytes are in
// hexadecimal digits behind a prefix.
func (d dbData) stream(t dbTable, from, to int, prefix string) io.Reader {
	in, out := io.Pipe()
	go func() { // ends with the rows, or when nobody reads them any more
		w := bufio.NewWriterSize(out, 1<<20)
		var line []byte
		for id := from; id < to; id++ {
			r := rand.New(rand.NewPCG(d.seed+uint64(len(t.name)), uint64(id)))
			line = fmt.Appendf(line[:0], "%d\t", id)
			line = t.row(line, r)
			if t.bytes != "" {
				line = append(append(line, '\t'), prefix...)
				line = hex.AppendEncode(line, paper(r))
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return
			}
		}
		out.CloseWithError(w.Flush())
	}()
	return in
}

func someone(r *rand.Rand) int { return 1 + r.IntN(30_000) }

func appendTime(b []byte, r *rand.Rand) []byte {
	return fmt.Appendf(b, "20%02d-%02d-%02d %02d:%02d:00", 10+r.IntN(16), 1+r.IntN(12), 1+r.IntN(28), 7+r.IntN(12), 5*r.IntN(12))
}

func patientRow(b []byte, r *rand.Rand) []byte {
	b = fmt.Appendf(b, "%s %s\t%d-%02d-%02d\t%d %s street\t%010d\t%d.%02d\t", words[r.IntN(len(words))], words[r.IntN(len(words))],
		1930+r.IntN(90), 1+r.IntN(12), 1+r.IntN(28), r.IntN(900), words[r.IntN(len(words))], r.IntN(1e10), r.IntN(900), r.IntN(100))
	return sentence(b, r, 6)
}

func appointmentRow(b []byte, r *rand.Rand) []byte {
	b = appendTime(fmt.Appendf(b, "%d\t", someone(r)), r)
	b = fmt.Appendf(b, "\t%d\t%d\t%s\t", 5*r.IntN(24), r.IntN(8), []string{"planned", "complete", "broken"}[r.IntN(3)])
	return sentence(b, r, 2+r.IntN(5))
}

func procedureRow(b []byte, r *rand.Rand) []byte {
	b = fmt.Appendf(b, "%d\t%d\t20%02d-%02d-%02d\tD%04d\t%d\t%d.%02d\t%s\t", someone(r), r.IntN(1e6), 10+r.IntN(16), 1+r.IntN(12), 1+r.IntN(28),
		r.IntN(9999), 1+r.IntN(32), r.IntN(900), r.IntN(100), []string{"planned", "complete", "referred"}[r.IntN(3)])
	return sentence(b, r, 2+r.IntN(7))
}

func noteRow(b []byte, r *rand.Rand) []byte {
	b = append(appendTime(fmt.Appendf(b, "%d\t", someone(r)), r), '\t')
	return sentence(b, r, 30+r.IntN(50))
}

func documentRow(b []byte, r *rand.Rand) []byte {
	b = appendTime(fmt.Appendf(b, "%d\t", someone(r)), r)
	return fmt.Appendf(b, "\t%s %d.pdf", words[r.IntN(len(words))], r.IntN(1e6))
}

// paper is a scanned letter: for the most part what compression cannot change.
func paper(r *rand.Rand) []byte {
	b := sentence([]byte("%PDF-1.4\n"), r, r.IntN(2500))
	return append(b, noise(r, 20_000+r.IntN(60_000))...)
}
