package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
)

func TestASavedDatabaseIsReadFileByFile(t *testing.T) {
	ctx := context.Background()
	r := repotest.New(t, repotest.Options{})
	src := newMemSource()
	rows := bytes.Repeat([]byte("1\tSmith\n"), 2<<20)
	src.put("/clinic/database.json", []byte("{}"))
	src.put("/clinic/shop/tables/patient.tsv", rows)
	src.put("/elsewhere/x", []byte("no"))
	s, _ := save(t, r, src, snapshot.SaveOptions{})
	dir, err := snapshot.Lookup(ctx, r, &s.Root, "/clinic")
	if err != nil {
		t.Fatal(err)
	}
	saved := snapshot.Saved(r, dir)
	files, err := saved.Files(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Path)
	}
	if got := strings.Join(names, " "); got != "database.json shop/tables/patient.tsv" || files[1].Size != int64(len(rows)) {
		t.Errorf("the files are %v", files)
	}
	f, err := saved.Open(ctx, "shop/tables/patient.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || !bytes.Equal(b, rows) {
		t.Errorf("%d bytes came back of %d: %v", len(b), len(rows), err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := saved.Open(ctx, "shop/tables/none.tsv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening what is not there: %v", err)
	}
	half, err := saved.Open(ctx, "shop/tables/patient.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(half, make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if err := half.Close(); err != nil { // and nothing goes on behind it
		t.Error(err)
	}
}
