package repo_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
)

// companions are two of a kind, with different settings and passwords.
func companions(t *testing.T, damaged bool) (a, b *repo.Repository) {
	t.Helper()
	a = repotest.New(t, repotest.Options{Init: repo.InitOptions{Chunking: chunk.DefaultParams(chunk.Rabin), Parity: 3}})
	b = repotest.New(t, repotest.Options{Damaged: damaged, Init: repo.InitOptions{Like: a, Parity: 10, Level: pack.Best}})
	return a, b
}

// keep stores texts as chunks, and a document.
func keep(t *testing.T, r *repo.Repository, texts ...string) (ids []chunk.ID, doc repo.DocumentID) {
	t.Helper()
	w := writer(t, r)
	lane := w.Lane(index.Data)
	for _, text := range texts {
		id, _, err := lane.Put([]byte(text))
		must(t, err)
		ids = append(ids, id)
	}
	must(t, w.Flush())
	doc, err := w.PutDocument(t.Context(), repo.Snapshots, []byte("of "+strings.Join(texts, ", ")))
	must(t, err)
	return ids, doc
}

func TestACompanionNamesChunksAlikeAndIsARepositoryOfItsOwn(t *testing.T) {
	a, b := companions(t, false)
	other := repotest.New(t, repotest.Options{})
	if !b.CompanionOf(a) || !a.CompanionOf(b) || other.CompanionOf(a) {
		t.Error("who is whose companion is not told")
	}
	data := []byte("tooth 14, distal")
	if a.Hash(data) != b.Hash(data) || a.Hash(data) == other.Hash(data) {
		t.Error("companions name chunks alike, and nobody else does")
	}
	if a.Config().ID == b.Config().ID || b.Config().Chunking != a.Config().Chunking || b.Config().Parity != 10 {
		t.Errorf("%+v is like %+v", b.Config(), a.Config())
	}
	again := repotest.Reopen(t, b, repo.Options{})
	if !again.CompanionOf(a) || !again.CanRead() {
		t.Error("opened again it is a companion no more")
	}
}

// Whoever passes files of one companion off as the other's, gets nowhere: the
// derived keys are the same, but all that is sealed is bound to its repository.
func TestNoFilePassesFromACompanionToTheOther(t *testing.T) {
	ctx := t.Context()
	a, b := companions(t, true)
	ids, doc := keep(t, a, "from a")
	keep(t, b, "from b")

	for _, folder := range []string{"packs", "index", "sessions", "snapshots"} {
		copyFiles(t, a.Store(), b.Store(), folder)
	}
	b = repotest.Reopen(t, b, repo.Options{})
	if data, err := b.Load(ctx, ids[0]); err == nil {
		t.Errorf("b reads %q out of a's pack", data)
	}
	if data, err := b.GetDocument(ctx, repo.Snapshots, doc); err == nil {
		t.Errorf("b reads a's document %q", data)
	}
	for info, err := range a.Store().List(ctx, "packs") {
		must(t, err)
		id, err := index.ParsePackID(path.Base(info.Name))
		must(t, err)
		if _, err := b.ReadDirectory(ctx, id); err == nil {
			t.Error("b reads the directory of a's pack")
		}
	}
	if faults := repotest.Check(t, b); len(faults) == 0 {
		t.Error("the check of b finds nothing wrong with a's files")
	}

	// Even the config: its MAC is right, but b's slots belong to b.
	swapped := mem.New()
	copyFiles(t, b.Store(), swapped, "")
	must(t, swapped.Remove(ctx, "config"))
	must(t, swapped.Remove(ctx, "copies/config"))
	copyFiles(t, a.Store(), swapped, "config")
	if _, err := repo.Open(ctx, swapped, repotest.Password, repo.Options{}); err == nil || !strings.Contains(err.Error(), "belongs to repository") {
		t.Errorf("b opens under a's config: %v", err)
	}
}

// copyFiles copies what begins so, and its twin.
func copyFiles(t *testing.T, from, to storage.Store, prefix string) {
	t.Helper()
	for info, err := range from.List(context.Background(), "") {
		must(t, err)
		if !strings.HasPrefix(strings.TrimPrefix(info.Name, "copies/"), prefix) {
			continue
		}
		b, err := storage.ReadAll(context.Background(), from, info.Name, 64<<20)
		must(t, err)
		must(t, to.Put(context.Background(), info.Name, b))
	}
}

