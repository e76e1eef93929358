package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

func TestStreamWritesEveryFileInOrder(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := practice()
	dump := func() { // changes a little everywhere, so that it lies in pieces
		data := bytes.Clone(src.files["/srv/dump.sql"].data)
		for at := 1000; at < len(data); at += 400_000 {
			copy(data[at:], "CHANGED"+string(data[at+1:at+9]))
		}
		src.put("/srv/dump.sql", data)
	}
	all := nights(t, r, src, dump)
	last := all[len(all)-1]
	got := map[string]*bytes.Buffer{}
	var order []string
	var into io.Writer
	out := writerFunc(func(p []byte) (int, error) { return into.Write(p) })
	err := snapshot.Stream(context.Background(), r, snapshot.Entries(context.Background(), r, &last.Root, "/"), func(e snapshot.Entry) error {
		order = append(order, e.Path)
		got[e.Path] = &bytes.Buffer{}
		into = got[e.Path]
		return nil
	}, out)
	if err != nil {
		t.Fatal(err)
	}
	for p, f := range src.files {
		if got[p] == nil || !bytes.Equal(got[p].Bytes(), f.data) {
			t.Errorf("%s came out otherwise", p)
		}
	}
	if want := walked(t, r, &last.Root, "/", func(string, error) error { return nil }); !slices.Equal(order, want) {
		t.Error("the order is not that of a walk")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func one(n *snapshot.Node) iter.Seq2[snapshot.Entry, error] {
	return func(yield func(snapshot.Entry, error) bool) { yield(snapshot.Entry{Path: "/f", Node: n}, nil) }
}

func streamed(r *repo.Repository, n *snapshot.Node) ([]byte, error) {
	var out bytes.Buffer
	err := snapshot.Stream(context.Background(), r, one(n), func(snapshot.Entry) error { return nil }, &out)
	return out.Bytes(), err
}

func TestStreamFillsHolesWithZeros(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, small("/f"), snapshot.SaveOptions{})
	data := lookup(t, r, s, "/f").Content.Refs[0]
	n := &snapshot.Node{Name: "f", Meta: sources.Meta{Kind: sources.Regular}}
	n.Content.Refs = []snapshot.Ref{{Size: 70_000}, data, {Size: 5}, data, data, {Size: 1}}
	text := "content of /f"
	want := strings.Repeat("\x00", 70_000) + text + strings.Repeat("\x00", 5) + text + text + "\x00"
	got, err := streamed(r, n)
	if err != nil || string(got) != want {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
}

func TestStreamStopsAtWhatCannotBeRead(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, small("/f"), snapshot.SaveOptions{})
	n := lookup(t, r, s, "/f")
	n.Content.Refs = append(n.Content.Refs, snapshot.Ref{ID: chunk.ID{1, 2, 3}, Size: 100})
	_, err := streamed(r, n)
	var missing *repo.ChunkError
	if !errors.As(err, &missing) || !strings.HasPrefix(err.Error(), "/f: ") {
		t.Errorf("got %v", err)
	}
	full := errors.New("the pipe is closed")
	err = snapshot.Stream(context.Background(), r, one(lookup(t, r, s, "/f")), func(snapshot.Entry) error { return full }, io.Discard)
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func TestMeasureCountsWhatSnapshotsShareOnce(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := practice()
	all := nights(t, r, src, func() { src.put("/srv/new", noise(9, 1<<20)) })
	ctx := context.Background()
	first, err := snapshot.Measure(ctx, r, all[:1])
	if err != nil {
		t.Fatal(err)
	}
	both, err := snapshot.Measure(ctx, r, all)
	if err != nil {
		t.Fatal(err)
	}
	if added := both.Plain - first.Plain; added < 1<<20 || added > 1<<20+100_000 {
		t.Errorf("a file of 1 MiB adds %d bytes", added)
	}
	if first.Plain < 12<<20 || first.Sealed > first.Plain || both.Snapshots != 2 || both.Lost != 0 {
		t.Errorf("first night %+v, both %+v", first, both)
	}
	if again, err := snapshot.Measure(ctx, r, all[1:]); err != nil || again.Restored >= both.Restored {
		t.Errorf("%+v, %v", again, err)
	}
}
