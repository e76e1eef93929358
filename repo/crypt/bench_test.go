package crypt

import "testing"

const blockSize = 512 << 10

func BenchmarkSeal(b *testing.B) {
	k, _ := newSession(b, newSecret(b), here)
	plain, sealed := make([]byte, blockSize), make([]byte, 0, blockSize+Overhead)
	b.SetBytes(blockSize)
	b.ReportAllocs()
	for b.Loop() {
		sealed = k.Seal(sealed[:0], plain, Data)
	}
}

func BenchmarkOpen(b *testing.B) {
	k, _ := newSession(b, newSecret(b), here)
	sealed, plain := k.Seal(nil, make([]byte, blockSize), Data), make([]byte, 0, blockSize)
	b.SetBytes(blockSize)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(plain, sealed, Data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealSmall(b *testing.B) {
	k, _ := newSession(b, newSecret(b), here)
	plain, sealed := make([]byte, 64), make([]byte, 0, 64+Overhead)
	b.ReportAllocs()
	for b.Loop() {
		sealed = k.Seal(sealed[:0], plain, Tree)
	}
}

func BenchmarkNewSession(b *testing.B) {
	s := newSecret(b)
	for b.Loop() {
		newSession(b, s, here)
	}
}

func BenchmarkOpenSession(b *testing.B) {
	s := newSecret(b)
	_, file := newSession(b, s, here)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.OpenSession(here, file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewSecret(b *testing.B) {
	for b.Loop() {
		newSecret(b)
	}
}

func BenchmarkKDF(b *testing.B) {
	for name, kdf := range map[string]KDF{"default": DefaultKDF, "min": MinKDF, "max": {Time: 4, MemoryKiB: maxMemoryKiB, Threads: 4}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				faster(kdf, []byte("password"), make([]byte, 16), 64)
			}
		})
	}
}
