//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the most that the process had in memory, megabytes.
func peakMemory(s *os.ProcessState) float64 {
	r, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return float64(r.Maxrss) / 1e6
	}
	return float64(r.Maxrss) * 1024 / 1e6
}
