package child

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// A Process is a program that runs until it is told to end.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start starts a program. On Linux it gets the signal when this process ends in
// whatever way, unless it starts as another user by itself.
func Start(cmd *exec.Cmd, death syscall.Signal) (*Process, error) {
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	cmd.SysProcAttr = signalled(cmd.SysProcAttr, death)
	started := make(chan error, 1)
	go func() { // ends with the program, for which Halt waits
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID is the program's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Signal sends the program a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Halt sends signals one after the other, giving the program some time after
// each, and kills it at last. It returns when the program has ended.
func (p *Process) Halt(each time.Duration, signals ...os.Signal) {
	for _, s := range signals {
		_ = p.Signal(s) // it may have ended; Windows has no signals
		select {
		case <-p.ended:
			return
		case <-time.After(each):
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
}
