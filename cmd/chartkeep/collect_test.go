package main

import "testing"

func TestGarbageFitsTheUsualMemory(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		heap, outside uint64
		want          int
	}{
		{0, 0, 400}, {4 * mib, 0, 400}, {8 * mib, 0, 200}, {16 * mib, 0, 100}, {4 * mib, 70 * mib, 150}, {40 * mib, 0, 100}, {50 * mib, 0, 60}, {50 * mib, 20 * mib, 20},
		{30 * mib, 96 * mib, 20}, {300 * mib, 0, 20},
	} {
		if got := garbageFor(c.heap, c.outside); got != c.want {
			t.Errorf("%d MiB in the heap, %d MiB outside: %d %%, want %d", c.heap/mib, c.outside/mib, got, c.want)
		}
	}
}
