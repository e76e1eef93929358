package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/storage"
)

// indexRepair is a run of repair index.
type indexRepair struct {
	*program
	r       *repo.Repository
	plan    *repo.IndexRepair
	adopt   []*index.Directory
	twins   []repo.Fault // copies to be written anew
	useless []repo.Fault // records of checks and runs that cannot be read
	lost    []repo.Fault // what cannot be mended
	cache   bool         // the local index is wrong
}

func (p *program) repairIndex(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage(c, "repair index takes no arguments")
	}
	x := &indexRepair{program: p}
	err := p.with(c.Context, storage.Exclusive, func(r *repo.Repository) error {
		x.r = r
		if err := x.find(c.Context); err != nil {
			return err
		}
		x.say()
		if c.Bool("dry-run") {
			p.Object(x.object(true))
			p.Print("dry run: nothing was changed")
			return nil
		}
		return x.mend(c.Context)
	})
	if err == nil && x.cache && !c.Bool("dry-run") {
		err = os.RemoveAll(filepath.Join(p.cacheDir, x.r.Config().ID.String()))
	}
	return err
}

// find plans.
func (x *indexRepair) find(ctx context.Context) error {
	faults, _, err := x.faultsOf(ctx, x.r, nil)
	if err != nil {
		return err
	}
	for _, f := range faults {
		folder, _, _ := strings.Cut(strings.TrimPrefix(f.File, "copies/"), "/")
		switch {
		case folder == "packs":
		case folder == "index":
			x.cache = x.cache || !f.Pack.IsZero()
		case f.Mendable:
			x.twins = append(x.twins, f)
		case folder == string(repo.Damage) || folder == string(repo.Checks) || folder == string(repo.Log):
			x.useless = append(x.useless, f)
		default:
			x.lost = append(x.lost, f)
		}
	}
	x.plan, x.adopt, err = x.r.PlanIndexRepair(ctx)
	return err
}

func (x *indexRepair) say() {
	for _, line := range []struct {
		number int
		format string
	}{
		{len(x.plan.Broken), "index segments to be written anew: %d"},
		{len(x.plan.Adopted), "packs that no readable segment names: %d"},
		{len(x.twins), "files of which a copy is to be written again: %d"},
		{len(x.useless), "records of checks and runs that cannot be read and are of no use: %d"},
	} {
		if line.number > 0 {
			x.Print(line.format, line.number)
		}
	}
	for _, f := range slices.Concat(x.twins, x.useless) {
		x.Detail(1, "%s: %s", f.File, oneLine(f.Problem))
	}
	if x.cache {
		x.Print("the local index to be made anew")
	}
	for _, f := range x.lost {
		x.Warn("%s cannot be mended: neither of its copies is whole", f.File)
	}
	for pack, err := range x.plan.Lost {
		x.Warn("pack %.12s has no directory that can be read: %s; to mend it: chartkeep repair packs %.12s", pack, oneLine(err), pack)
	}
}

func (x *indexRepair) mend(ctx context.Context) error {
	if err := x.r.RepairIndex(ctx, x.plan, x.adopt); err != nil {
		return err
	}
	if _, err := x.r.RepairTwins(ctx, x.twins); err != nil {
		return err
	}
	for _, f := range x.useless {
		kind, id, _ := strings.Cut(strings.TrimPrefix(f.File, "copies/"), "/")
		if err := x.r.RemoveDocument(ctx, repo.DocumentKind(kind), repo.DocumentID(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	x.Object(x.object(false))
	if n := len(x.lost) + len(x.plan.Lost); n > 0 {
		return failed("They are named above. To see what that means for the snapshots: chartkeep check", "%s could not be mended; all else was", ui.Counted(n, "file"))
	}
	if len(x.plan.Broken)+len(x.plan.Adopted)+len(x.twins)+len(x.useless) == 0 && !x.cache {
		x.Print("nothing to mend")
	} else {
		x.Print("mended")
	}
	return nil
}

func (x *indexRepair) object(dry bool) repaired {
	o := repaired{Type: "summary", DryRun: dry, Mended: list(slices.Clone(x.plan.Broken)), Lost: []string{}}
	for _, p := range x.plan.Adopted {
		o.Mended = append(o.Mended, p.String())
	}
	for _, f := range slices.Concat(x.twins, x.useless) {
		o.Mended = append(o.Mended, f.File)
	}
	for _, f := range x.lost {
		o.Lost = append(o.Lost, f.File)
	}
	for p := range x.plan.Lost {
		o.Lost = append(o.Lost, p)
	}
	return o
}
