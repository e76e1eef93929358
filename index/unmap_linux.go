package index

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unmap gives back the memory that mapped log files in dir take: what was read is dropped, what was written goes to
// the page cache, and the next touch of either brings it back. Nobody may map, unmap or resize those files meanwhile.
// It fails if there is none, which is how the system says that it does not know them by these names.
func unmap(dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return err
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer f.Close()
	found := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		from, length, name := sharedMapping(lines.Text())
		if filepath.Dir(name) != dir || filepath.Ext(name) != ".vlog" {
			continue
		}
		found = true
		if _, _, failed := unix.Syscall(unix.SYS_MADVISE, from, length, unix.MADV_DONTNEED); failed != 0 {
			return failed
		}
	}
	if !found {
		err = errors.New("no log file is mapped")
	}
	return errors.Join(err, lines.Err())
}

// sharedMapping takes a line of /proc/self/maps apart (proc_pid_maps(5)). The name is empty if it is not that of a
// file that is mapped for all: only then dropping what is in memory loses nothing.
func sharedMapping(line string) (from, length uintptr, name string) {
	f := strings.SplitN(line, " ", 6)
	if len(f) < 6 || len(f[1]) != 4 || f[1][3] != 's' {
		return 0, 0, ""
	}
	low, high, _ := strings.Cut(f[0], "-")
	begin, err := strconv.ParseUint(low, 16, 64)
	end, err2 := strconv.ParseUint(high, 16, 64)
	if err != nil || err2 != nil || end <= begin {
		return 0, 0, ""
	}
	return uintptr(begin), uintptr(end - begin), strings.TrimLeft(f[5], " ")
}
