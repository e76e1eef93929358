package restore_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"chartkeep/repo/repotest"
	"chartkeep/snapshot/restore"
)

// BenchmarkRun brings back a dump and small files, from memory to a folder.
func BenchmarkRun(b *testing.B) {
	k := newKit(b, repotest.Options{})
	lot := rand.New(rand.NewPCG(1, 1))
	var dump []byte
	for i := range 250_000 {
		dump = fmt.Appendf(dump, "(%d,%x,'paid'),\n", i, lot.Uint64())
	}
	k.write(k.src, "dump.sql", string(dump))
	size := int64(len(dump))
	for i := range 1000 {
		letter := fmt.Sprintf("Dear colleague, %x", dump[i:][:lot.IntN(4000)])
		k.write(k.src, fmt.Sprintf("letters/%d/%d.txt", i%10, i), letter)
		size += int64(len(letter))
	}
	k.save()
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		must(b, os.RemoveAll(k.out))
		must(b, os.Mkdir(k.out, 0o755))
		b.StartTimer()
		k.restore(restore.Options{})
	}
	if len(k.problems) > 0 {
		b.Error(k.problems)
	}
}
