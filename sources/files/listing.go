package files

import (
	"bytes"
	"slices"
	"sort"
)

// A listing is the names in a folder in 16 bytes each and the names themselves.
type listing struct {
	bytes []byte
	names []name
}

type name struct {
	inode  uint64
	offset uint32
	length uint32
}

func (l *listing) reset() {
	l.bytes, l.names = l.bytes[:0], l.names[:0]
}

func (l *listing) len() int { return len(l.names) }

// add appends a name. Names together are below 4 GiB: a folder of more than
// ten million of the longest names is refused.
func (l *listing) add(b []byte, inode uint64) bool {
	if len(l.bytes)+len(b) > 1<<32-1 {
		return false
	}
	l.names = append(l.names, name{inode, uint32(len(l.bytes)), uint32(len(b))})
	l.bytes = append(l.bytes, b...)
	return true
}

func (l *listing) at(i int) []byte {
	n := l.names[i]
	return l.bytes[n.offset : n.offset+n.length]
}

func (l *listing) sort() {
	slices.SortFunc(l.names, func(a, b name) int {
		return bytes.Compare(l.bytes[a.offset:a.offset+a.length], l.bytes[b.offset:b.offset+b.length])
	})
}

// find returns the place of a name in a sorted listing.
func (l *listing) find(s string) (int, bool) {
	return sort.Find(len(l.names), func(i int) int {
		return bytes.Compare([]byte(s), l.at(i))
	})
}

// keep drops all names but the i-th.
func (l *listing) keep(i int) {
	l.names[0] = l.names[i]
	l.names = l.names[:1]
}
