package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/sources"
)

// bigRoom is what a reader of big files reads into, bytes: all but the longest
// chunks and a read behind them, and well inside a core's second-level cache.
const bigRoom = 512 << 10

// smallFile is the size up to which a file is read whole, by one of many
// readers, bytes. Above it reading is sequential for long enough that few
// readers keep a drive busy.
const smallFile = 256 << 10

// smallBatch is how many small files a reader has open at a time: enough that the
// drive's queue is never empty, and that what lies side by side is read at once.
const smallBatch = 8

// longFile is the size from which a file is not left for the end: one reader takes
// such files as soon as the walk has come to them, bytes. Dumps keep the processor
// busy and pictures the drive, so that both at once take less time than one after
// the other.
const longFile = 64 << 20

// laneSet is one lane for each chunk profile, so that what compresses and what
// does not never share a block.
type laneSet map[chunk.Profile]*repo.Lane

func newLanes(w *repo.Writer) laneSet {
	return laneSet{chunk.Fine: w.Lane(index.Data), chunk.Coarse: w.Lane(index.Data)}
}

// fileReader reads files one after the other. Its buffers are used again.
type fileReader struct {
	*saver
	lanes    laneSet
	room     int // of head, bytes: the splitter works in it
	head     []byte
	splitter chunk.Splitter // made when first needed
	list     listWriter
}

func newFileReader(s *saver, lanes laneSet, room int) *fileReader {
	f := &fileReader{saver: s, lanes: lanes, room: room}
	f.list.put = s.putPiece
	return f
}

// serveMany reads small files. Of those that wait it opens several, so that the
// system may bring their content from the drive in one go.
func (f *fileReader) serveMany(ctx context.Context, jobs <-chan *item) error {
	var batch []*item
	defer func() {
		for _, it := range batch {
			it.closeAhead()
		}
	}()
	for {
		batch = batch[:0]
		select {
		case it, ok := <-jobs:
			if !ok {
				return nil
			}
			batch = append(batch, it)
		case <-ctx.Done():
			return ctx.Err()
		}
		batch = alsoWaiting(batch, jobs)
		if len(batch) > 1 {
			for _, it := range batch {
				it.openAhead()
			}
		}
		for _, it := range batch {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := f.do(ctx, it); err != nil {
				return err
			}
		}
	}
}

// alsoWaiting completes a batch by what jobs holds already.
func alsoWaiting(batch []*item, jobs <-chan *item) []*item {
	for len(batch) < smallBatch {
		select {
		case it, ok := <-jobs:
			if !ok {
				return batch
			}
			batch = append(batch, it)
		default:
			return batch
		}
	}
	return batch
}

// openAhead opens a file that will be read soon, if that holds up no other. What goes
// wrong comes up again when it is read.
func (it *item) openAhead() {
	if c, ok := it.entry.Content.(sources.Fetcher); ok {
		it.begun = time.Now()
		it.file, _ = c.Fetch()
	}
}

func (it *item) closeAhead() {
	if it.file != nil {
		it.file.Close()
		it.file = nil
	}
}

// serveAny reads what comes first of the three, by preference, until all are
// closed.
func (f *fileReader) serveAny(ctx context.Context, jobs [3]<-chan *item) error {
	for jobs != [3]<-chan *item{} {
		from, it, ok := receive(ctx, jobs)
		switch {
		case from < 0:
			return ctx.Err()
		case !ok:
			jobs[from] = nil
		default:
			if err := f.do(ctx, it); err != nil {
				return err
			}
		}
	}
	return nil
}

// receive is from the first channel that has something, or else from the one that
// has something first. When ctx ends there is none: -1.
func receive(ctx context.Context, jobs [3]<-chan *item) (from int, it *item, ok bool) {
	for from, c := range jobs {
		select {
		case it, ok = <-c:
			return from, it, ok
		default:
		}
	}
	select {
	case it, ok = <-jobs[0]:
		return 0, it, ok
	case it, ok = <-jobs[1]:
		return 1, it, ok
	case it, ok = <-jobs[2]:
		return 2, it, ok
	case <-ctx.Done():
		return -1, nil, false
	}
}

func (f *fileReader) do(ctx context.Context, it *item) error {
	defer close(it.ready)
	return f.read(ctx, it)
}

// readError is what went wrong with the source; every other error is the
// repository's and ends the run.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

// read fills in an item's node. A file that changes meanwhile is read once
// more.
func (f *fileReader) read(ctx context.Context, it *item) error {
	it.node = &Node{Name: baseName(it.entry.Path), Meta: it.entry.Meta}
	f.o.Progress.Current.Store(&it.entry.Path)
	for try := range 2 {
		steady, err := f.once(ctx, it)
		var re readError
		switch {
		case errors.As(err, &re) && errors.Is(err, fs.ErrNotExist) && !f.o.Strict:
			it.node = nil // gone since it was listed
			return nil
		case errors.As(err, &re):
			it.err = re.error
			it.node.State |= Unreadable
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", it.entry.Path, err)
		case steady:
			return nil
		case try == 1:
			it.err = ErrChanged
			it.node.State |= Changed
		}
	}
	return nil
}

