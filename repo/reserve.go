package repo

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"

	cryptorand "crypto/rand"

	"chartkeep/repo/storage"
)

// The reserve is ballast: a file of noise that takes space as long as there is
// some, and is given up when there is none. Forgetting and pruning free space,
// but they have to write a little first; on a drive without a free byte they
// could not begin.
const reserveName = "reserve"

// The reserve's size is a share of what the packs take, within bounds. What a
// prune writes before it deletes are the index segments that it touches; all
// there are take a 70th of the packs when these hold dumps, and less than a
// thousandth when they hold images.
const (
	reserveShare = 128
	minReserve   = 256 << 10
	maxReserve   = 64 << 20
)

// KeepReserve lays the reserve, or lays it anew when it has become too small for
// the repository. It takes at most an eighth of what is free, and does nothing
// where the store does not know how much that is.
func (r *Repository) KeepReserve(ctx context.Context) error {
	free, _, err := storage.FreeSpace(ctx, r.store)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	want, err := r.reserveWanted(ctx)
	if err != nil {
		return err
	}
	is, err := r.reserveSize(ctx)
	if err != nil || is > 0 && 2*is >= want || uint64(want) > (free+uint64(is))/8 {
		return err
	}
	if _, err := r.GiveUpReserve(ctx); err != nil {
		return err
	}
	err = r.store.Put(ctx, reserveName, noise(want)...)
	if errors.Is(err, fs.ErrExist) { // another run was faster
		return nil
	}
	return err
}

// reserveWanted is the size that the reserve ought to have, bytes.
func (r *Repository) reserveWanted(ctx context.Context) (int64, error) {
	ix, err := r.Index(ctx)
	if err != nil {
		return 0, err
	}
	size := int64(0)
	for info, err := range ix.Packs() {
		if err != nil {
			return 0, err
		}
		size += int64(info.Size)
	}
	return min(max(size/reserveShare, minReserve), maxReserve), nil
}

// reserveSize is the size of the reserve, 0 if there is none.
func (r *Repository) reserveSize(ctx context.Context) (int64, error) {
	f, err := r.store.Open(ctx, reserveName)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return f.Size(), f.Close()
}

// GiveUpReserve frees the reserve's space, and returns how much that is. The
// next run that finds room lays it again.
func (r *Repository) GiveUpReserve(ctx context.Context) (freed int64, err error) {
	if freed, err = r.reserveSize(ctx); err != nil || freed == 0 {
		return 0, err
	}
	err = r.store.Remove(ctx, reserveName)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return freed, err
}

// withReserve does work that needs some space, and once more without the reserve
// if there was none.
func (r *Repository) withReserve(ctx context.Context, work func() error) error {
	err := work()
	if !noSpace(err) {
		return err
	}
	freed, failed := r.GiveUpReserve(ctx)
	if failed != nil || freed == 0 {
		return errors.Join(err, failed)
	}
	return work()
}

func noSpace(err error) bool { return errors.Is(err, storage.ErrNoSpace) }

// noise returns so many bytes that no file system can compress, nor find twice:
// one random MiB, again and again, each time turned by some bytes.
func noise(n int64) (parts [][]byte) {
	var seed [32]byte
	cryptorand.Read(seed[:]) // never fails
	b := make([]byte, min(n, 1<<20))
	rand.NewChaCha8(seed).Read(b)
	for turn := 0; n > 0; turn = (turn + 4099) % len(b) {
		for _, part := range [][]byte{b[turn:], b[:turn]} {
			part = part[:min(int64(len(part)), n)]
			parts, n = append(parts, part), n-int64(len(part))
		}
	}
	return parts
}
