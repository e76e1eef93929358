package chunk

import (
	"encoding/hex"
	"fmt"
)

// ID names a chunk: the keyed BLAKE3 hash of its plaintext. The zero ID names
// nothing.
type ID [32]byte

// ParseID reads what String wrote: 64 lower-case hexadecimal digits.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != hex.EncodedLen(len(id)) {
		return ID{}, fmt.Errorf("parse chunk ID: %d characters instead of %d", len(s), hex.EncodedLen(len(id)))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("parse chunk ID: %w", err)
	}
	if id.String() != s {
		return ID{}, fmt.Errorf("parse chunk ID: %q is not in lower case", s)
	}
	return id, nil
}

// String gives the ID in lower-case hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero says whether the ID names nothing.
func (id ID) IsZero() bool { return id == ID{} }
