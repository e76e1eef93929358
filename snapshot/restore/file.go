package restore

import (
	"sync"
	"sync/atomic"

	"chartkeep/snapshot"
)

// file is one file being restored. Its pieces come in the order of the packs,
// from several goroutines.
type file struct {
	run   *run
	path  string
	node  *snapshot.Node
	left  atomic.Int64 // pieces that are still to come
	holes bool         // it had some when it was saved

	mu     sync.Mutex
	out    File
	failed bool
	done   bool
}

// fail gives a file up: what is written of it is removed, and it is named once.
func (f *file) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed {
		return
	}
	f.failed = true
	if f.out != nil {
		f.out.Discard()
		f.out = nil
	}
	f.run.problem(f.path, err)
}

// writePieces is the batch's writeFunc.
func writePieces(t target, n int, data []byte, err error) error {
	f := t.file
	if err == nil {
		err = f.write(t.offset, n, data)
	}
	if err != nil {
		f.fail(err)
	}
	f.run.o.Progress.Bytes.Add(int64(len(data)))
	if f.left.Add(-int64(n)) == 0 {
		f.commit()
	}
	return nil
}

// write puts data at its offset. What is the whole file takes a shorter way.
func (f *file) write(offset int64, n int, data []byte) error {
	if offset == 0 && int64(len(data)) == f.node.Meta.Size && f.left.Load() == int64(n) {
		f.done = true
		return f.run.sink.WriteFile(f.path, data, f.node.Meta, f.node.Attributes)
	}
	out, err := f.open()
	if err != nil || out == nil {
		return err
	}
	_, err = out.WriteAt(data, offset)
	return err
}

// open returns the file to write to, or nil when it has been given up.
func (f *file) open() (File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed || f.out != nil {
		return f.out, nil
	}
	var err error
	f.out, err = f.run.sink.Create(f.path, f.node.Meta.Size, f.run.o.Sparse || f.holes)
	return f.out, err
}

// commit ends a file all of whose pieces have come.
func (f *file) commit() {
	f.mu.Lock()
	failed, out := f.failed, f.out
	f.out = nil
	f.mu.Unlock()
	if failed {
		return
	}
	if out != nil {
		if err := out.Commit(f.node.Meta, f.node.Attributes); err != nil {
			f.fail(err)
			return
		}
	}
	f.finished()
}

func (f *file) finished() {
	x := f.run
	x.mu.Lock()
	x.summary.Bytes += f.node.Meta.Size
	x.mu.Unlock()
	x.item(f.path, "restored", f.node)
}

// finishEmpty makes a file that has no chunks: an empty one, or one that is all
// hole.
func (f *file) finishEmpty() {
	if f.failed || f.done || f.node.Content.Size() > 0 && !f.allHole() {
		return
	}
	if f.node.Meta.Size == 0 {
		if err := f.run.sink.WriteFile(f.path, nil, f.node.Meta, f.node.Attributes); err != nil {
			f.fail(err)
			return
		}
		f.finished()
		return
	}
	if _, err := f.open(); err != nil {
		f.fail(err)
		return
	}
	f.commit()
}

func (f *file) allHole() bool {
	for _, r := range f.node.Content.Refs {
		if !r.Hole() || f.node.Content.Level > 0 {
			return false
		}
	}
	return true
}
