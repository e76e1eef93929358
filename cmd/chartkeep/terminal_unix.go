//go:build !windows

package main

// terminalName opens the terminal that the program was started from.
const terminalName = "/dev/tty"
