package repo

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/zeebo/blake3"

	"chartkeep/chunk"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
	"chartkeep/repo/storage"
)

// FormatVersion is the version of the repository format that this package
// reads and writes.
const FormatVersion = 1

const configName = "config"

// configMagic is the first bytes of a config file:
//
//	magic (8) ‖ BLAKE3 of what follows, first 16 bytes ‖ body (CBOR) ‖ MAC of the body (32)
//
// The hash tells a whole copy from a damaged one before any key is known; the
// MAC, made with a key from the repository secret, tells a genuine one from a
// forged one after that.
var configMagic = []byte("CHRTKEEP")

// Errors that a caller tells apart.
var (
	ErrNoRepository = errors.New("no repository there")
	ErrNewerFormat  = errors.New("written by a newer version of chartkeep")
	ErrPassword     = crypt.ErrPassword
)

// ID names a repository: 16 random bytes.
type ID [16]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Config is what is decided once, when a repository is made.
type Config struct {
	Version  int
	ID       ID
	Created  time.Time
	Chunking chunk.Params
	Parity   int        // percent of a pack's length, 0 to 25
	Level    pack.Level // for runs that do not choose one
}

// configBody is the stored form; its numbers are for ever.
type configBody struct {
	Version   int       `cbor:"1,keyasint"`
	ID        []byte    `cbor:"2,keyasint"`
	Created   int64     `cbor:"3,keyasint"` // Unix seconds
	Algorithm uint8     `cbor:"4,keyasint"`
	Fine      [3]uint32 `cbor:"5,keyasint"` // min, average, max, bytes
	Coarse    [3]uint32 `cbor:"6,keyasint"`
	Parity    int       `cbor:"7,keyasint"`
	Level     uint8     `cbor:"8,keyasint"`
}

func sizesBody(s chunk.Sizes) [3]uint32 {
	return [3]uint32{uint32(s.Min), uint32(s.Avg), uint32(s.Max)}
}

func bodySizes(b [3]uint32) chunk.Sizes {
	return chunk.Sizes{Min: int(b[0]), Avg: int(b[1]), Max: int(b[2])}
}

// encode returns the file's content. The key is the secret's config key.
func (c *Config) encode(key [32]byte) ([]byte, error) {
	body, err := canonical.Marshal(configBody{
		Version: c.Version, ID: c.ID[:], Created: c.Created.Unix(),
		Algorithm: uint8(c.Chunking.Algorithm), Fine: sizesBody(c.Chunking.Fine), Coarse: sizesBody(c.Chunking.Coarse),
		Parity: c.Parity, Level: uint8(c.Level),
	})
	if err != nil {
		return nil, err
	}
	mac := crypt.MAC(key, body)
	sealed := append(body, mac[:]...)
	sum := blake3.Sum256(sealed)
	return bytes.Join([][]byte{configMagic, sum[:16], sealed}, nil), nil
}

// decodeConfig checks everything but the MAC, which wants a key: see genuine.
func decodeConfig(b []byte) (*Config, error) {
	const head, mac = 8 + 16, 32
	if len(b) < head+mac || !bytes.Equal(b[:8], configMagic) {
		return nil, errors.New("not a chartkeep config")
	}
	if sum := blake3.Sum256(b[head:]); !bytes.Equal(sum[:16], b[8:head]) {
		return nil, errors.New("config is damaged")
	}
	raw := b[head : len(b)-mac]
	var version struct {
		Version int `cbor:"1,keyasint"`
	}
	if err := cbor.Unmarshal(raw, &version); err != nil {
		return nil, fmt.Errorf("decode config: %w", err)
	}
	if version.Version > FormatVersion {
		return nil, fmt.Errorf("format version %d: %w", version.Version, ErrNewerFormat)
	}
	return decodeConfigBody(raw)
}

func decodeConfigBody(raw []byte) (*Config, error) {
	var body configBody
	if err := unmarshalCanonical(raw, &body); err != nil {
		return nil, fmt.Errorf("decode config: %w", err)
	}
	c := &Config{
		Version: body.Version, Created: time.Unix(body.Created, 0), Parity: body.Parity, Level: pack.Level(body.Level),
		Chunking: chunk.Params{Algorithm: chunk.Algorithm(body.Algorithm), Fine: bodySizes(body.Fine), Coarse: bodySizes(body.Coarse)},
	}
	if len(body.ID) != len(c.ID) || c.Version < 1 || c.Parity < 0 || c.Parity > 25 {
		return nil, errors.New("decode config: a value is out of bounds")
	}
	copy(c.ID[:], body.ID)
	return c, c.Chunking.Validate()
}

// genuine reports whether the file's MAC was made with this key.
func genuine(b []byte, key [32]byte) bool {
	want := crypt.MAC(key, b[8+16:len(b)-32])
	return subtle.ConstantTimeCompare(want[:], b[len(b)-32:]) == 1
}

func readConfig(ctx context.Context, st storage.Store) (c *Config, raw []byte, err error) {
	raw, err = readTwins(ctx, st, configName, func(b []byte) error {
		c, err = decodeConfig(b)
		return err
	})
	return c, raw, err
}

// Identify returns the ID of the repository in st, without a key and therefore
// without proof. Errors: ErrNoRepository, ErrNewerFormat.
func Identify(ctx context.Context, st storage.Store) (ID, error) {
	c, _, err := readConfig(ctx, st)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ID{}, fmt.Errorf("%w (%w)", ErrNoRepository, err)
	case err != nil:
		return ID{}, err
	}
	return c.ID, nil
}

func newID() (id ID) {
	rand.Read(id[:])
	return id
}
