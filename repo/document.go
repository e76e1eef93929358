package repo

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/zeebo/blake3"

	"chartkeep/repo/crypt"
)

// DocumentKind says what a document is; each kind has its own folder.
type DocumentKind string

// The kinds of documents.
const (
	Snapshots DocumentKind = "snapshots"
	Damage    DocumentKind = "damage" // blocks that a check found beyond repair
	Checks    DocumentKind = "checks" // when which packs were last read whole
	Bin       DocumentKind = "bin"    // snapshots that were forgotten and can be taken back
	Log       DocumentKind = "log"    // records of what runs did
)

// documentKinds are all of them.
var documentKinds = []DocumentKind{Snapshots, Damage, Checks, Log, Bin}

// sealedAs is the kind that the document's seal is bound to, so that none can be
// passed off as another.
func (k DocumentKind) sealedAs() crypt.Kind {
	switch k {
	case Damage:
		return crypt.Damage
	case Checks:
		return crypt.Checks
	case Log:
		return crypt.Log
	case Bin:
		return crypt.Bin
	}
	return crypt.Snapshot
}

// documentMagic begins every document:
//
//	magic (8) ‖ session (16) ‖ sealed plaintext
//
// The file's name is the BLAKE3 hash of all of it.
var documentMagic = []byte("CHRTDOC\x01")

// documentHead is the length of what stands before the sealed plaintext.
const documentHead = 8 + 16

// DocumentID is a document's name: the BLAKE3 hash of its file, in hex.
type DocumentID string

// Short is the form that people read and type.
func (d DocumentID) Short() string { return string(d[:min(8, len(d))]) }

// ErrDamaged is wrapped by errors that say that stored bytes are not what was
// written.
var ErrDamaged = errors.New("damaged")

// PutDocument seals a document with the session's metadata key and stores it,
// twice. It is durable when PutDocument returns.
func (w *Writer) PutDocument(ctx context.Context, kind DocumentKind, plaintext []byte) (DocumentID, error) {
	<-w.tidied // or this run's own document would be taken for what a dead run left
	s, err := w.session()
	if err != nil {
		return "", err
	}
	id, err := w.r.putDocument(ctx, s, kind, plaintext)
	if err == nil {
		w.ledger.noteFile(path.Join(string(kind), string(id)))
	}
	return id, err
}

func (r *Repository) putDocument(ctx context.Context, s *crypt.Session, kind DocumentKind, plaintext []byte) (DocumentID, error) {
	id := s.ID()
	b := append(append(bytes.Clone(documentMagic), id[:]...), make([]byte, 0, len(plaintext)+crypt.Overhead)...)
	b = s.Seal(b, plaintext, kind.sealedAs())
	sum := blake3.Sum256(b)
	name := DocumentID(hex.EncodeToString(sum[:]))
	return name, putTwins(ctx, r.store, path.Join(string(kind), string(name)), b)
}

// GetDocument returns a document's plaintext, from whichever copy is whole.
func (r *Repository) GetDocument(ctx context.Context, kind DocumentKind, id DocumentID) ([]byte, error) {
	b, err := r.readDocument(ctx, kind, id)
	if err != nil {
		return nil, err
	}
	return r.openDocument(ctx, kind, id, b)
}

// readDocument returns a document's file.
func (r *Repository) readDocument(ctx context.Context, kind DocumentKind, id DocumentID) ([]byte, error) {
	return readTwins(ctx, r.store, path.Join(string(kind), string(id)), func(b []byte) error { return documentWhole(string(id), b) })
}

// openDocument returns the plaintext of a document's file.
func (r *Repository) openDocument(ctx context.Context, kind DocumentKind, id DocumentID, b []byte) ([]byte, error) {
	if len(b) < documentHead || !bytes.Equal(b[:len(documentMagic)], documentMagic) {
		return nil, fmt.Errorf("%s %s: not a document of this format: %w", kind, id.Short(), ErrDamaged)
	}
	s, err := r.session(ctx, crypt.SessionID(b[len(documentMagic):documentHead]))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, id.Short(), err)
	}
	return s.Open(nil, b[documentHead:], kind.sealedAs())
}

// ListDocuments names the documents of a kind, in the order of their names.
// Files of other names in the folder are left out.
func (r *Repository) ListDocuments(ctx context.Context, kind DocumentKind) ([]DocumentID, error) {
	names, err := listTwins(ctx, r.store, string(kind))
	var ids []DocumentID
	for _, n := range names {
		if len(n) == 64 && strings.Trim(n, "0123456789abcdef") == "" {
			ids = append(ids, DocumentID(n))
		}
	}
	return ids, err
}

// RemoveDocument deletes both copies of a document.
func (r *Repository) RemoveDocument(ctx context.Context, kind DocumentKind, id DocumentID) error {
	return removeTwins(ctx, r.store, path.Join(string(kind), string(id)))
}
