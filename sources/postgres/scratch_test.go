//go:build unix

package postgres

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAScratchServerIsPrivateAndLeavesNothing(t *testing.T) {
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	s, err := Scratch(t.Context(), ScratchOptions{Dir: dir, Settings: []string{"work_mem=7MB"}})
	if err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(s.Dir); err != nil || i.Mode().Perm() != 0o700 || filepath.Dir(s.Dir) != dir {
		t.Errorf("%s: %v, %v", s.Dir, i.Mode(), err)
	}
	conn := open(t, s, "postgres")
	for setting, want := range map[string]string{"listen_addresses": "", "fsync": "off", "archive_mode": "off", "work_mem": "7MB", "autovacuum": "off"} {
		if got := ask(t, conn, "SELECT current_setting('"+setting+"')"); got != want {
			t.Errorf("%s is %q", setting, got)
		}
	}
	pid := s.PID
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the server runs on: %v", err)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its folder is left: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("stopping again: %v", err)
	}
}

func TestAScratchServerThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o    ScratchOptions
		want string
	}{
		{ScratchOptions{Settings: []string{"no_such_setting=1"}}, "no_such_setting"},
		{ScratchOptions{Major: 99}, "99"},
		{ScratchOptions{Programs: dir}, "no initdb"},
	} {
		c.o.Dir = dir
		began := time.Now()
		s, err := Scratch(t.Context(), c.o)
		if err == nil || s != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
