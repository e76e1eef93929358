package repo

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"github.com/zeebo/blake3"

	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
	"chartkeep/repo/storage"
)

const segmentFolder = "index"

// A segment file is the self-healing container of package pack around one
// sealed run of directories, each with its pack's ID:
//
//	Protect(segmentMagic, seal(directory ‖ directory ‖ …))
//
// Its name is the BLAKE3 hash of the file. Segments are cut at segmentPlain
// bytes of plaintext so that one of them is read in bounded memory.
var segmentMagic = [8]byte{'C', 'H', 'R', 'T', 'S', 'E', 'G', 1}

const (
	segmentPlain   = 2 << 20
	maxSegmentFile = 32 << 20
	segmentParity  = 10 // percent; segments are small and much depends on them
)

// Index returns the index of the repository's chunks, brought up to date with
// the repository's segments the first time it is asked for.
func (r *Repository) Index(ctx context.Context) (*index.Index, error) {
	r.indexOnce.Do(func() {
		r.index = r.openIndex()
		r.indexErr = r.SyncIndex(ctx)
	})
	return r.index, r.indexErr
}

// openIndex opens the local copy; one that is in use by another process, or
// that cannot be made, costs time and not the run.
func (r *Repository) openIndex() *index.Index {
	if r.options.CacheDir == "" {
		return index.NewMemory()
	}
	dir := filepath.Join(r.options.CacheDir, r.config.ID.String())
	ix, err := index.Open(dir, r.secret.CacheKey(), index.Options{MemoryLimit: r.options.LimitMemory})
	if err == nil {
		return ix
	}
	if !errors.Is(err, index.ErrBusy) {
		r.options.Warn(fmt.Errorf("local index: %w; working without it", err))
	}
	return index.NewMemory()
}

// SyncIndex makes the local index hold exactly what the repository's segments
// name. A segment that cannot be read is reported and made good from the packs
// themselves, so that a damaged index never hides data.
func (r *Repository) SyncIndex(ctx context.Context) error {
	known, err := r.index.Segments()
	if err != nil {
		return err
	}
	var broken int
	for file, err := range storage.Names(ctx, r.store, segmentFolder) {
		if err != nil {
			return fmt.Errorf("list segments: %w", err)
		}
		name := path.Base(file)
		if known[name] {
			delete(known, name)
			continue
		}
		if err := r.importSegment(ctx, name); err != nil {
			broken++
			r.options.Warn(fmt.Errorf("index segment %.8s: %w; reading the packs instead. To mend it: chartkeep repair index", name, err))
		}
	}
	if err := r.forgetSegments(known); err != nil {
		return err
	}
	r.unnamed.again()
	if broken > 0 {
		if err := r.seek(ctx); err != nil {
			return err
		}
	}
	return r.loadDamage(ctx)
}

func (r *Repository) forgetSegments(gone map[string]bool) error {
	names := make([]string, 0, len(gone))
	for n := range gone {
		names = append(names, n)
	}
	if len(names) == 0 {
		return nil
	}
	return r.index.Forget(names...)
}

func (r *Repository) importSegment(ctx context.Context, name string) error {
	dirs, _, err := r.readSegment(ctx, name)
	if err != nil {
		return err
	}
	return r.enter(name, dirs)
}

// enter imports a segment that is in the store.
func (r *Repository) enter(name string, dirs []*index.Directory) error {
	r.unnamed.forget(dirs)
	return r.index.Import(name, dirs)
}

// readSegment reads a segment's directories; healed says that the file is
// damaged and its parity mended what was read.
func (r *Repository) readSegment(ctx context.Context, name string) (dirs []*index.Directory, healed bool, err error) {
	b, err := storage.ReadAll(ctx, r.store, path.Join(segmentFolder, name), maxSegmentFile)
	if err != nil {
		return nil, false, unread{err}
	}
	sealed, healed, err := openSegment(name, b)
	if err != nil {
		return nil, healed, err
	}
	plain, err := r.box.Open(nil, sealed, crypt.Index)
	if err != nil {
		return nil, healed, err
	}
	for len(plain) > 0 {
		var d *index.Directory
		if d, plain, err = index.DecodeDirectory(plain, true); err != nil {
			return nil, healed, err
		}
		dirs = append(dirs, d)
	}
	return dirs, healed, nil
}

