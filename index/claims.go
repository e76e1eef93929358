package index

import (
	"sync"

	"chartkeep/chunk"
)

// claims are the chunks that somebody is about to store. They are spread over shards, so that few wait for another.
type claims []claimShard

type claimShard struct {
	mu      sync.Mutex
	pending map[chunk.ID]struct{}
}

func newClaims() claims {
	c := make(claims, 64)
	for i := range c {
		c[i].pending = make(map[chunk.ID]struct{})
	}
	return c
}

func (c claims) shard(id *chunk.ID) *claimShard { return &c[int(id[31])%len(c)] }

// end ends the claims on a directory's chunks.
func (c claims) end(d *Directory) {
	for i := range d.Blocks {
		for j := range d.Blocks[i].Chunks {
			c.release(&d.Blocks[i].Chunks[j].ID)
		}
	}
}

func (c claims) release(id *chunk.ID) {
	s := c.shard(id)
	s.mu.Lock()
	delete(s.pending, *id)
	s.mu.Unlock()
}

// Claim asks who stores a chunk: for one that is neither stored nor claimed, exactly one caller gets true, and has
// to store it; the others get false and may refer to it. The claim ends when a directory that holds the chunk is
// added, or by Unclaim. A chunk whose only places are damaged counts as not stored.
func (ix *Index) Claim(id chunk.ID) (fresh bool, err error) {
	s := ix.claims.shard(&id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.pending[id]; ok {
		return false, nil
	}
	// A pack becomes known before the claims on its chunks end, so between the two checks none is missed.
	if known, err := ix.Has(id); known || err != nil {
		return false, err
	}
	s.pending[id] = struct{}{}
	return true, nil
}

// Unclaim gives back a claim of a caller who could not store the chunk.
func (ix *Index) Unclaim(id chunk.ID) { ix.claims.release(&id) }
