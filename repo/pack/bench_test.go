package pack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"chartkeep/index"
)

func random(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func BenchmarkEncode(b *testing.B) {
	for l := Fastest; l <= Best; l++ {
		for _, name := range []string{"dump", "volume", "mixed", "noise"} {
			b.Run(fmt.Sprint(l, " ", name), func(b *testing.B) {
				c, plain := testCodec(b, l), testBlocks[name]
				var buf []byte
				var stored int
				b.SetBytes(int64(len(plain)))
				b.ReportAllocs()
				for b.Loop() {
					payload, codec, err := c.Encode(buf, plain)
					if err != nil {
						b.Fatal(err)
					}
					if codec == index.Zstd {
						buf = payload
					}
					stored = len(payload)
				}
				b.ReportMetric(float64(stored)/float64(len(plain)), "ratio")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"dump", "volume", "mixed", "noise"} {
		b.Run(name, func(b *testing.B) {
			c, plain := testCodec(b, Fastest), testBlocks[name]
			payload, codec, err := c.Encode(nil, plain)
			if err != nil {
				b.Fatal(err)
			}
			var buf []byte
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				if buf, err = c.Decode(buf, payload, codec, len(plain)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Many megabytes, so that the caches do not help more than they do in a backup.
func BenchmarkNoise(b *testing.B) {
	p := random(64<<20, 1)
	b.SetBytes(BlockSize)
	i := 0
	for b.Loop() {
		if !noise(p[i:][:BlockSize]) {
			b.Fatal("not noise")
		}
		i = (i + BlockSize) % len(p)
	}
}

// fullPack fills a pack with blocks of 512 KiB, of 64 chunks each.
func fullPack(b *testing.B, percent int) *Builder {
	builder := NewBuilder(percent, newBox())
	builder.Reset(testSession, index.Data)
	for i := 0; ; i++ {
		room, ok := builder.Reserve(BlockSize, testBlock(i, BlockSize, 8<<10))
		if !ok {
			return builder
		}
		copy(room, random(BlockSize, byte(i)))
	}
}

func BenchmarkFinish(b *testing.B) {
	for _, percent := range []int{0, 3, 10} {
		b.Run(fmt.Sprint("parity ", percent), func(b *testing.B) {
			builder := fullPack(b, percent)
			b.ReportAllocs()
			for b.Loop() {
				done, err := builder.Finish()
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(done.Directory.Size))
			}
		})
	}
}

func benchmarkFile(b *testing.B, read func(file []byte, id index.PackID) error) {
	done, err := fullPack(b, 3).Finish()
	if err != nil {
		b.Fatal(err)
	}
	file := bytes.Join(done.Parts, nil)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if err := read(file, done.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	benchmarkFile(b, func(file []byte, id index.PackID) error { return Verify(file, id).Err() })
}

func BenchmarkRepair(b *testing.B) {
	benchmarkFile(b, func(file []byte, id index.PackID) error {
		clear(file[1<<20:][:64<<10])
		_, err := Repair(bytes.NewReader(file), int64(len(file)), id)
		return err
	})
}

func BenchmarkReadDirectory(b *testing.B) {
	benchmarkFile(b, func(file []byte, id index.PackID) error {
		_, err := ReadDirectory(bytes.NewReader(file), int64(len(file)), id, newBox())
		return err
	})
}
