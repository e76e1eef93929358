//go:build amd64

package zst

import (
	"math/rand/v2"
	"testing"
)

// skewed counts few symbols often, or one very often, and many once.
func skewed(r *rand.Rand) (count [numSymbols]uint32, total int) {
	for range 1 + r.IntN(50) {
		count[r.IntN(53)] = 1
	}
	for range r.IntN(4) {
		count[r.IntN(53)] += r.Uint32() % (1 << r.IntN(15))
	}
	for _, c := range count {
		total += int(c)
	}
	return count, total
}

func TestSharesMakeUpTheTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var table stateTable
	for range 20_000 {
		var d distribution
		count, total := skewed(r)
		d.count = &count
		d.scale(total, maxLog)
		if d.only {
			continue
		}
		sum := 0
		for s, share := range d.share[:d.n] {
			if share < 0 || (share == 0) != (count[s] == 0) {
				t.Fatalf("symbol %d comes %d times of %d and has the share %d", s, count[s], total, share)
			}
			sum += share
		}
		if sum != 1<<d.log || d.log < minLog || d.log > maxLog {
			t.Fatalf("shares of %d, 1<<%d", sum, d.log)
		}
		table.build(&d)
		for s, share := range d.share[:d.n] {
			if share == 0 {
				continue
			}
			for state := uint32(sum); state < uint32(2*sum); state++ {
				x := table.step[s]
				bits := (state + x.bits) >> 16
				if next := int32(state>>bits) + x.offset; next < 0 || next >= int32(sum) {
					t.Fatalf("symbol %d with the share %d leads from the state %d to the place %d of %d", s, share, state, next, sum)
				}
			}
		}
	}
}
