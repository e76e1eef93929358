package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"chartkeep/repo/pack"
)

// How much garbage may gather before it is collected: as much as is in use, as
// long as all of it fits usualMemory; never less than leastGarbage, in percent of
// what is in use. A run that needs little is over before it has made enough to be
// worth a collection. A walk over many files is mostly short-lived garbage and has
// room for it. A run that fills packs has none: most of its memory is in buffers
// that are used again, and peak memory counts more there than the little time that
// collections cost.
const (
	usualMemory  = 80 << 20 // of heap and packs, bytes; the program itself takes some 30 MB more
	leastGarbage = 20
	mostGarbage  = 100

	littleGarbage = 16 << 20 // bytes that are not worth a collection, in a short run
	littleHeap    = 4 << 20  // and less than this in use counts as this
)

// garbageFor returns the percentage for so much memory in use, in the heap and
// outside it.
func garbageFor(heap, outside uint64) int {
	used := int64(max(heap, littleHeap))
	room := int64(usualMemory) - used - int64(outside)
	most := max(mostGarbage, littleGarbage*100/used)
	return int(min(max(room*100/used, leastGarbage), most))
}

// mindCollector sets that percentage anew after each collection.
func mindCollector() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(garbageFor(live[0].Value.Uint64(), pack.Mapped()))
	type mark struct{ _ *mark } // found to be garbage by the next collection
	runtime.AddCleanup(new(mark), func(struct{}) { mindCollector() }, struct{}{})
}
