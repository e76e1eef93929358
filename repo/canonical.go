package repo

import (
	"bytes"
	"errors"

	"github.com/fxamacker/cbor/v2"
)

// canonical is the one encoding of everything that is CBOR in a repository:
// RFC 8949, 4.2.1 (core deterministic).
var canonical = must(cbor.CoreDetEncOptions().EncMode())

var strict = must(cbor.DecOptions{
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
	IndefLength:       cbor.IndefLengthForbidden,
	ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	MaxNestedLevels:   16,
	UTF8:              cbor.UTF8RejectInvalid,
}.DecMode())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// unmarshalCanonical decodes b into v and refuses every encoding but the one
// that canonical makes, so that equal things have equal bytes.
func unmarshalCanonical(b []byte, v any) error {
	if err := strict.Unmarshal(b, v); err != nil {
		return err
	}
	again, err := canonical.Marshal(v)
	if err == nil && !bytes.Equal(again, b) {
		err = errors.New("not in canonical form")
	}
	return err
}
