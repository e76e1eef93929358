package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
	"chartkeep/repo/storage"
)

// Options say how a repository is opened. The zero value is usable: an index in
// memory, no warnings.
type Options struct {
	// CacheDir holds the local indexes of all repositories, each in a folder
	// named after the repository's ID. Empty: the index lives in memory.
	CacheDir string
	// Warn is told, in a sentence, what is wrong but does not stop the work.
	Warn func(error)
	// LimitMemory bounds buffers and caches, bytes; 0 means the default.
	LimitMemory int64
}

// Repository is an open repository. Its methods are safe for concurrent use.
type Repository struct {
	store   storage.Store
	config  *Config
	secret  *crypt.Secret
	box     *crypt.Box // for directories and segments
	slot    string     // the key slot that opened it
	hasher  *chunk.Hasher
	cutter  *chunk.Cutter
	options Options
	codec   *pack.Codec

	index     *index.Index
	indexOnce sync.Once
	indexErr  error

	sessionMu sync.Mutex
	sessions  map[crypt.SessionID]*crypt.Session

	damaged atomic.Int64 // blocks that checks found beyond repair
	assumed assumed
	unnamed unnamed

	blocks   blockCache
	mendedMu sync.Mutex
	healed   mendedPack
}

// InitOptions are decided when a repository is made. The zero value means the
// defaults, but for Parity, where 0 means none.
type InitOptions struct {
	Chunking chunk.Params
	Parity   int
	Level    pack.Level
	KDF      crypt.KDF
	Label    string // of the first key slot

	// Like makes a companion of this repository: chunks are cut and named alike
	// in both, whatever Chunking says, so that blocks can be copied between them
	// as they are. All else is its own: ID, key pair, key slots, sessions.
	Like *Repository
}

// Init makes a repository in an empty store, with one owner slot for password.
// A store that already holds a config gives fs.ErrExist.
func Init(ctx context.Context, st storage.Store, password []byte, o InitOptions, open Options) (*Repository, error) {
	if err := vacant(ctx, st); err != nil {
		return nil, err
	}
	secret, err := newSecret(o.Like)
	if err != nil {
		return nil, err
	}
	if o.Like != nil {
		o.Chunking = o.Like.config.Chunking
	}
	if o.Chunking.Algorithm == 0 {
		o.Chunking = chunk.DefaultParams(chunk.Gear)
	}
	if o.Level == 0 {
		o.Level = pack.Fastest
	}
	c := &Config{Version: FormatVersion, ID: newID(), Created: time.Now(), Chunking: o.Chunking, Parity: o.Parity, Level: o.Level}
	r, err := assemble(st, c, secret, open)
	if err != nil {
		return nil, err
	}
	if r.slot, err = r.addPasswordSlot(ctx, password, crypt.Owner, o.Label, o.KDF); err != nil {
		return nil, err
	}
	raw, err := c.encode(secret.ConfigKey())
	if err != nil {
		return nil, err
	}
	// The config comes last: a store without one is no repository yet, and a
	// second Init after a crash finds nothing in its way but a stray slot.
	if err := putTwins(ctx, st, configName, raw); err != nil {
		return nil, fmt.Errorf("write config: %w", err)
	}
	return r, nil
}

func newSecret(like *Repository) (*crypt.Secret, error) {
	if like == nil {
		return crypt.NewSecret()
	}
	return like.secret.Companion()
}

// CompanionOf reports whether chunks have the same IDs in both repositories.
func (r *Repository) CompanionOf(o *Repository) bool { return r.secret.CompanionOf(o.secret) }

// vacant refuses a store in which a repository was begun, or in which packs or
// snapshots without a config show that one has been.
func vacant(ctx context.Context, st storage.Store) error {
	_, _, err := readConfig(ctx, st)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("a repository is there already: %w", fs.ErrExist)
	}
	for _, dir := range []string{"packs", "snapshots"} {
		for info, err := range st.List(ctx, dir) {
			if err != nil {
				return err
			}
			return fmt.Errorf("%s is there, but no config; not a new repository: %w", info.Name, fs.ErrExist)
		}
	}
	return nil
}

// Open opens the repository in st with a password, or with a recovery code
// given in its place. Errors: ErrNoRepository, ErrNewerFormat, ErrPassword.
func Open(ctx context.Context, st storage.Store, password []byte, o Options) (*Repository, error) {
	c, raw, err := readConfig(ctx, st)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoRepository
	}
	if err != nil {
		return nil, err
	}
	secret, slot, err := unlock(ctx, st, c.ID, password)
	if err != nil {
		return nil, err
	}
	if !genuine(raw, secret.ConfigKey()) {
		return nil, errors.New("the config was not written by the owner of this repository: its seal does not match")
	}
	r, err := assemble(st, c, secret, o)
	if err != nil {
		return nil, err
	}
	r.slot = slot
	return r, nil
}

func assemble(st storage.Store, c *Config, secret *crypt.Secret, o Options) (*Repository, error) {
	cutter, err := chunk.NewCutter(c.Chunking, secret.GearKey())
	if err != nil {
		return nil, err
	}
	codec, err := pack.NewCodec(c.Level)
	if err != nil {
		return nil, err
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	r := &Repository{
		store: st, config: c, secret: secret, cutter: cutter, codec: codec, options: o,
		box:      crypt.NewBox(secret.IndexKey(), c.ID),
		hasher:   chunk.NewHasher(secret.ChunkKey()),
		sessions: map[crypt.SessionID]*crypt.Session{},
	}
	r.blocks.limit = blockCacheSize
	return r, nil
}

// Close gives back what the repository holds open. Nothing waits to be written.
func (r *Repository) Close() error {
	if r.index == nil {
		return nil
	}
	return r.index.Close()
}

// Config returns what was decided when the repository was made.
func (r *Repository) Config() Config { return *r.config }

// Store returns the store that the repository lies in.
func (r *Repository) Store() storage.Store { return r.store }

// Cutter cuts streams as this repository wants them cut.
func (r *Repository) Cutter() *chunk.Cutter { return r.cutter }

// CanRead reports whether the open key slot may read what is stored; a writer
// slot may only add.
func (r *Repository) CanRead() bool { return r.secret.Role() == crypt.Owner }

// Lock takes the repository's lock, if the store has one. A shared lock is for
// everything that adds or reads, the exclusive one for deleting.
func (r *Repository) Lock(ctx context.Context, mode storage.LockMode, wait time.Duration) (io.Closer, error) {
	return storage.Lock(ctx, r.store, mode, wait)
}

// LockRun takes the lock that keeps runs of plans in this repository out of each
// other's way (see storage.RunLocker), beside what Lock takes.
func (r *Repository) LockRun(ctx context.Context, wait time.Duration) (io.Closer, error) {
	return storage.LockRun(ctx, r.store, wait)
}

func packName(p index.PackID) string {
	s := p.String()
	return path.Join("packs", s[:2], s)
}
