package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// A verdict is what becomes of a file whose bytes differ.
type verdict struct {
	differs string // in what; empty: it says the same
	unsure  bool   // another version of the server may be the reason
}

// compare reads what was loaded and compares it with the snapshot.
func (d *drill) compare(ctx context.Context, e engine, t *trial) error {
	saved, err := contents(ctx, d.r, t.node)
	if err != nil {
		return err
	}
	again, err := d.reread(ctx, e, t.name)
	if err != nil {
		return fmt.Errorf("it could not be read again: %w", err)
	}
	differs, unsure, err := again.against(ctx, e, t.saved, saved)
	if err != nil {
		return err
	}
	counted, err := e.count(again.facts)
	t.s.Files = int64(len(saved))
	differs = append(differs, counted...)
	switch {
	case len(differs) > 0:
		return &difference{differs}
	case err != nil:
		return err
	case len(unsure) > 0:
		return fmt.Errorf("its rows came back; the server here is of another version, so this could not be compared: %s", few(unsure))
	}
	return nil
}

// contents are the IDs of the files' contents, by path below dir.
func contents(ctx context.Context, r *repo.Repository, dir *snapshot.Node) (map[string]string, error) {
	all := map[string]string{}
	err := snapshot.Walk(ctx, r, dir, "", func(p string, n *snapshot.Node, err error) error {
		if err == nil && n.Meta.Kind == sources.Regular {
			all[strings.TrimPrefix(p, "/")] = snapshot.ContentID(n)
		}
		return err
	})
	return all, err
}

// A reading is what a source yielded.
type reading struct {
	contents map[string]string
	texts    map[string][]byte // of those files that are compared by what they say
	facts    map[string]string
}

// reread reads the scratch server's databases as a backup does. Chunks are cut
// and hashed, and nothing is stored.
func (d *drill) reread(ctx context.Context, e engine, name string) (*reading, error) {
	source, err := e.reader()
	if err != nil {
		return nil, err
	}
	w, err := d.r.NewWriter(ctx, repo.WriterOptions{DryRun: true})
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	below := "/" + name + "/"
	got := &reading{contents: map[string]string{}}
	tee := &keeper{Source: source, wants: func(p string) bool { return e.texts(strings.TrimPrefix(p, below)) }, kept: map[string]*bytes.Buffer{}}
	var problems []error
	_, _, err = snapshot.SaveApart(ctx, d.r, w, tee, snapshot.SaveOptions{
		Force:   true,
		Problem: func(p string, err error) { problems = append(problems, fmt.Errorf("%s: %w", p, err)) },
		Item: func(p string, _ snapshot.Change, n *snapshot.Node) {
			if rel, ok := strings.CutPrefix(p, below); ok && n != nil && n.Meta.Kind == sources.Regular {
				got.contents[rel] = snapshot.ContentID(n)
			}
		},
	})
	facts, ended := source.End(ctx)
	got.facts, got.texts = facts, tee.texts(below)
	return got, errors.Join(err, ended, errors.Join(problems...))
}

// against compares file by file.
func (g *reading) against(ctx context.Context, e engine, from sources.Restorable, saved map[string]string) (differs, unsure []string, err error) {
	for _, p := range slices.Sorted(maps.Keys(saved)) {
		id, there := g.contents[p]
		switch {
		case !there:
			differs = append(differs, p+" is missing")
			continue
		case id == saved[p]:
			continue
		}
		var was []byte
		if e.texts(p) {
			if was, err = readAll(ctx, from, p); err != nil {
				return nil, nil, err
			}
		}
		switch v := e.judge(ctx, p, was, g.texts[p]); {
		case v.differs == "":
		case v.unsure:
			unsure = append(unsure, p+": "+v.differs)
		default:
			differs = append(differs, p+": "+v.differs)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(g.contents)) {
		if _, there := saved[p]; !there {
			differs = append(differs, p+" was not saved, and is there")
		}
	}
	return differs, unsure, nil
}

func readAll(ctx context.Context, from sources.Restorable, p string) ([]byte, error) {
	f, err := from.Open(ctx, p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// A keeper is a source that keeps a copy of some of what is read from it.
type keeper struct {
	sources.Source
	wants func(p string) bool

	mu   sync.Mutex
	kept map[string]*bytes.Buffer
}

func (k *keeper) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		for e := range k.Source.Entries(ctx) {
			if e.Content != nil && k.wants(e.Path) {
				e.Content = k.content(e)
			}
			if !yield(e) {
				return
			}
		}
	}
}

func (k *keeper) content(e sources.Entry) sources.Content {
	c := keptContent{e.Content, k, e.Path}
	if sources.Stream(e.Content) {
		return keptStream{c}
	}
	return c
}

func (k *keeper) texts(below string) map[string][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := map[string][]byte{}
	for p, b := range k.kept {
		all[strings.TrimPrefix(p, below)] = b.Bytes()
	}
	return all
}

type keptContent struct {
	sources.Content
	k    *keeper
	path string
}

type keptStream struct{ keptContent }

// Streamed implements sources.Streamed.
func (keptStream) Streamed() {}

// Open begins the copy anew: a content may be read a second time.
func (c keptContent) Open() (sources.File, error) {
	f, err := c.Content.Open()
	if err != nil {
		return nil, err
	}
	b := new(bytes.Buffer)
	c.k.mu.Lock()
	defer c.k.mu.Unlock()
	c.k.kept[c.path] = b
	return keptFile{f, b}, nil
}

type keptFile struct {
	sources.File
	b *bytes.Buffer
}

func (f keptFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.b.Write(p[:n])
	return n, err
}
