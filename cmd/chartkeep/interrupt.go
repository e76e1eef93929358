package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

var errInterrupted = errors.New("interrupted")

// interruptible returns a context that ends, with errInterrupted as its cause,
// when the program is asked to stop. Asked a second time, it stops at once: even
// then a repository is left as it was, with some files that nothing refers to.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	asked := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as under nohup
			signal.Notify(asked, s)
		}
	}
	go func() { // ends with the program
		<-asked
		cancel(errInterrupted)
		<-asked
		restoreTerminal()
		os.Exit(exitInterrupted)
	}()
	return ctx, func() { cancel(nil) }
}
