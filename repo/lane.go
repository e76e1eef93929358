package repo

import (
	"sync"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo/pack"
)

// A Lane gathers the new chunks of one kind of content into blocks, so that
// what is alike is compressed together and lies together: the pieces of one big
// file, or many small files of one folder after the other. It is safe for
// concurrent use; two big files want two lanes.
type Lane struct {
	w     *Writer
	class index.Class

	mu    sync.Mutex
	block *openBlock
}

// openBlock is a block before it is sealed: chunks back to back.
type openBlock struct {
	class  index.Class
	data   []byte
	chunks []index.Chunk

	compressed bool // data is the payload already
	codec      index.Codec
	plain      uint32 // bytes of plaintext, once it is known
}

// Lane opens a lane for content of one class.
func (w *Writer) Lane(class index.Class) *Lane {
	l := &Lane{w: w, class: class}
	w.laneMu.Lock()
	defer w.laneMu.Unlock()
	w.lanes = append(w.lanes, l)
	return l
}

// Put stores a chunk unless the repository holds it already, and returns its
// ID. The data is copied; it is durable after the writer's Flush. An error is
// final for the writer.
func (l *Lane) Put(data []byte) (id chunk.ID, fresh bool, err error) {
	id = l.w.r.hasher.Sum(data)
	fresh, err = l.w.index.Claim(id)
	if err != nil || !fresh {
		return id, false, err
	}
	if err = l.add(id, data); err != nil {
		l.w.index.Unclaim(id)
	}
	return id, true, err
}

// PutAgain stores a chunk that the repository may hold already, for packs that
// are to be deleted. Its ID has been verified by whoever read it.
func (l *Lane) PutAgain(id chunk.ID, data []byte) error { return l.add(id, data) }

func (l *Lane) add(id chunk.ID, data []byte) error {
	l.w.added.Add(int64(len(data)))
	l.w.chunks.Add(1)
	if l.w.dry {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.block != nil && len(l.block.data)+len(data) > pack.BlockSize {
		if err := l.submit(); err != nil {
			return err
		}
	}
	if l.block == nil {
		l.block = l.w.newBlock(l.class)
	}
	l.block.data = append(l.block.data, data...)
	l.block.chunks = append(l.block.chunks, index.Chunk{ID: id, Length: uint32(len(data))})
	return nil
}

// Close seals what the lane still holds. The lane must not be used again.
func (l *Lane) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.block == nil {
		return nil
	}
	return l.submit()
}

// submit hands the open block to the sealing workers.
func (l *Lane) submit() error {
	b := l.block
	l.block = nil
	return l.w.submit(b)
}

func (w *Writer) submit(b *openBlock) error {
	select {
	case w.blocks <- b:
		return nil
	case <-w.ctx.Done():
		w.unclaim(b.chunks)
		return w.failure()
	}
}

// PutBlock stores a block as it was compressed in a companion, which takes
// neither compressing nor choosing what goes with what. The chunks are all of
// the block's, in order; whoever read it has verified their IDs. The payload is
// copied. As with PutAgain, the repository may hold some of them already.
func (w *Writer) PutBlock(c index.Class, chunks []index.Chunk, whole Compressed) error {
	b := w.newBlock(c)
	b.compressed, b.codec, b.chunks = true, whole.Codec, chunks
	for _, c := range chunks {
		b.plain += c.Length
	}
	w.added.Add(int64(b.plain))
	w.chunks.Add(int64(len(chunks)))
	if w.dry {
		return nil
	}
	b.data = append(b.data, whole.Payload...)
	return w.submit(b)
}
