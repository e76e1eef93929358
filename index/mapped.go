package index

import (
	"sync"
	"unsafe"
)

// window is how much of a mapped file becomes resident at one touch: Linux maps the pages around it, too.
const window = 64 << 10

// mapped estimates how much of Badger's mapped files is resident. The system takes that back when it needs the memory,
// but until then it counts as used.
type mapped struct {
	limit int64

	mu      sync.Mutex
	windows map[uintptr]struct{} // that were read, by their addresses
	bytes   int64                // that were written
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
	m.bytes += int64(len(value))
	m.mu.Unlock()
}

// crowded reports whether the limit is exceeded.
func (m *mapped) crowded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over()
}

func (m *mapped) over() bool { return m.bytes+int64(len(m.windows))*window > m.limit }

// reset forgets everything, because the files were unmapped. It reports whether the limit was exceeded:
// only the first who finds that has to act.
func (m *mapped) reset() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.over() {
		return false
	}
	m.bytes = 0
	clear(m.windows)
	return true
}
