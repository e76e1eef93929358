package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

func (p *program) statsCommand() *cli.Command {
	return &cli.Command{
		Name:      "stats",
		Usage:     "how much the snapshots hold, and what that takes",
		ArgsUsage: "[SNAPSHOT...]",
		Description: `Sizes of all snapshots together, or of those that are named.

   restore-size   what a restore of every snapshot would write
   raw-data       different data, once each, and what it takes compressed
   packs          what lies in the repository's folder
   growth         what each snapshot added

   chartkeep stats
   chartkeep stats --mode raw-data latest
   chartkeep stats --mode growth --json`,
		Flags:  append(filterFlags(), &cli.StringFlag{Name: "mode", Usage: "only `MODE` restore-size, raw-data, packs or growth"}),
		Action: p.stats,
	}
}

// statsObject is all figures, for programs. Sizes are bytes.
type statsObject struct {
	Type         string           `json:"message_type"`
	Snapshots    int64            `json:"snapshots_count"`
	Files        int64            `json:"total_file_count,omitempty"`
	RestoreSize  int64            `json:"restore_size,omitempty"`
	Chunks       int64            `json:"total_chunk_count,omitempty"`
	Uncompressed int64            `json:"total_uncompressed_size,omitempty"`
	Size         int64            `json:"total_size,omitempty"`
	Compression  float64          `json:"compression_ratio,omitempty"`
	Dedup        float64          `json:"deduplication_ratio,omitempty"`
	Packs        int64            `json:"packs_count,omitempty"`
	PackSize     int64            `json:"packs_size,omitempty"`
	Repository   int64            `json:"repository_size,omitempty"`
	Folders      map[string]int64 `json:"folders,omitempty"`
}

func (p *program) stats(c *cli.Context) error {
	mode := c.String("mode")
	switch mode {
	case "", "restore-size", "raw-data", "packs", "growth":
	default:
		return usage(c, "--mode: no mode %q", mode)
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		all, err := p.snapshots(c.Context, r, filterOf(c))
		if err != nil {
			return err
		}
		if all, err = chosen(all, c.Args().Slice()); err != nil {
			return err
		}
		if mode == "growth" {
			p.growth(all)
			return nil
		}
		o, err := p.measure(c.Context, r, all, mode)
		if err == nil {
			p.printStats(o)
		}
		return err
	})
}

// measure fills in what the mode asks for.
func (p *program) measure(ctx context.Context, r *repo.Repository, all []*snapshot.Snapshot, mode string) (statsObject, error) {
	o := statsObject{Type: "stats", Snapshots: int64(len(all))}
	wanted := func(m string) bool { return mode == "" || mode == m }
	if wanted("restore-size") {
		for _, s := range all {
			o.Files += s.Summary.Files
			o.RestoreSize += s.Summary.Bytes
		}
	}
	if wanted("raw-data") {
		u, err := snapshot.Measure(ctx, r, all)
		if err != nil {
			return o, err
		}
		o.Chunks, o.Uncompressed, o.Size = u.Chunks, u.Plain, u.Sealed
		o.Compression, o.Dedup = ratio(u.Plain, u.Sealed), ratio(u.Restored, u.Plain)
		if u.Lost > 0 {
			p.Warn("%s cannot be had; to see what is damaged: chartkeep check", ui.Counted(u.Lost, "piece"))
		}
	}
	if wanted("packs") {
		return o, o.folders(ctx, r)
	}
	return o, nil
}

func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// folders sums up the repository's files.
func (o *statsObject) folders(ctx context.Context, r *repo.Repository) error {
	o.Folders = map[string]int64{}
	for info, err := range r.Store().List(ctx, "") {
		if err != nil {
			return err
		}
		folder, _, _ := strings.Cut(info.Name, "/")
		o.Folders[folder] += info.Size
		o.Repository += info.Size
		if folder == "packs" {
			o.Packs++
			o.PackSize += info.Size
		}
	}
	return nil
}

func (p *program) printStats(o statsObject) {
	p.Object(o)
	row := func(name string, size int64, format string, args ...any) {
		p.Print("%-14s %10s  %s", name, ui.Size(size), fmt.Sprintf(format, args...))
	}
	p.Print("%-14s %10s", "snapshots", ui.Count(o.Snapshots))
	if o.Files > 0 {
		row("restored", o.RestoreSize, "in %s, all snapshots together", ui.Counted(o.Files, "file"))
	}
	if o.Chunks > 0 {
		row("different data", o.Uncompressed, "in %s%s", ui.Counted(o.Chunks, "chunk"), times(o.Dedup, "deduplicated"))
		row("compressed", o.Size, "and sealed%s", times(o.Compression, "compressed"))
	}
	if o.Repository > 0 {
		row("packs", o.PackSize, "%s, with parity, directories and what is not needed any more", ui.Counted(o.Packs, "file"))
		row("repository", o.Repository, "all files")
	}
}

func times(ratio float64, what string) string {
	if ratio == 0 {
		return ""
	}
	return fmt.Sprintf(", %s %.1f times", what, ratio)
}

// growthObject is what one snapshot added, for programs.
type growthObject struct {
	Type     string `json:"message_type"`
	Snapshot string `json:"snapshot"`
	Time     string `json:"time"`
	Added    int64  `json:"data_added"`
	Packed   int64  `json:"data_added_packed"`
	Bytes    int64  `json:"total_bytes_processed"`
}

func (p *program) growth(all []*snapshot.Snapshot) {
	t := ui.NewTable("ID", "Time", ">Size", ">New data", ">In the repository")
	for _, s := range all {
		n := &s.Summary
		p.Object(growthObject{"growth", string(s.ID), s.Time.Format("2006-01-02T15:04:05Z07:00"), n.DataAdded, n.DataAddedPacked, n.Bytes})
		t.Row(s.ID.Short(), ui.Time(s.Time), ui.Size(n.Bytes), ui.Size(n.DataAdded), ui.Size(n.DataAddedPacked))
	}
	p.Table(t)
}
