package runlog_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartkeep/cmd/internal/runlog"
	"chartkeep/repo/storage"
)

// TestMain lets the test's own program stand for another run.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RUNLOG_HOLD"); dir != "" {
		if _, err := runlog.LockHost(context.Background(), dir, "nightly", 0); err != nil {
			os.Exit(1)
		}
		os.Stdout.WriteString("locked\n")
		time.Sleep(time.Minute)
	}
	os.Exit(m.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holding starts another process that holds the lock.
func holding(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "RUNLOG_HOLD="+dir)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other run says %q, %v", line, err)
	}
	return c
}

func TestOneRunAtATimeOnAComputer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	other := holding(t, dir)
	_, err := runlog.LockHost(t.Context(), dir, "weekly", 10*time.Millisecond)
	var busy *runlog.BusyError
	if !errors.As(err, &busy) || !errors.Is(err, storage.ErrLocked) {
		t.Fatalf("a second run gets %v", err)
	}
	if h := busy.Holder; h.Plan != "nightly" || h.PID != other.Process.Pid || time.Since(h.Since) > time.Minute {
		t.Errorf("it is told of %+v", h)
	}
	if text := err.Error(); !strings.Contains(text, "run of plan nightly since ") || !strings.Contains(text, "(pid ") {
		t.Errorf("it says %q", text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := runlog.LockHost(ctx, dir, "weekly", -1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who gives up waiting gets %v", err)
	}
}

// A run that was killed holds nothing up.
func TestAKilledRunsLockIsFree(t *testing.T) {
	dir := t.TempDir()
	other := holding(t, dir)
	must(t, other.Process.Kill())
	held, err := runlog.LockHost(t.Context(), dir, "weekly", time.Minute)
	must(t, err)
	_, err = runlog.LockHost(t.Context(), dir, "monthly", 0)
	var busy *runlog.BusyError
	if !errors.As(err, &busy) || busy.Holder.Plan != "weekly" {
		t.Errorf("a second run is told %v", err)
	}
	must(t, held.Close())
	held, err = runlog.LockHost(t.Context(), dir, "monthly", 0)
	must(t, err)
	must(t, held.Close())
	if _, err := os.Stat(filepath.Join(dir, "run.holder")); err == nil {
		t.Error("the holder's name is left behind")
	}
}