// unread is an error of the store: what the file holds is not known to be
// damaged.
type unread struct{ error }

func (e unread) Unwrap() error { return e.error }

// openSegment returns what is sealed in a segment's file. A whole file under
// another's name is an error, or the packs that the other one names would be
// forgotten.
func openSegment(name string, file []byte) (sealed []byte, healed bool, err error) {
	sealed, _, err = pack.Unprotect(segmentMagic, file)
	if err != nil {
		return nil, false, err
	}
	if segmentName(file) == name {
		return sealed, false, nil
	}
	return sealed, true, sameName(segmentName(pack.Protect(segmentMagic, sealed, segmentParity)...), name)
}

// segmentName is the BLAKE3 hash of a segment's file.
func segmentName(parts ...[]byte) string {
	h := blake3.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// publish writes segments that name these packs, and imports them. The packs
// must be durable.
func (r *Repository) publish(ctx context.Context, dirs []*index.Directory) error {
	for len(dirs) > 0 {
		var plain []byte
		n := 0
		for n < len(dirs) && (n == 0 || len(plain) < segmentPlain) {
			plain = index.AppendDirectory(plain, dirs[n], true)
			n++
		}
		if _, err := r.publishSegment(ctx, plain, dirs[:n]); err != nil {
			return err
		}
		dirs = dirs[n:]
	}
	return nil
}

// publishKnown is publish for packs whose directories the index has. They are
// fetched segment by segment: those of 64 packs can take 150 MB. Who wants to
// know the segments' names is told them.
func (r *Repository) publishKnown(ctx context.Context, packs []index.PackID, told func(name string)) error {
	for len(packs) > 0 {
		var plain []byte
		var dirs []*index.Directory
		for len(packs) > 0 && len(plain) < segmentPlain {
			d, err := r.index.Directory(packs[0])
			if err != nil {
				return err
			}
			if len(plain) > 0 && len(plain)+d.Encoded() > segmentPlain {
				break
			}
			plain = slices.Grow(plain, d.Encoded())
			plain = index.AppendDirectory(plain, d, true)
			dirs, packs = append(dirs, d), packs[1:]
		}
		name, err := r.publishSegment(ctx, plain, dirs)
		if name != "" {
			told(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// publishSegment writes one segment and imports it. It returns the segment's name
// once it is stored.
func (r *Repository) publishSegment(ctx context.Context, plain []byte, dirs []*index.Directory) (name string, err error) {
	if name, err = r.putSegment(ctx, plain); err != nil {
		return "", err
	}
	return name, r.enter(name, dirs)
}

func (r *Repository) putSegment(ctx context.Context, plain []byte) (name string, err error) {
	parts := pack.Protect(segmentMagic, r.box.Seal(nil, plain, crypt.Index), segmentParity)
	name = segmentName(parts...)
	if err := r.store.Put(ctx, path.Join(segmentFolder, name), parts...); err != nil {
		return "", fmt.Errorf("publish index segment: %w", err)
	}
	return name, nil
}

// packBox seals what a pack says about itself.
type packBox struct{ *crypt.Box }

func (b packBox) SealDirectory(dst, plain []byte) []byte { return b.Seal(dst, plain, crypt.Directory) }
func (b packBox) SealLocator(dst, plain []byte) []byte   { return b.Seal(dst, plain, crypt.Locator) }
func (b packBox) OpenDirectory(dst, sealed []byte) ([]byte, error) {
	return b.Open(dst, sealed, crypt.Directory)
}
func (b packBox) OpenLocator(dst, sealed []byte) ([]byte, error) {
	return b.Open(dst, sealed, crypt.Locator)
}

// ReadDirectory reads a pack's own directory, mending it from parity in memory
// when it must.
func (r *Repository) ReadDirectory(ctx context.Context, p index.PackID) (*index.Directory, error) {
	f, err := r.store.Open(ctx, packName(p))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return pack.ReadDirectory(f, f.Size(), p, packBox{r.box})
}
