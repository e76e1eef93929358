package local_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo/storage/local"
)

// BenchmarkPut measures durable files per second on the drive of the temporary
// folder, by size and by how many are written at once.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20, 32 << 20} {
		for _, writers := range []int{1, 4} {
			b.Run(fmt.Sprintf("%dKiB/%dwriters", size>>10, writers), func(b *testing.B) {
				st, err := local.New(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				defer st.Close()
				content := make([]byte, size)
				var n atomic.Int64
				b.SetBytes(int64(size))
				var g errgroup.Group
				for range writers {
					g.Go(func() error {
						for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
							if err := st.Put(b.Context(), fmt.Sprintf("packs/%02x/%d", i%256, i), content); err != nil {
								return err
							}
						}
						return nil
					})
				}
				if err := g.Wait(); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
