package wide

import "golang.org/x/sys/cpu"

// Available reports whether the processor and the system have what Sum needs.
var Available = cpu.X86.HasAVX512F

//go:noescape
func sixteen(j *job)
