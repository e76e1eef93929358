package index

import (
	"sync"
	"unsafe"
)

// window is how much of a mapped file becomes resident at one touch: Linux maps the pages around it, too.
const window = 64 << 10

// unmapFirst is the share of the limit that may be resident before memory is given back by unmap, which is quick.
// Where that does not work the files are closed and opened again, which is slow, and only when all of the limit is used.
const unmapFirst = 4

// mapped estimates how much of Badger's mapped files is resident. The system takes that back when it needs the memory,
// but until then it counts as used.
type mapped struct {
	limit int64 // of bytes resident, and of bytes written until the files are opened again

	mu      sync.Mutex
	windows map[uintptr]struct{} // that were read since the last relief, by their addresses
	fresh   int64                // bytes that were written since then
	bytes   int64                // and since the files were opened
	stuck   bool                 // unmap does not work
}

// touch notes that a value was read. Its address is all that is looked at.
func (m *mapped) touch(value []byte) {
	if len(value) < treeValue {
		return
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(value)))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.windows == nil {
		m.windows = make(map[uintptr]struct{})
	}
	for w := first / window; w <= (first+uintptr(len(value)))/window; w++ {
		m.windows[w] = struct{}{}
	}
}

// written notes that a value was written.
func (m *mapped) written(value []byte) {
	m.mu.Lock()
	m.fresh += int64(len(value))
	m.bytes += int64(len(value))
	m.mu.Unlock()
}

// crowded reports whether something is to be done.
func (m *mapped) crowded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over() || m.grown()
}

func (m *mapped) over() bool {
	limit := m.limit
	if !m.stuck {
		limit /= unmapFirst
	}
	return m.fresh+int64(len(m.windows))*window > limit
}

// grown reports whether so much was written that Badger should be closed, whatever is resident: only then it learns
// what of it is garbage.
func (m *mapped) grown() bool { return m.bytes > m.limit }

// relieve has memory given back by unmap if that is enough. It reports whether the files have to be closed and opened
// instead; only the first who finds too much resident has to act.
func (m *mapped) relieve(unmap func() error) (reopen bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.grown():
		m.bytes, reopen = 0, true
	case !m.over():
		return false
	case !m.stuck && unmap() != nil:
		m.stuck = true
		return false // there is still room up to the limit
	case m.stuck:
		m.bytes, reopen = 0, true
	}
	m.fresh = 0
	clear(m.windows)
	return reopen
}
