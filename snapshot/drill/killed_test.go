package drill

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// bothServers starts a server of each kind, and stops them.
func bothServers(ctx context.Context, dir string, between func(postgres, mysql int)) error {
	p, err := postgres.Scratch(ctx, postgres.ScratchOptions{Dir: dir})
	if err != nil {
		return err
	}
	m, err := mysql.Scratch(ctx, mysql.ScratchOptions{Dir: dir})
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	between(p.PID, m.PID)
	return errors.Join(m.Stop(), p.Stop())
}

// TestAKilledDrillLeavesNoServerAndNoDataForLong: the servers end with it, and the
// next drill removes what they held.
func TestAKilledDrillLeavesNoServerAndNoDataForLong(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere no signal comes when a parent dies")
	}
	dir := scratchDir(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), toBeKilled+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err := errors.Join(err, cmd.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for _, pid := range strings.Fields(line) {
		ended(t, pid)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Fatalf("%v, %v: want the folders of two servers", left, err)
	}
	if err := bothServers(t.Context(), dir, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// ended waits until a process is gone, or is a zombie whose status nobody takes.
func ended(t *testing.T, pid string) {
	t.Helper()
	if _, err := strconv.Atoi(pid); err != nil {
		t.Fatal(err)
	}
	for range 1500 {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("process %s lives on", pid)
}

// killed is the program that is killed.
func killed(dir string) {
	err := bothServers(context.Background(), dir, func(p, m int) {
		fmt.Println(p, m)
		select {}
	})
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
