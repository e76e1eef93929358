package crosscheck

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// fileSet is the covered files by their paths' hashes, and which of them a row
// has named.
type fileSet struct {
	seed  maphash.Seed
	plain []uint64 // sorted
	fold  []uint64 // sorted, of paths in small letters
	named []uint64 // bits, by the place in plain
	under []uint64 // bits, by the place in fold
}

func gather(ctx context.Context, r *repo.Repository, root *snapshot.Node, covered []string) (*fileSet, error) {
	s := &fileSet{seed: maphash.MakeSeed()}
	err := eachFile(ctx, r, root, covered, func(p string) {
		s.plain = append(s.plain, maphash.String(s.seed, p))
		s.fold = append(s.fold, maphash.String(s.seed, strings.ToLower(p)))
	})
	slices.Sort(s.plain)
	slices.Sort(s.fold)
	s.plain, s.fold = slices.Compact(s.plain), slices.Compact(s.fold)
	s.named, s.under = make([]uint64, len(s.plain)/64+1), make([]uint64, len(s.fold)/64+1)
	return s, err
}

// has reports whether a file is there, and notes that it was named.
func (s *fileSet) has(p string, fold bool) bool {
	list, bits := s.plain, s.named
	if fold {
		list, bits, p = s.fold, s.under, strings.ToLower(p)
	}
	i, ok := slices.BinarySearch(list, maphash.String(s.seed, p))
	if ok {
		bits[i/64] |= 1 << (i % 64)
	}
	return ok
}

// wasNamed reports whether has was asked for the file in either way.
func (s *fileSet) wasNamed(p string) bool {
	i, ok := slices.BinarySearch(s.plain, maphash.String(s.seed, p))
	k, folded := slices.BinarySearch(s.fold, maphash.String(s.seed, strings.ToLower(p)))
	return ok && s.named[i/64]&(1<<(i%64)) != 0 || folded && s.under[k/64]&(1<<(k%64)) != 0
}

// eachFile calls do with the path of every file that was saved whole below some
// folders. The folders do not overlap.
func eachFile(ctx context.Context, r *repo.Repository, root *snapshot.Node, folders []string, do func(path string)) error {
	for _, folder := range folders {
		n, err := snapshot.Lookup(ctx, r, root, folder)
		if errors.Is(err, snapshot.ErrNoPath) {
			continue
		}
		if err != nil {
			return err
		}
		err = snapshot.Walk(ctx, r, n, folder, func(p string, n *snapshot.Node, err error) error {
			if err != nil {
				return fmt.Errorf("%s: %w", p, err)
			}
			if n.Meta.Kind == sources.Regular && n.State&snapshot.Unreadable == 0 {
				do(p)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// apart are folders without those that lie in another of them.
func apart(folders []string) (all []string) {
	folders = slices.Clone(folders)
	slices.Sort(folders)
	for _, f := range slices.Compact(folders) {
		if !slices.ContainsFunc(all, func(a string) bool { return within(f, a) }) {
			all = append(all, f)
		}
	}
	return all
}

// within reports whether a path is a folder or lies below it.
func within(p, folder string) bool {
	return p == folder || strings.HasPrefix(p, strings.TrimSuffix(folder, "/")+"/")
}
