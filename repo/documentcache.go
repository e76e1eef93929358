package repo

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"chartkeep/repo/crypt"
)

// The local copy of a kind of documents is a file beside the local index. A
// repository that is ten years old has thousands of snapshots, each in a file of
// its own whose session is in another; the copy spares reading them all every
// night. What is there is still decided by the repository: the copy only says
// what a document of a certain name holds, and names are hashes. It is sealed
// with a key that follows from the private one, so that it tells nobody more than
// the repository would.
const (
	// worthCaching is how many documents have to be new for the copy to be
	// written again.
	worthCaching = 32

	maxDocumentCache = 64 << 20
)

// OpenDocuments reads documents, several at a time, and tells each of them to
// take, by its place in ids. Calls overlap.
func (r *Repository) OpenDocuments(ctx context.Context, kind DocumentKind, ids []DocumentID, take func(i int, plain []byte, err error)) error {
	known := r.loadDocuments(kind)
	plains := make([][]byte, len(ids))
	missing := 0
	for i, id := range ids {
		if plains[i] = known[id]; plains[i] == nil {
			missing++
		}
	}
	err := eachSmall(ctx, len(ids), func(i int) (err error) {
		if plains[i] == nil {
			plains[i], err = r.GetDocument(ctx, kind, ids[i])
		}
		take(i, plains[i], err)
		return ctx.Err()
	})
	if err == nil && max(missing, len(known)-len(ids)) >= worthCaching {
		_ = r.saveDocuments(kind, ids, plains) // it saves time, no more
	}
	return err
}

func (r *Repository) documentCacheName(kind DocumentKind) string {
	return filepath.Join(r.options.CacheDir, r.config.ID.String()+"."+string(kind))
}

// documentCacheBox fails for a key that may not read.
func (r *Repository) documentCacheBox() (*crypt.Box, error) {
	if r.options.CacheDir == "" {
		return nil, errNoCache
	}
	key, err := r.secret.OwnerCacheKey()
	if err != nil {
		return nil, err
	}
	return crypt.NewBox(key, r.config.ID), nil
}

// loadDocuments returns the documents that this computer has read before; none
// when the copy is missing or damaged.
func (r *Repository) loadDocuments(kind DocumentKind) map[DocumentID][]byte {
	box, err := r.documentCacheBox()
	if err != nil {
		return nil
	}
	info, err := os.Stat(r.documentCacheName(kind))
	if err != nil || info.Size() > maxDocumentCache {
		return nil
	}
	sealed, err := os.ReadFile(r.documentCacheName(kind))
	if err != nil {
		return nil
	}
	plain, err := box.Open(nil, sealed, kind.sealedAs())
	var c logCache
	if err != nil || unmarshalCanonical(plain, &c) != nil {
		return nil
	}
	known := make(map[DocumentID][]byte, len(c.Records))
	for _, d := range c.Records {
		known[DocumentID(hex.EncodeToString(d.ID))] = d.Plain
	}
	return known
}

// saveDocuments puts those of the documents that could be read into the place of
// the local copy.
func (r *Repository) saveDocuments(kind DocumentKind, ids []DocumentID, plains [][]byte) error {
	box, err := r.documentCacheBox()
	if err != nil {
		return err
	}
	var c logCache
	for i, id := range ids {
		name, err := hex.DecodeString(string(id))
		if err != nil {
			return err
		}
		if plains[i] != nil {
			c.Records = append(c.Records, cachedRecord{name, plains[i]})
		}
	}
	plain, err := canonical.Marshal(&c)
	if err != nil {
		return err
	}
	if len(plain)+crypt.Overhead > maxDocumentCache {
		return errors.New("too many documents for a local copy")
	}
	return replaceFile(r.documentCacheName(kind), box.Seal(nil, plain, kind.sealedAs()))
}
