package main

import (
	"runtime"
	"runtime/debug"
)

// rewriteHeap is what the collector keeps the heap of a prune within, as far as what
// is in use allows: rewriting leaves much garbage, just when buffers for packs
// come to what the plan needs.
const rewriteHeap = 176 << 20

// boundGarbage gives back what planning took, and until undo is called it has the
// collector keep to rewriteHeap, or to half as much again as what is in use. A bound
// that a person has set stays.
func (p *program) boundGarbage() (undo func()) {
	if p.memory > 0 {
		return func() {}
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := debug.SetMemoryLimit(max(rewriteHeap, int64(m.HeapAlloc)*3/2))
	return func() { debug.SetMemoryLimit(before) }
}
