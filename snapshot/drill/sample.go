package drill

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"chartkeep/snapshot"
	"chartkeep/snapshot/restore"
	"chartkeep/sources"
	"chartkeep/sources/files"
)

// files restores a sample of a source's files and compares it.
func (d *drill) files(ctx context.Context, rec snapshot.SourceRecord, s *Source) error {
	if rec.Files == 0 && rec.Error != "" {
		return fmt.Errorf("it could not be read when it was saved: %s", rec.Error)
	}
	d.Step(rec.Name + ": choosing files")
	chosen, err := d.sample(ctx, rec)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(d.Dir, "chartkeep-drill-") // 0700
	if err != nil {
		return err
	}
	d.Step(rec.Name + ": restoring files")
	err = d.bringBack(ctx, dir, chosen, s)
	return errors.Join(err, removeAll(dir))
}

// removeAll removes what was restored. A folder that was closed to its owner when
// it was saved is closed here too, and only root may empty it as it is.
func removeAll(dir string) error {
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			return os.Chmod(p, 0o700) // before it is read
		}
		return nil
	})
	return errors.Join(err, os.RemoveAll(dir))
}

// A picked file is one of the sample.
type picked struct {
	rel  string // path without the slash in front
	size int64
}

// sample chooses files: each of the source's is as likely as any other, as long
// as those before it leave room for it.
func (d *drill) sample(ctx context.Context, rec snapshot.SourceRecord) ([]picked, error) {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(string(d.s.ID)+"\x00"+rec.Name+"\x00"), uint64(d.Now.UnixNano())))
	random := rand.New(rand.NewChaCha8(seed))
	var pool []picked
	seen := 0
	for _, p := range rec.Paths {
		root, err := snapshot.Lookup(ctx, d.r, &d.s.Root, p)
		if err != nil {
			return nil, err
		}
		err = snapshot.Walk(ctx, d.r, root, p, func(p string, n *snapshot.Node, err error) error {
			if err != nil || n.Meta.Kind != sources.Regular || n.State&snapshot.Unreadable != 0 {
				return err
			}
			// Algorithm R (Vitter 1985): the pool is a sample at every moment.
			seen++
			f := picked{strings.TrimPrefix(p, "/"), int64(n.Content.Size())}
			if len(pool) < d.Sample {
				pool = append(pool, f)
			} else if at := random.IntN(seen); at < d.Sample {
				pool[at] = f
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	random.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	return d.bounded(pool), nil
}

// bounded leaves out what would be too much together. The first stays: large
// files have to have their turn.
func (d *drill) bounded(pool []picked) (chosen []picked) {
	var total int64
	for i, f := range pool {
		if i == 0 || total+f.size <= d.SampleBytes {
			chosen = append(chosen, f)
			total += f.size
		}
	}
	return chosen
}

// bringBack restores the chosen files into dir and reads them from there.
func (d *drill) bringBack(ctx context.Context, dir string, chosen []picked, s *Source) error {
	t, err := files.OpenTarget(dir, files.TargetOptions{})
	if err != nil {
		return err
	}
	defer t.Close()
	var problems []error
	told := map[string]bool{}
	problem := func(p string, err error) {
		var meta *files.MetaError // owners and attributes need rights that a drill need not have
		if !errors.As(err, &meta) && !told[p] {
			told[p] = true
			problems = append(problems, fmt.Errorf("/%s: %w", p, err))
		}
	}
	began := time.Now()
	o := restore.Options{Select: only(chosen), Problem: problem}
	folder := restore.NewFolder(t)
	if _, err := restore.Run(ctx, d.r, &d.s.Root, folder, o); err != nil {
		return err
	}
	s.Recovery = time.Since(began)
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	s.Files, err = restore.Verify(ctx, d.r, &d.s.Root, folder, o, problem)
	for _, f := range chosen {
		s.Bytes += f.size
	}
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return &difference{texts(problems)}
	case s.Files != int64(len(chosen)):
		return fmt.Errorf("%d files were compared, and %d were chosen", s.Files, len(chosen))
	}
	return nil
}

func texts(errs []error) (all []string) {
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return all
}

// only selects the chosen files, and the folders on the way to them.
func only(chosen []picked) func(p string, dir bool) (selected, below bool) {
	want, way := map[string]bool{}, map[string]bool{"": true}
	for _, f := range chosen {
		want[f.rel] = true
		for p := path.Dir(f.rel); p != "." && !way[p]; p = path.Dir(p) {
			way[p] = true
		}
	}
	return func(p string, dir bool) (bool, bool) {
		if dir {
			return false, way[p]
		}
		return want[p], false
	}
}
