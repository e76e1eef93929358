package main

// terminalName opens the console that the program was started from.
const terminalName = "CONIN$"
