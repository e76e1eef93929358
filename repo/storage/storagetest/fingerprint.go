package storagetest

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"
)

// Fingerprint names what is on the file system: every name, and the bytes and the
// time of every file. Two systems with the same one are the same to every reader.
func (c *CrashFS) Fingerprint() (sum [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := sha256.New()
	c.root.fingerprint(h)
	h.Sum(sum[:0])
	return sum
}

func (n *node) fingerprint(h hash.Hash) {
	var b []byte
	if !n.folder {
		b = binary.BigEndian.AppendUint64(b, uint64(len(n.data)))
		b = binary.BigEndian.AppendUint64(b, uint64(n.mod.UnixNano()))
		h.Write(append(b, 'f'))
		h.Write(n.data)
		return
	}
	h.Write(append(binary.BigEndian.AppendUint64(b, uint64(len(n.names))), 'd'))
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		h.Write(append(binary.BigEndian.AppendUint64(nil, uint64(len(name))), name...))
		n.names[name].fingerprint(h)
	}
}
