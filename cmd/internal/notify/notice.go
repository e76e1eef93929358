package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Notice is what is said.
type Notice struct {
	Result  Result    `json:"result"` // of the run, or why there is a notice; for filters
	Host    string    `json:"host"`
	Plan    string    `json:"plan,omitempty"`
	Time    time.Time `json:"time"`
	Subject string    `json:"subject"`
	Words   []string  `json:"words"`             // paragraphs for everyone
	Details []string  `json:"details,omitempty"` // lines for the IT provider
	Log     string    `json:"log,omitempty"`
	Late    bool      `json:"late,omitempty"` // it could not be sent when it was written
}

// lineWidth is where paragraphs are broken.
const lineWidth = 76

// Text is the notice in full.
func (n Notice) Text() string {
	var b strings.Builder
	for i, words := range n.paragraphs() {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(wrap(words))
	}
	if len(n.Details) > 0 {
		b.WriteString("\nFor the IT provider\n-------------------\n")
		for _, line := range n.Details {
			b.WriteString(oneLine(line) + "\n")
		}
	}
	if log := strings.TrimSpace(n.Log); log != "" {
		b.WriteString("\nLog\n---\n" + log + "\n")
	}
	return b.String()
}

// paragraphs are the words, and whether they come late.
func (n Notice) paragraphs() []string {
	if !n.Late {
		return n.Words
	}
	written := fmt.Sprintf("This message was written on %s and could not be sent then.", n.Time.Format(momentFormat))
	return append(slices.Clone(n.Words), written)
}

// Brief is the notice for a chat, in at most so many bytes: the words without
// the details, which may name files and so patients.
func (n Notice) Brief(most int) string {
	return cut(oneLine(n.Subject)+"\n\n"+strings.Join(n.paragraphs(), "\n\n"), most)
}

// id names a notice to one recipient, for the head of a message.
func (n Notice) id(to string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s", to, n.Time.UTC().Format(time.RFC3339Nano), n.Subject, n.Text()))
	return "chartkeep." + hex.EncodeToString(sum[:12])
}

// wrap breaks a paragraph into lines; lines that it holds already stay apart.
func wrap(paragraph string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(paragraph, "\n"), "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		b.WriteString(indent)
		width := len(indent)
		for i, word := range strings.Fields(line) {
			n := utf8.RuneCountInString(word)
			switch {
			case i == 0:
			case width+1+n > lineWidth:
				b.WriteString("\n" + indent)
				width = len(indent)
			default:
				b.WriteByte(' ')
				width++
			}
			b.WriteString(word)
			width += n
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// oneLine takes line ends and control characters out of s, which may hold what
// a server or a file's name says.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return r == ' ' || unicode.IsControl(r)
	}), " ")
}

// cut keeps the first bytes of s, ended by a mark where some are missing.
func cut(s string, most int) string {
	const mark = "\n…"
	if len(s) <= most {
		return s
	}
	end := most - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
