package repo

import (
	"cmp"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"chartkeep/repo/crypt"
)

// logCache is the stored form of the local copy of the log: a file beside the
// local index, sealed with a key of its own. It saves reading thousands of small
// files from a slow drive, it lets a key that may not read continue its chain,
// and it remembers records that were taken away.
type logCache struct {
	Records []cachedRecord `cbor:"1,keyasint"`
}

type cachedRecord struct {
	ID    []byte `cbor:"1,keyasint"`
	Plain []byte `cbor:"2,keyasint"`
}

// maxLogCache bounds the file, bytes: the records of some tens of thousands of
// runs.
const maxLogCache = 32 << 20

var errNoCache = errors.New("no folder for local copies")

func (r *Repository) logCacheName() string {
	return filepath.Join(r.options.CacheDir, r.config.ID.String()+".log")
}

func (r *Repository) logCacheBox() *crypt.Box {
	return crypt.NewBox(r.secret.LogCacheKey(), r.config.ID)
}

// loadLogCache returns the stored forms of the records that this computer knows;
// none when the copy is missing or damaged.
func (r *Repository) loadLogCache() map[DocumentID][]byte {
	known := map[DocumentID][]byte{}
	if r.options.CacheDir == "" {
		return known
	}
	info, err := os.Stat(r.logCacheName())
	if err != nil || info.Size() > maxLogCache {
		return known
	}
	sealed, err := os.ReadFile(r.logCacheName())
	if err != nil {
		return known
	}
	plain, err := r.logCacheBox().Open(nil, sealed, crypt.Log)
	var c logCache
	if err != nil || unmarshalCanonical(plain, &c) != nil {
		return known
	}
	for _, rec := range c.Records {
		known[DocumentID(hex.EncodeToString(rec.ID))] = rec.Plain
	}
	return known
}

// saveLogCache joins these records to the local copy, in one step, so that
// another run at most has to read again what it loses by it.
func (r *Repository) saveLogCache(records map[DocumentID][]byte) error {
	if r.options.CacheDir == "" {
		return errNoCache
	}
	all := r.loadLogCache()
	maps.Copy(all, records)
	var c logCache
	for id, plain := range all {
		b, err := hex.DecodeString(string(id))
		if err != nil {
			return err
		}
		c.Records = append(c.Records, cachedRecord{b, plain})
	}
	slices.SortFunc(c.Records, func(a, b cachedRecord) int { return cmp.Compare(string(a.ID), string(b.ID)) })
	plain, err := canonical.Marshal(&c)
	if err != nil || len(plain)+crypt.Overhead > maxLogCache {
		return err
	}
	return replaceFile(r.logCacheName(), r.logCacheBox().Seal(nil, plain, crypt.Log))
}

// replaceFile writes a file of the cache in one step. It need not be durable.
func replaceFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // for its owner only
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
