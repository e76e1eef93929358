//go:build !windows

package main

// The terminal that the program was started from.
const (
	terminalInput  = "/dev/tty"
	terminalOutput = "/dev/tty"
)
