package index

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestEveryChunkIsClaimedOnce(t *testing.T) {
	ix := openTemp(t, t.TempDir())
	defer ix.Close()
	const claimers, packs, perPack = 8, 100, 100
	var claims [packs * perPack]atomic.Int32
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range claimers {
		wg.Go(func() {
			<-start
			for n := range claims {
				fresh, err := ix.Claim(syntheticID(0, uint64(n)))
				if err != nil {
					t.Error(err)
				}
				if !fresh {
					continue
				}
				claims[n].Add(1)
				if n%perPack == perPack-1 {
					if err := ix.Add(syntheticPack(0, uint64(n-perPack+1), perPack)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	close(start)
	wg.Wait()
	for n := range claims {
		if c := claims[n].Load(); c != 1 {
			t.Fatalf("chunk %d was claimed %d times", n, c)
		}
	}
}

func TestClaimEndsWithUnclaim(t *testing.T) {
	ix := NewMemory()
	id := syntheticID(0, 1)
	for range 3 {
		if fresh, err := ix.Claim(id); !fresh || err != nil {
			t.Fatal(fresh, err)
		}
		if fresh, err := ix.Claim(id); fresh || err != nil {
			t.Fatal(fresh, err)
		}
		if places, err := ix.Lookup(id); len(places) > 0 || err != nil {
			t.Fatal("a claimed chunk has a place", err)
		}
		ix.Unclaim(id)
	}
}

func TestClaimOfDamagedChunkIsFresh(t *testing.T) {
	ix := NewMemory()
	old, healed := syntheticPack(0, 0, 64), syntheticPack(0, 0, 64)
	healed.Pack[0]++
	if err := ix.Import("old", []*Directory{old}); err != nil {
		t.Fatal(err)
	}
	ix.SetDamaged([]DamagedBlock{{old.Pack, old.Blocks[1].Offset}})
	id := old.Blocks[1].Chunks[3].ID
	if fresh, err := ix.Claim(id); !fresh || err != nil {
		t.Fatal("the damaged chunk would not be stored again", err)
	}
	if fresh, err := ix.Claim(old.Blocks[0].Chunks[3].ID); fresh || err != nil {
		t.Fatal("a sound chunk would be stored again", err)
	}
	if err := ix.Add(healed); err != nil {
		t.Fatal(err)
	}
	if fresh, err := ix.Claim(id); fresh || err != nil {
		t.Fatal("the healed chunk would be stored again", err)
	}
	places, err := ix.Lookup(id)
	if err != nil || len(places) != 2 || places[0].Pack != healed.Pack || places[1].Pack != old.Pack {
		t.Fatal("damaged place is not the last", places, err)
	}
}