func TestAWriterOfACompanionReadsNothing(t *testing.T) {
	ctx := t.Context()
	a, b := companions(t, false)
	_, err := b.AddPassword(ctx, []byte("the nightly run"), crypt.Writer, "")
	must(t, err)
	w, err := repo.Open(ctx, b.Store(), []byte("the nightly run"), repo.Options{})
	must(t, err)
	defer w.Close()
	ids, _ := keep(t, a, "a letter")
	if _, err := w.Load(ctx, ids[0]); err == nil {
		t.Error("it reads")
	}
}

func TestAWholeBlockGoesToACompanionAsItIs(t *testing.T) {
	ctx := t.Context()
	a, b := companions(t, false)
	text := strings.Repeat("all teeth present and correct. ", 300)
	noise := make([]byte, 9000)
	rand.NewChaCha8([32]byte{7}).Read(noise)
	ids, _ := keep(t, a, text[:5000], text[1:6000], text[2:7000])
	more, _ := keep(t, a, string(noise))
	ids = append(ids, more...)

	w := writer(t, b)
	whole := 0
	ix, err := a.Index(ctx)
	must(t, err)
	for info, err := range ix.Packs() {
		must(t, err)
		d, err := ix.Directory(info.ID)
		must(t, err)
		for _, blk := range d.Blocks {
			must(t, a.ReadPack(ctx, info.ID, piecesOf(blk), func(got repo.Delivery) error {
				if got.Err != nil || got.Whole == nil {
					t.Fatalf("%v, whole %v", got.Err, got.Whole)
				}
				whole++
				return w.PutBlock(d.Class, blk.Chunks, *got.Whole)
			}))
		}
	}
	must(t, w.Flush())
	if plain, sealed := w.Added(); whole != 2 || plain != 5000+5999+6998+9000 || sealed < 9000 || sealed > 12000 {
		t.Errorf("%d blocks, %d bytes took %d", whole, plain, sealed)
	}
	for _, id := range ids {
		want, err := a.Load(ctx, id)
		must(t, err)
		got, err := b.Load(ctx, id)
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Error("another content arrived")
		}
	}
}

func piecesOf(b index.Block) (pieces []repo.Piece) {
	offset := uint32(0)
	for _, c := range b.Chunks {
		pieces = append(pieces, repo.Piece{Block: b.Offset, Offset: offset, Length: c.Length})
		offset += c.Length
	}
	return pieces
}

func TestAPartOfABlockIsNotDeliveredAsAWholeOne(t *testing.T) {
	ctx := t.Context()
	a, _ := companions(t, false)
	keep(t, a, "one", "two", "three")
	ix, err := a.Index(ctx)
	must(t, err)
	for info, err := range ix.Packs() {
		must(t, err)
		d, err := ix.Directory(info.ID)
		must(t, err)
		must(t, a.ReadPack(ctx, info.ID, piecesOf(d.Blocks[0])[1:], func(got repo.Delivery) error {
			if got.Whole != nil || string(got.Data) != "twothree" {
				t.Errorf("%q, whole %v", got.Data, got.Whole)
			}
			return nil
		}))
	}
}

// A process that lives on after a run that failed stores anew what that run
// could not store, whatever stage it had come to.
func TestWhatAFailedRunDidNotStoreCanBeStoredByTheNextOne(t *testing.T) {
	for stage, n := range map[string]int{"in a lane": 1, "in blocks": 40, "in packs": 120} {
		t.Run(stage, func(t *testing.T) {
			full := errors.New("full")
			st := storagetest.NewFaulty(mem.New())
			r := repotest.New(t, repotest.Options{Store: st})
			st.Fail(storagetest.Fault{Op: storagetest.Put, Name: "packs/*/*", Forever: true, Err: full})
			w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
			must(t, err)
			lane := w.Lane(index.Data)
			chunks := map[chunk.ID][]byte{}
			rng := rand.NewChaCha8([32]byte{3})
			for range n {
				data := make([]byte, 400<<10)
				rng.Read(data)
				id := r.Hash(data)
				chunks[id] = data
				if _, _, err := lane.Put(data); err != nil && !errors.Is(err, full) {
					t.Fatal(err)
				}
			}
			if n > 1 {
				if err := w.Flush(); !errors.Is(err, full) {
					t.Errorf("flush: %v", err)
				}
			}
			w.Abort()
			st.Heal()

			w = writer(t, r)
			lane = w.Lane(index.Data)
			for data := range maps.Values(chunks) {
				_, fresh, err := lane.Put(data)
				must(t, err)
				if !fresh {
					t.Fatal("the failed run still claims what it did not store")
				}
			}
			must(t, w.Flush())
		})
	}
}
