package crosscheck

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"path"
	"slices"
	"strings"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// Options say what is compared.
type Options struct {
	Repository *repo.Repository
	Root       *snapshot.Node // of the snapshot
	Rules      []Rule
	Covered    []string // the folders of files that the snapshot saved, as they stand in the tree
}

// Run compares rows and files. An error means that nothing can be said; a rule
// that cannot be followed is one of the report's Unchecked.
func Run(ctx context.Context, o Options) (Report, error) {
	c := checker{Options: o}
	c.Covered = apart(o.Covered)
	var err error
	if c.files, err = gather(ctx, o.Repository, o.Root, c.Covered); err != nil {
		return Report{}, fmt.Errorf("list the saved files: %w", err)
	}
	var followed []Rule
	for _, rule := range o.Rules {
		err := c.follow(ctx, &rule)
		switch {
		case ctx.Err() != nil:
			return Report{}, ctx.Err()
		case err == nil:
			followed = append(followed, rule)
		case rule.Optional && errors.Is(err, errNoTable):
		default:
			c.report.Unchecked = append(c.report.Unchecked, rule.Source+": "+err.Error())
		}
	}
	if len(c.report.Unchecked) == 0 { // else files would be called orphans whose rows were not read
		err = c.orphans(ctx, followed)
	}
	return c.report, err
}

type checker struct {
	Options
	files  *fileSet
	report Report
}

// follow looks for the file of every row of a rule's table.
func (c *checker) follow(ctx context.Context, rule *Rule) error {
	dir, err := snapshot.Lookup(ctx, c.Repository, c.Root, path.Join("/", rule.Source))
	if err != nil {
		return err
	}
	saved := snapshot.Saved(c.Repository, dir)
	all, err := tablesOf(ctx, saved)
	if err != nil {
		return err
	}
	t, err := find(all, rule.Database, rule.Table)
	if err != nil {
		return err
	}
	look, err := rule.lookup(ctx, saved, all)
	if err != nil {
		return err
	}
	columns := []string{rule.FileColumn, look.column, t.key}
	for i := range columns {
		if columns[i] == "" {
			columns[i] = rule.FileColumn // read for nothing
		}
	}
	return t.read(ctx, saved, columns, func(v row) error {
		if strings.TrimSpace(v[0]) == "" {
			c.report.Nameless++
			return nil
		}
		c.report.Rows++
		folder, known := look.folder(v[1])
		below := rule.below(folder, v[0])
		if !known || below == "" {
			c.report.Missing.add(fmt.Sprintf("%s (no folder for %s %q)", t.named(v[2], v[0]), look.column, v[1]))
			return nil
		}
		if findings := c.seek(rule, below); findings != nil {
			findings.add(t.named(v[2], below))
		}
		return nil
	})
}

// seek looks for a row's file. It returns where the row belongs that has none.
func (c *checker) seek(rule *Rule, below string) *Findings {
	findings := &c.report.Outside
	for _, p := range rule.places(below) {
		if c.files.has(p, rule.Fold) {
			c.report.Found++
			return nil
		}
		if slices.ContainsFunc(c.Covered, func(f string) bool { return within(p, f) }) {
			findings = &c.report.Missing
		}
	}
	return findings
}

// A lookup finds the folder of a row.
type lookup struct {
	column  string // of the row's table: what is looked up; empty: nothing
	seed    maphash.Seed
	folders map[uint64]string // nil: the column is the folder
}

func (l lookup) folder(value string) (folder string, known bool) {
	switch {
	case l.column == "":
		return "", true
	case l.folders == nil:
		return value, true
	}
	folder, known = l.folders[maphash.String(l.seed, value)]
	return folder, known
}

// lookup reads the folders of a rule.
func (r *Rule) lookup(ctx context.Context, saved sources.Restorable, all []table) (lookup, error) {
	if r.FolderColumn == "" {
		return lookup{}, nil
	}
	if r.FolderTable == "" {
		return lookup{column: r.FolderColumn}, nil
	}
	t, err := find(all, r.Database, r.FolderTable)
	if err != nil {
		return lookup{}, err
	}
	l := lookup{column: r.Join, seed: maphash.MakeSeed(), folders: map[uint64]string{}}
	join := r.FolderJoin
	if join == "" {
		join = r.Join
	}
	err = t.read(ctx, saved, []string{join, r.FolderColumn}, func(v row) error {
		l.folders[maphash.String(l.seed, v[0])] = v[1]
		return nil
	})
	return l, err
}

// orphans counts the files at rows' places that no row has named.
func (c *checker) orphans(ctx context.Context, rules []Rule) error {
	ignored := make([]*snapshot.Patterns, len(rules))
	for i, r := range rules {
		var err error
		if ignored[i], err = snapshot.NewPatterns(r.Ignore, r.Fold); err != nil {
			return fmt.Errorf("ignore: %w", err)
		}
	}
	return eachFile(ctx, c.Repository, c.Root, c.Covered, func(p string) {
		expected := false
		for i, r := range rules {
			expected = expected || r.expects(p) && !(len(r.Ignore) > 0 && ignored[i].Match(p))
		}
		if !expected {
			return
		}
		c.report.Files++
		if !c.files.wasNamed(p) {
			c.report.Orphans.add(p)
		}
	})
}
