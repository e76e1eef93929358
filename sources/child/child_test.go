//go:build unix

package child

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asParent makes this program one that starts a program in a folder, and then
// waits to be killed.
const asParent = "CHARTKEEP_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asParent); dir != "" {
		parent(dir)
		return
	}
	os.Exit(m.Run())
}

func parent(dir string) {
	f, err := MakeFolder(dir, "t-")
	if err != nil {
		panic(err)
	}
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = Apart()
	p, err := Start(cmd, syscall.SIGKILL)
	if err != nil {
		panic(err)
	}
	// Threads that end are not the one that started the program.
	for range 50 {
		go func() { runtime.LockOSThread() }()
	}
	os.Stdout.WriteString(f.Path + " " + strconv.Itoa(p.PID()) + "\n")
	select {}
}

// TestNothingOutlivesAProcessThatIsKilled and the next one cleans up.
func TestNothingOutlivesAProcessThatIsKilled(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asParent+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	path, number, _ := strings.Cut(strings.TrimSpace(line), " ")
	pid, numberErr := strconv.Atoi(number)
	if err := errors.Join(err, numberErr); err != nil {
		t.Fatal(err)
	}
	other, err := MakeFolder(dir, "t-")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil || syscall.Kill(pid, 0) != nil {
		t.Fatalf("the folder or the program of a living process is gone: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if runtime.GOOS == "linux" {
		gone(t, pid)
	} else if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	third, err := MakeFolder(dir, "t-")
	if err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("%q, %v: want the folders of this process only", left, err)
	}
	if err := errors.Join(other.Remove(), third.Remove()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// gone waits until a program has ended. Nobody may be there to take its status:
// then it stays as a zombie.
func gone(t *testing.T, pid int) {
	t.Helper()
	for range 1500 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("process %d lives on", pid)
}

func TestAProgramIsHaltedByTheFirstSignalThatItHeeds(t *testing.T) {
	cmd := exec.Command("sh", "-c", "trap '' INT; echo; while :; do sleep 0.05; done")
	cmd.SysProcAttr = Apart()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	p.Halt(time.Minute/1000, syscall.SIGINT, syscall.SIGTERM)
	select {
	case <-p.Ended():
	default:
		t.Error("it has not ended")
	}
	if _, err := Start(exec.Command("/nowhere"), syscall.SIGKILL); err == nil {
		t.Error("what is not there was started")
	}
}
