package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"chartkeep/repo/pack"
)

// How much garbage may gather before it is collected: as much as is in use, as
// long as all of it fits usualMemory; never less than leastGarbage, in percent of
// what is in use. A walk over many files is mostly short-lived garbage and has
// room for it. A run that fills packs has none: most of its memory is in buffers
// that are used again, and peak memory counts more there than the little time that
// collections cost.
const (
	usualMemory  = 80 << 20 // of heap and packs, bytes; the program itself takes some 30 MB more
	leastGarbage = 20
	mostGarbage  = 100
)

// garbageFor returns the percentage for so much memory in use, in the heap and
// outside it.
func garbageFor(heap, outside uint64) int {
	room := int64(usualMemory) - int64(heap) - int64(outside)
	return int(min(max(room*100/int64(max(heap, 1)), leastGarbage), mostGarbage))
}

// mindCollector sets that percentage anew after each collection.
func mindCollector() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(garbageFor(live[0].Value.Uint64(), pack.Mapped()))
	type mark struct{ _ *mark } // found to be garbage by the next collection
	runtime.AddCleanup(new(mark), func(struct{}) { mindCollector() }, struct{}{})
}
