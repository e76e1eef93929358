package crypt

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	htmltemplate "html/template"
	"io"
	"strings"
	"text/template"
	"time"
)

// Card is a recovery code made ready for paper.
type Card struct {
	Name       string // of the practice or the repository, for people
	Repository [16]byte
	Created    time.Time // its date is printed, in its own time zone
	Code       RecoveryCode
}

//go:embed card.txt
var cardText string

//go:embed card.html
var cardHTML string

// cardLine is a row of groups, with the number of its first, so that the group
// an error names is quickly found.
type cardLine struct {
	First, Last int
	Groups      string
}

const groupsPerLine = 5

// Lines, ID, Date and the QR symbols are what the templates print.
func (c Card) Lines() (lines []cardLine) {
	groups := c.Code.groups()
	for from := 0; from < codeGroups; from += groupsPerLine {
		to := min(from+groupsPerLine, codeGroups)
		lines = append(lines, cardLine{from + 1, to, strings.Join(groups[from:to], "-")})
	}
	return lines
}

// ID is the repository's, in hexadecimal.
func (c Card) ID() string { return hex.EncodeToString(c.Repository[:]) }

// Date is the day the code was made.
func (c Card) Date() string { return c.Created.Format("2 January 2006") }

// QR is the symbol for the text card.
func (c Card) QR() string { return c.Code.QRText(true) }

// QRImage is the symbol for the HTML card.
func (c Card) QRImage() htmltemplate.URL {
	return htmltemplate.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(c.Code.QRPNG(8)))
}

// Text is the card as plain text for a printer, at most 78 columns wide.
func (c Card) Text() string {
	return c.fill(must(template.New("card").Parse(cardText)))
}

// HTML is the card as a page that needs nothing else: no script, no other file,
// no network.
func (c Card) HTML() string {
	return c.fill(must(htmltemplate.New("card").Parse(cardHTML)))
}

func (c Card) fill(page interface{ Execute(io.Writer, any) error }) string {
	var out bytes.Buffer
	if err := page.Execute(&out, c); err != nil {
		panic(err) // the templates are embedded, and a buffer takes everything
	}
	return out.String()
}