// once reads the file from its start. steady is false when it changed under the
// reader.
func (f *fileReader) once(ctx context.Context, it *item) (steady bool, err error) {
	file, started := it.file, it.begun
	if it.file = nil; file == nil {
		started = time.Now()
		if file, err = it.entry.Content.Open(); err != nil {
			return false, readError{err}
		}
	}
	defer file.Close()
	n := it.node
	if n.Content, err = f.content(ctx, file, n.Meta); err != nil {
		return false, err
	}
	after, err := file.Meta()
	if err != nil {
		return false, readError{err}
	}
	if n.Attributes, err = it.entry.Content.Attributes(); err != nil {
		return false, readError{err}
	}
	it.bytes = int64(n.Content.Size())
	steady = it.bytes == after.Size && (sources.Stream(it.entry.Content) || after.MTime == n.Meta.MTime && after.CTime == n.Meta.CTime)
	after.Target = n.Meta.Target
	if after.UID == n.Meta.UID {
		after.User = n.Meta.User
	}
	if after.GID == n.Meta.GID {
		after.Group = n.Meta.Group
	}
	after.Size = it.bytes
	n.Meta = after
	if fresh(after, started) {
		n.State |= Recheck
	}
	return steady, nil
}

// fresh reports whether a file was written so shortly before it was read that
// the clock of its file system may not tell a later write apart: within 100 ms,
// or 2 s where times are whole seconds (FAT).
func fresh(m sources.Meta, read time.Time) bool {
	grain := 100 * time.Millisecond
	if m.MTime.Nsec == 0 && m.CTime.Nsec == 0 {
		grain = 2 * time.Second
	}
	limit := sources.At(read.Add(-grain))
	return m.MTime.Compare(limit) > 0 || m.CTime.Compare(limit) > 0
}

// content cuts and stores what file holds.
func (f *fileReader) content(ctx context.Context, file sources.File, m sources.Meta) (List, error) {
	extents, err := sources.Extents(file)
	if err != nil {
		return List{}, readError{err}
	}
	if extents != nil {
		err = f.sparse(ctx, file, extents, m.Size)
	} else {
		err = f.stream(ctx, source{file})
	}
	if err != nil {
		f.list.finish(inline)
		return List{}, err
	}
	return f.list.finish(inline)
}

// source marks the errors of the file being read.
type source struct{ io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = readError{err}
	}
	return n, err
}

// sparse stores the data between a file's holes.
func (f *fileReader) sparse(ctx context.Context, file sources.File, extents []sources.Extent, size int64) error {
	at := file.(io.ReaderAt)
	var pos int64
	for _, e := range extents {
		if err := f.hole(e.Offset - pos); err != nil {
			return err
		}
		if err := f.stream(ctx, source{io.NewSectionReader(at, e.Offset, e.Length)}); err != nil {
			return err
		}
		pos = e.Offset + e.Length
	}
	return f.hole(size - pos)
}

func (f *fileReader) hole(length int64) error {
	if length <= 0 {
		return nil
	}
	return f.list.addRef(0, Ref{Size: uint64(length)})
}

// stream stores all of r. What fits one small read needs no splitter unless the
// profile cuts it.
func (f *fileReader) stream(ctx context.Context, r io.Reader) error {
	if f.head == nil {
		f.head = make([]byte, f.room)
	}
	n, err := io.ReadFull(r, f.head[:smallFile])
	if n == 0 && err == io.EOF {
		return nil
	}
	whole := err == io.EOF || err == io.ErrUnexpectedEOF
	if err != nil && !whole {
		return err
	}
	head := f.head[:n]
	profile := chunk.Classify(head[:min(n, chunk.HeadSize)])
	if whole && n <= f.sizes(profile).Min {
		return f.put(profile, head)
	}
	if whole {
		r = nil
	}
	return f.cut(ctx, head, r, profile)
}

func (f *fileReader) sizes(p chunk.Profile) chunk.Sizes {
	if p == chunk.Coarse {
		return f.params.Coarse
	}
	return f.params.Fine
}

// cut stores the chunks of head and what follows it.
func (f *fileReader) cut(ctx context.Context, head []byte, r io.Reader, p chunk.Profile) error {
	if f.splitter == nil {
		f.splitter = f.r.Cutter().Split(nil, p)
	}
	f.splitter.Continue(head, r, p)
	for {
		data, err := f.splitter.Next()
		if err == io.EOF {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := f.put(p, data); err != nil {
			return err
		}
	}
}

func (f *fileReader) put(p chunk.Profile, data []byte) error {
	id, _, err := f.lanes[p].Put(data)
	if err != nil {
		return err
	}
	f.o.Progress.Bytes.Add(int64(len(data)))
	return f.list.addRef(0, Ref{ID: id, Size: uint64(len(data))})
}
