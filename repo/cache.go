package repo

import (
	"container/list"
	"sync"

	"chartkeep/index"
)

// blockCacheSize bounds the opened blocks that are kept, bytes. Trees are read
// in the order in which they were written, so a few blocks are enough.
const blockCacheSize = 16 << 20

type blockKey struct {
	pack   index.PackID
	offset uint32
}

// blockCache keeps the plaintext of the blocks used last. It is safe for
// concurrent use.
type blockCache struct {
	limit int

	mu    sync.Mutex
	size  int
	order list.List // of *cachedBlock, the last used in front
	byKey map[blockKey]*list.Element
}

type cachedBlock struct {
	key  blockKey
	data []byte
}

func (c *blockCache) get(k blockKey) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[k]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cachedBlock).data
}

func (c *blockCache) add(k blockKey, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[blockKey]*list.Element{}
	}
	if c.byKey[k] != nil {
		return
	}
	c.byKey[k] = c.order.PushFront(&cachedBlock{k, data})
	c.size += len(data)
	for c.size > c.limit && c.order.Len() > 1 {
		last := c.order.Remove(c.order.Back()).(*cachedBlock)
		delete(c.byKey, last.key)
		c.size -= len(last.data)
	}
}

// drop forgets all.
func (c *blockCache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order.Init()
	c.byKey, c.size = nil, 0
}

// DropBlocks gives up the opened blocks that are kept for whoever reads trees. Who has
// read them all and goes on to what takes memory itself spares 16 MiB.
func (r *Repository) DropBlocks() { r.blocks.drop() }
