package chunk_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"chartkeep/chunk"
)

func BenchmarkSplit(b *testing.B) {
	data := noise(1, 32<<20)
	for _, a := range []chunk.Algorithm{chunk.Gear, chunk.Rabin} {
		for _, p := range []chunk.Profile{chunk.Fine, chunk.Coarse} {
			b.Run(fmt.Sprintf("%v/%v", a, p), func(b *testing.B) {
				s := cutter(b, chunk.DefaultParams(a), 1).Split(bytes.NewReader(nil), p)
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					s.Reset(bytes.NewReader(data), p)
					for _, err := s.Next(); err != io.EOF; _, err = s.Next() {
					}
				}
			})
		}
	}
}

func BenchmarkSum(b *testing.B) {
	h := chunk.NewHasher([32]byte{1})
	for _, n := range []int{4 << 10, 8 << 10, 16 << 10, 256 << 10, 512 << 10} {
		b.Run(fmt.Sprintf("%dKiB", n>>10), func(b *testing.B) {
			p := noise(1, n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				h.Sum(p)
			}
		})
	}
}

func BenchmarkClassify(b *testing.B) {
	for _, c := range []struct {
		name string
		head []byte
	}{
		{"noise 8KiB", noise(1, 8<<10)},
		{"noise 64KiB", noise(1, chunk.HeadSize)},
		{"text 2KiB", sqlDump()[:2<<10]},
		{"text 8KiB", sqlDump()[:8<<10]},
		{"text 64KiB", sqlDump()[:chunk.HeadSize]},
		{"jpeg 8KiB", append([]byte("\xff\xd8\xff\xe0"), noise(1, 8<<10)...)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				chunk.Classify(c.head)
			}
		})
	}
}
