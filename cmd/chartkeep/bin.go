package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

func (p *program) binCommand() *cli.Command {
	return &cli.Command{
		Name:  "bin",
		Usage: "take back snapshots that were forgotten",
		Description: `What is forgotten goes into the bin, and what it needs stays in the repository:
for as many days as forget --bin-days or the configuration says, else until the
next prune. A snapshot that is taken back is the one that it was.

   chartkeep bin list
   chartkeep bin restore 3f9c0a11
   chartkeep bin empty                   # then prune frees the space`,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list what can be taken back", Action: p.binList},
			{Name: "restore", Usage: "take back snapshots", ArgsUsage: "SNAPSHOT...", Action: p.binRestore},
			{
				Name: "empty", Usage: "give up what can be taken back, all or some of it", ArgsUsage: "[SNAPSHOT...]", Action: p.binEmpty,
				Flags: []cli.Flag{dryRunFlag("give up nothing, but say what would be given up")},
			},
		},
	}
}

// discardedObject is a snapshot in the bin, for programs.
type discardedObject struct {
	Type string `json:"message_type"`
	snapshotObject
	Entry     string     `json:"entry"`
	Forgotten time.Time  `json:"forgotten"`
	By        string     `json:"forgotten_by"`
	Reason    string     `json:"reason,omitempty"`
	Until     *time.Time `json:"until"` // null: until the next prune
}

func discardedOf(d *snapshot.Discarded) discardedObject {
	o := discardedObject{
		Type: "discarded", snapshotObject: objectOf(d.Snapshot), Entry: string(d.Entry), Forgotten: d.At, By: d.Who, Reason: d.Why,
	}
	if !d.Until.IsZero() {
		o.Until = &d.Until
	}
	return o
}

func (p *program) binList(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage(c, "bin list takes no arguments")
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		bin, err := p.bin(c.Context, r)
		if err != nil {
			return err
		}
		t := ui.NewTable("ID", "Time", "Host", "Plan", "Paths", "Forgotten", "By", "Until")
		for _, d := range bin.All {
			p.Object(discardedOf(d))
			t.Row(d.ID.Short(), ui.Time(d.Time), d.Host, d.Plan, strings.Join(d.Paths, "\n"), ui.Time(d.At), ui.Plain(d.Who), untilWords(d))
		}
		p.Table(t)
		p.Say("%s", ui.Counted(len(bin.All), "snapshot"))
		return nil
	})
}

func untilWords(d *snapshot.Discarded) string {
	if d.Over(time.Now()) {
		return "the next prune"
	}
	return ui.Time(d.Until)
}

// bin reads the bin. What of it cannot be read is a warning.
func (p *program) bin(ctx context.Context, r *repo.Repository) (*snapshot.Bin, error) {
	bin, err := snapshot.ReadBin(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, b := range bin.Broken {
		p.Warn("%s; to give it up: chartkeep bin empty %s", oneLine(b.Err), b.Entry.Short())
	}
	return bin, nil
}

func (p *program) binRestore(c *cli.Context) error {
	if c.NArg() == 0 {
		return usage(c, "which snapshots? To see what can be taken back: chartkeep bin list")
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		bin, err := p.bin(c.Context, r)
		if err != nil {
			return err
		}
		wanted, err := binned(bin, c.Args().Slice())
		if err != nil {
			return err
		}
		for _, d := range wanted {
			if err := r.TakeBack(c.Context, d.ID); err != nil {
				return err
			}
			p.Object(discardedOf(d))
			p.Print("snapshot %s of %s, %s, is back", d.ID.Short(), ui.Time(d.Time), d.Host)
		}
		return nil
	})
}

