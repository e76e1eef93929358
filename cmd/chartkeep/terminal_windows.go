package main

// The console that the program was started from.
const (
	terminalInput  = "CONIN$"
	terminalOutput = "CONOUT$"
)
