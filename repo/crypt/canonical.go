package crypt

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/zeebo/blake3"
)

// version is the format version that every key, seal and file here is bound to.
const version = 1

const (
	magicSize    = 8
	checksumSize = 16
	headSize     = magicSize + checksumSize
	maxFileSize  = 64 << 10 // bytes; the largest real file is under 2 KiB
)

var canonical = must(cbor.CoreDetEncOptions().EncMode())

var strict = must(cbor.DecOptions{
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
	IndefLength:       cbor.IndefLengthForbidden,
	TagsMd:            cbor.TagsForbidden,
	ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	MaxNestedLevels:   4,
	MaxArrayElements:  16,
	MaxMapPairs:       16,
	UTF8:              cbor.UTF8RejectInvalid,
}.DecMode())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// encode returns the canonical CBOR of v, one of this package's own structs,
// none of which can fail to encode.
func encode(v any) []byte { return must(canonical.Marshal(v)) }

// decode is the inverse of encode; it refuses every encoding that encode would
// not have made.
func decode(b []byte, v any) error {
	if err := strict.Unmarshal(b, v); err != nil {
		return err
	}
	if !bytes.Equal(encode(v), b) {
		return errors.New("not in canonical form")
	}
	return nil
}

// enclose returns magic ‖ checksum ‖ body. The checksum is no protection
// against malice: it tells a whole copy of a file from a rotten one before any
// key is known, so that bit rot is not taken for a wrong password.
func enclose(magic string, body []byte) []byte {
	sum := blake3.Sum256(body)
	return bytes.Join([][]byte{[]byte(magic), sum[:checksumSize], body}, nil)
}

// disclose returns the body of a file that enclose made, of which the last tail
// bytes are not part.
func disclose(magic string, file []byte, tail int) (body []byte, err error) {
	switch {
	case len(file) > maxFileSize:
		return nil, fmt.Errorf("%d bytes are too many", len(file))
	case len(file) < headSize+tail:
		return nil, errors.New("too short")
	case string(file[:magicSize]) != magic:
		return nil, errors.New("wrong magic")
	}
	body = file[headSize : len(file)-tail]
	if sum := blake3.Sum256(body); !bytes.Equal(sum[:checksumSize], file[magicSize:headSize]) {
		return nil, errors.New("damaged: the checksum differs")
	}
	return body, nil
}