// binned finds snapshots of the bin by name.
func binned(bin *snapshot.Bin, names []string) (list []*snapshot.Discarded, err error) {
	byTime := slices.SortedFunc(slices.Values(bin.All), func(a, b *snapshot.Discarded) int { return a.Time.Compare(b.Time) })
	var all []*snapshot.Snapshot
	for _, d := range byTime {
		all = append(all, d.Snapshot)
	}
	for _, name := range names {
		s, err := snapshot.Resolve(all, name)
		if errors.Is(err, snapshot.ErrNoSnapshot) {
			return nil, failed("To see what can be taken back: chartkeep bin list", "in the bin: %w", err)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, byTime[slices.Index(all, s)])
	}
	return list, nil
}

func (p *program) binEmpty(c *cli.Context) error {
	mode := storage.Exclusive
	if c.Bool("dry-run") {
		mode = storage.Shared
	}
	return p.with(c.Context, mode, func(r *repo.Repository) error {
		if err := ownerOnly(r); err != nil {
			return err
		}
		bin, err := p.bin(c.Context, r)
		if err != nil {
			return err
		}
		entries, err := entriesOf(bin, c.Args().Slice())
		if err != nil {
			return err
		}
		return p.emptyBin(c, r, entries)
	})
}

type emptied struct {
	Type    string `json:"message_type"`
	DryRun  bool   `json:"dry_run,omitempty"`
	Entries int    `json:"entries_removed"`
}

func (p *program) emptyBin(c *cli.Context, r *repo.Repository, entries []repo.DocumentID) error {
	dry := c.Bool("dry-run")
	words := "%s given up; to free the space: chartkeep prune"
	if dry {
		words = "dry run: %s would be given up"
	} else if err := r.Purge(c.Context, entries); err != nil {
		return err
	}
	p.Object(emptied{"summary", dry, len(entries)})
	p.Print(words, ui.Counted(len(entries), "snapshot"))
	return nil
}

// entriesOf are the entries of all that the bin holds, or of what is named: by
// the snapshot, or, where that cannot be read, by the entry.
func entriesOf(bin *snapshot.Bin, names []string) (entries []repo.DocumentID, err error) {
	if len(names) == 0 {
		entries = slices.Clone(bin.Stale)
		for _, d := range bin.All {
			entries = append(entries, d.Entry)
		}
		for _, b := range bin.Broken {
			entries = append(entries, b.Entry)
		}
		return entries, nil
	}
	for _, name := range names {
		broken := slices.IndexFunc(bin.Broken, func(b repo.BrokenEntry) bool { return strings.HasPrefix(string(b.Entry), name) })
		if broken >= 0 {
			entries = append(entries, bin.Broken[broken].Entry)
			continue
		}
		list, err := binned(bin, []string{name})
		if err != nil {
			return nil, err
		}
		entries = append(entries, list[0].Entry)
	}
	return entries, nil
}

// discard forgets snapshots, the oldest first: cut off, it has removed what is
// least missed. They can be taken back for so many days; for 0 of them until the
// next prune.
func (p *program) discard(ctx context.Context, r *repo.Repository, doomed []*snapshot.Snapshot, days int, why string) error {
	d := repo.Discard{Who: snapshot.CurrentUser(), Why: why, Now: time.Now(), ForGood: days == 0}
	if days > 0 {
		d.Until = d.Now.AddDate(0, 0, days)
	}
	var ids []repo.DocumentID
	for _, s := range slices.SortedStableFunc(slices.Values(doomed), func(a, b *snapshot.Snapshot) int { return a.Time.Compare(b.Time) }) {
		ids = append(ids, s.ID)
	}
	err := r.Discard(ctx, ids, d, func(id repo.DocumentID, kept bool) {
		if !kept {
			p.Warn("the drive is full: snapshot %s cannot be taken back", id.Short())
		}
	})
	if errors.Is(err, storage.ErrNoSpace) {
		return failed("To forget for good, which needs no room: --bin-days 0", "%w", err)
	}
	return err
}

// keepReserve has the repository keep some space that a prune can use when there
// is no other. That it cannot is no failure of what was to be done.
func (p *program) keepReserve(ctx context.Context, r *repo.Repository) {
	if err := r.KeepReserve(ctx); err != nil {
		p.Detail(1, "no space was reserved: %s", oneLine(err))
	}
}
