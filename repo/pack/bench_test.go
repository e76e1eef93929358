package pack

import (
	"math/rand/v2"
	"testing"
)

func random(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func BenchmarkNoise(b *testing.B) {
	p := random(64<<20, 1)
	b.SetBytes(512 << 10)
	i := 0
	for b.Loop() {
		if !noise(p[i : i+512<<10]) {
			b.Fatal("not noise")
		}
		i = (i + 512<<10) % len(p)
	}
}

func BenchmarkShape(b *testing.B) {
	src, dst := random(512<<10, 1), make([]byte, 512<<10)
	for _, s := range []shape{sampled} {
		b.Run("apply", func(b *testing.B) {
			b.SetBytes(512 << 10)
			for b.Loop() {
				s.apply(dst, src)
			}
		})
		b.Run("undo", func(b *testing.B) {
			b.SetBytes(512 << 10)
			for b.Loop() {
				s.undo(src, dst)
			}
		})
	}
}
