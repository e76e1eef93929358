package index

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"chartkeep/chunk"
)

// syntheticID returns the ID of chunk n of a made-up repository; of other repositories for other seeds.
func syntheticID(seed, n uint64) (id chunk.ID) {
	x := seed<<48 ^ n
	for i := 0; i < len(id); i += 8 {
		x += 0x9e3779b97f4a7c15 // splitmix64
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(id[i:], z^z>>31)
	}
	return id
}

// syntheticPack returns the directory of a pack of chunks first to first+chunks-1, in blocks of 32.
func syntheticPack(seed, first uint64, chunks int) *Directory {
	d := &Directory{Pack: PackID(syntheticID(seed+1, first)), Class: Data, Session: [16]byte{byte(seed)}}
	offset := uint32(100)
	for n := 0; n < chunks; n += 32 {
		b := Block{Offset: offset, Sealed: 128 << 10, Codec: Zstd}
		for i := n; i < min(n+32, chunks); i++ {
			b.Chunks = append(b.Chunks, Chunk{syntheticID(seed, first+uint64(i)), 16 << 10})
			b.Plain += 16 << 10
		}
		offset += b.Sealed
		d.Blocks = append(d.Blocks, b)
	}
	d.Size = offset
	return d
}

// syntheticSegment returns directories of packs for chunks first to last-1.
func syntheticSegment(seed, first, last uint64, perPack int) []*Directory {
	var dirs []*Directory
	for ; first < last; first += uint64(perPack) {
		dirs = append(dirs, syntheticPack(seed, first, int(min(last-first, uint64(perPack)))))
	}
	return dirs
}

const nightChunks = 60_000 // a GB of new data in chunks of 16 KiB

func openTemp(tb testing.TB, dir string) *Index {
	tb.Helper()
	ix, err := Open(dir, [32]byte{1}, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return ix
}

func BenchmarkImport(b *testing.B) {
	ix := openTemp(b, b.TempDir())
	defer ix.Close()
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		first := uint64(i) * nightChunks
		dirs := syntheticSegment(0, first, first+nightChunks, 4000)
		b.StartTimer()
		if err := ix.Import(fmt.Sprint(i), dirs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	ix := openTemp(b, dir)
	if err := ix.Import("night", syntheticSegment(0, 0, nightChunks, 4000)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		if err := ix.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		ix = openTemp(b, dir)
		if ok, err := ix.Has(syntheticID(0, nightChunks/2)); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
	if err := ix.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkLookup(b *testing.B) {
	const total = 600_000
	ix := openTemp(b, b.TempDir())
	defer ix.Close()
	for i := uint64(0); i < total; i += nightChunks {
		if err := ix.Import(fmt.Sprint(i), syntheticSegment(0, i, i+nightChunks, 4000)); err != nil {
			b.Fatal(err)
		}
	}
	look := func(b *testing.B, want bool, id func(i int) chunk.ID) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if ok, err := ix.Has(id(i)); ok != want || err != nil {
				b.Fatal(ok, err)
			}
		}
	}
	b.Run("run of hits", func(b *testing.B) {
		look(b, true, func(i int) chunk.ID { return syntheticID(0, uint64(i%total)) })
	})
	b.Run("miss", func(b *testing.B) {
		look(b, false, func(i int) chunk.ID { return syntheticID(9, uint64(i)) })
	})
	b.Run("scattered hits", func(b *testing.B) {
		look(b, true, func(int) chunk.ID { return syntheticID(0, rand.Uint64N(total)) })
	})
}

// TestScale measures what does not fit into a benchmark. CHARTKEEP_INDEX_CHUNKS says for how many chunks,
// CHARTKEEP_INDEX_PACK how many are in a pack.
func TestScale(t *testing.T) {
	total, _ := strconv.ParseUint(os.Getenv("CHARTKEEP_INDEX_CHUNKS"), 10, 64)
	if total == 0 {
		t.Skip("CHARTKEEP_INDEX_CHUNKS is not set")
	}
	perPack, _ := strconv.Atoi(os.Getenv("CHARTKEEP_INDEX_PACK"))
	if perPack == 0 {
		perPack = 4000
	}
	dir := t.TempDir()
	ix := openTemp(t, dir)
	begin, worst := time.Now(), time.Duration(0)
	for i := uint64(0); i < total; i += nightChunks {
		dirs := syntheticSegment(0, i, min(i+nightChunks, total), perPack)
		night := time.Now()
		if err := ix.Import(fmt.Sprint(i), dirs); err != nil {
			t.Fatal(err)
		}
		worst = max(worst, time.Since(night))
	}
	report(t, "import, slowest %v", begin, worst)
	step := func(what string, n uint64, fn func(i uint64) error) {
		begin, cpu := time.Now(), cpuTime()
		for i := range n {
			if err := fn(i); err != nil {
				t.Fatal(what, err)
			}
		}
		report(t, what+", %v of processor each", begin, (cpuTime()-cpu)/time.Duration(n))
	}
	has := func(id chunk.ID, want bool) error {
		if ok, err := ix.Has(id); ok != want || err != nil {
			return fmt.Errorf("%v %v", ok, err)
		}
		return nil
	}
	step("close", 1, func(uint64) error { return ix.Close() })
	step("open", 1, func(uint64) error { ix = openTemp(t, dir); return nil })
	step("first hits of a file", 100, func(i uint64) error { return has(syntheticID(0, total/2+i), true) })
	step("misses", 1_000_000, func(i uint64) error { return has(syntheticID(9, i), false) })
	step("hits in order", total, func(i uint64) error { return has(syntheticID(0, i), true) })
	step("scattered hits", 20_000, func(uint64) error { return has(syntheticID(0, rand.Uint64N(total)), true) })
	step("directories", 1, func(uint64) error {
		for p, err := range ix.Packs() {
			if err != nil {
				return err
			}
			if _, err = ix.Directory(p.ID); err != nil {
				return err
			}
		}
		return nil
	})
	step("close", 1, func(uint64) error { return ix.Close() })
	files, err := os.ReadDir(dir + "/badger")
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	t.Logf("%d files, %.1f bytes a chunk", len(files), float64(size)/float64(total))
}

// cpuTime returns the processor time of the process, to 10 ms, which other load on the machine does not change much.
func cpuTime() time.Duration {
	stat, _ := os.ReadFile("/proc/self/stat")
	f := strings.Fields(string(stat))
	if len(f) < 15 {
		return 0
	}
	user, _ := strconv.Atoi(f[13])
	system, _ := strconv.Atoi(f[14])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// report logs a step with its time and the memory of the process.
func report(t *testing.T, format string, begin time.Time, detail time.Duration) {
	status, _ := os.ReadFile("/proc/self/status")
	var memory []string
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		if len(f) == 3 && (f[0] == "VmHWM:" || f[0] == "VmRSS:" || f[0] == "RssAnon:" || f[0] == "RssFile:") {
			kb, _ := strconv.Atoi(f[1])
			memory = append(memory, fmt.Sprintf("%s %d MiB", f[0], kb>>10))
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf(format+": %v; %s heap %d MiB", detail, time.Since(begin).Round(time.Microsecond), strings.Join(memory, " "), m.HeapAlloc>>20)
}
