package proof_test

import (
	"errors"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// killAt runs a program and kills it before the n-th system call with which it, or
// any of its threads, changes files. It reports how many such calls there were;
// when that is less than n the program has come to its end.
func killAt(t testing.TB, c *exec.Cmd, n int) (calls int) {
	t.Helper()
	runtime.LockOSThread() // only the thread that traces may go on tracing
	defer runtime.UnlockOSThread()
	c.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	must(t, c.Start())
	p := &traced{pid: c.Process.Pid, killAt: n}
	must(t, p.begin())
	for {
		ended, err := p.step()
		must(t, err)
		if ended {
			c.Process.Release() // it is reaped
			return p.calls
		}
	}
}

// traced is a program that stops at each system call.
type traced struct {
	pid, killAt, calls int
}

func (p *traced) begin() error {
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.pid, &status, syscall.WALL, nil); err != nil {
		return err
	}
	options := syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(p.pid, options); err != nil {
		return err
	}
	return syscall.PtraceSyscall(p.pid, 0)
}

// step waits for a thread to stop, and lets it go on.
func (p *traced) step() (ended bool, err error) {
	var status syscall.WaitStatus
	tid, err := syscall.Wait4(-p.pid, &status, syscall.WALL, nil) // its group: not what other tests run
	if err != nil {
		return false, err
	}
	if status.Exited() || status.Signaled() {
		return tid == p.pid, nil
	}
	signal := 0
	switch stop := status.StopSignal(); {
	case stop == syscall.SIGTRAP|0x80: // a system call begins or ends
		if p.changesFiles(tid) {
			if p.calls++; p.calls == p.killAt {
				err = syscall.Kill(p.pid, syscall.SIGKILL)
			}
		}
	case stop != syscall.SIGTRAP && stop != syscall.SIGSTOP: // its own: threads are sent SIGURG
		signal = int(stop)
	}
	if again := syscall.PtraceSyscall(tid, signal); again != nil && !errors.Is(again, syscall.ESRCH) {
		err = errors.Join(err, again)
	}
	return false, err
}

// syscallInfo is struct ptrace_syscall_info, as far as it tells of a call that
// begins.
type syscallInfo struct {
	op     uint8 // 1: begins
	_      [3]uint8
	arch   uint32
	ip, sp uint64
	number uint64
	args   [6]uint64
}

// changing are the calls that always change a file or a folder.
var changing = []int{
	unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNCFS, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_COPY_FILE_RANGE,
	unix.SYS_UNLINKAT, unix.SYS_MKDIRAT, unix.SYS_MKNODAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT, unix.SYS_SYMLINKAT,
	unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_UTIMENSAT, unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR,
}

// changesFiles reports whether a thread is about to change a file.
func (p *traced) changesFiles(tid int) bool {
	var i syscallInfo
	const getSyscallInfo = 0x420e // PTRACE_GET_SYSCALL_INFO
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(tid), unsafe.Sizeof(i), uintptr(unsafe.Pointer(&i)), 0, 0)
	if errno != 0 || i.op != 1 {
		return false
	}
	switch i.number {
	case unix.SYS_OPENAT:
		return i.args[2]&syscall.O_CREAT != 0
	case unix.SYS_WRITE, unix.SYS_PWRITE64:
		return i.args[0] > 2 // not to its streams
	}
	return slices.Contains(changing, int(i.number))
}
