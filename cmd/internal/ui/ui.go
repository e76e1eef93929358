// Package ui is how the program speaks: results on standard output, everything
// else on standard error, and a line of progress that is redrawn on a terminal
// and on nothing else.
//
//	          terminal            elsewhere             --json
//	stdout    results             results               one object a line
//	stderr    progress, remarks   remarks               warnings, errors
//
// A UI may be used by several goroutines.
package ui

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// UI is the program's two streams.
type UI struct {
	JSON    bool // results are JSON objects, one a line
	Quiet   bool // no remarks and no progress
	Verbose int  // how much detail, 0 to 2

	out         *bufio.Writer
	err         io.Writer
	outTerminal bool
	errTerminal bool
	width       func() int // of the terminal, columns

	mu      sync.Mutex
	encoder *json.Encoder
	drawn   bool // a line of progress stands on the terminal
}

// New speaks through the two streams.
func New(out, err *os.File) *UI {
	u := &UI{
		out: bufio.NewWriterSize(out, 32<<10), err: err,
		outTerminal: term.IsTerminal(int(out.Fd())), errTerminal: term.IsTerminal(int(err.Fd())) && os.Getenv("TERM") != "dumb",
	}
	u.width = func() int {
		w, _, e := term.GetSize(int(err.Fd()))
		if e != nil || w < 20 {
			return 80
		}
		return w
	}
	u.encoder = newEncoder(u.out)
	return u
}

func newEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// Close writes out what is buffered. Its error means that results were lost.
func (u *UI) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.erase()
	if err := u.out.Flush(); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}

// Print writes a line of the result for people; with JSON it writes nothing.
func (u *UI) Print(format string, args ...any) {
	if u.JSON {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.erase()
	fmt.Fprintf(u.out, format+"\n", args...)
}

// Say is Print for a sentence that is no more than a confirmation: who wants
// quiet does without it.
func (u *UI) Say(format string, args ...any) {
	if !u.Quiet {
		u.Print(format, args...)
	}
}

// Object writes one line of the result for programs; without JSON it writes
// nothing.
func (u *UI) Object(v any) {
	if !u.JSON {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.encoder.Encode(v); err != nil {
		panic(err) // a value of ours that JSON cannot hold
	}
}

// Event is Object for what a program waits for while the work goes on.
func (u *UI) Event(v any) {
	u.Object(v)
	u.Flush()
}

// Flush lets a reader see what has been printed so far.
func (u *UI) Flush() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.out.Flush() // a broken stream is reported by Close
}

// Remark says how the work goes: for people, and not when they want quiet.
func (u *UI) Remark(format string, args ...any) {
	if !u.Quiet && !u.JSON {
		u.complain(format, args...)
	}
}

// Detail is a remark for those who asked for more.
func (u *UI) Detail(level int, format string, args ...any) {
	if u.Verbose >= level {
		u.Remark(format, args...)
	}
}

// Warn says what is wrong but does not stop the work.
func (u *UI) Warn(format string, args ...any) {
	if u.JSON {
		u.ErrorObject(warning{"warning", fmt.Sprintf(format, args...)})
		return
	}
	u.complain("warning: "+format, args...)
}

type warning struct {
	Type    string `json:"message_type"`
	Message string `json:"message"`
}

// Complain says what stops the work.
func (u *UI) Complain(format string, args ...any) { u.complain(format, args...) }

// ErrorObject writes an object to standard error.
func (u *UI) ErrorObject(v any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.erase()
	u.out.Flush()
	if err := newEncoder(u.err).Encode(v); err != nil {
		panic(err)
	}
}

// complain writes a line to standard error. What was printed before comes
// first, so that the order is right where both streams are one.
func (u *UI) complain(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.erase()
	u.out.Flush()
	fmt.Fprintf(u.err, format+"\n", args...)
}

// Bytes is standard output for what is no text. Whoever writes to it prints
// nothing.
func (u *UI) Bytes() io.Writer { return u.out }

// Aside is standard error for what somebody else says, such as a command that
// was started.
func (u *UI) Aside() io.Writer { return aside{u} }

type aside struct{ u *UI }

func (a aside) Write(p []byte) (int, error) {
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	a.u.erase()
	return a.u.err.Write(p)
}

// ToTerminal reports whether standard output is a terminal.
func (u *UI) ToTerminal() bool { return u.outTerminal }

// Path is a path fit to be printed as a result: as it is for a program, and
// without anything that could deceive or confuse a terminal for people.
func (u *UI) Path(p string) string {
	if u.outTerminal {
		return Plain(p)
	}
	return p
}
