package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/preset"
	"chartkeep/cmd/internal/ui"
	"chartkeep/repo/storage"
	"chartkeep/snapshot/crosscheck"
)

// crossCheck compares the rows of the snapshot with its files. Whatever comes of
// it, the backup is what it is: it is told in words.
func (n *night) crossCheck(ctx context.Context, o *opened) {
	rules := n.crossRules()
	if n.saved == nil || len(rules) == 0 {
		return
	}
	n.step(ctx, "cross-check", o.Name, func() (string, error) {
		var report crosscheck.Report
		err := o.program.locked(ctx, o.r, storage.Shared, func() (err error) {
			report, err = crosscheck.Run(ctx, crosscheck.Options{Repository: o.r, Root: &n.saved.Root, Rules: rules, Covered: n.covered()})
			return err
		})
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err != nil {
			n.doubtRows("it could not be made: " + oneLine(err))
			return "not made: " + oneLine(err), nil
		}
		n.saying = strings.Join(report.Lines(), "\n")
		tell := n.Remark
		if !report.Good() {
			tell = n.Warn
		}
		for _, line := range report.Lines() {
			tell("cross-check: %s", ui.Plain(line))
		}
		if !report.Good() {
			n.doubtRows(report.Counts())
		}
		return report.Counts(), nil
	})
}

// doubtRows warns of what the cross-check found, without names: a notice goes
// ways that are no business of patients'.
func (n *night) doubtRows(words string) {
	n.out.Warnings = append(n.out.Warnings, notify.Warning{
		About: "cross-check " + n.plan.Name,
		Words: fmt.Sprintf("The cross-check of rows and files: %s. The names are in the log: chartkeep log.", words),
	})
}

// covered are the folders of files that the snapshot saved.
func (n *night) covered() (all []string) {
	for _, r := range n.saved.Sources {
		if r.Kind == "files" {
			all = append(all, r.Paths...)
		}
	}
	return all
}

// crossRules are the rules of all sources. A plan that saves only a part cannot
// compare.
func (n *night) crossRules() (all []crosscheck.Rule) {
	if n.plan.What != config.All {
		return nil
	}
	for _, f := range n.filled {
		for _, c := range f.Source.CrossChecks {
			all = append(all, crossRule(f, c))
		}
	}
	return all
}

// layouts are the configuration's words for them.
var layouts = map[string]crosscheck.Layout{
	"file": crosscheck.File, "folder/file": crosscheck.FolderFile, "letter/folder/file": crosscheck.LetterFolderFile,
}

func crossRule(f preset.Filled, c config.CrossCheck) crosscheck.Rule {
	roots := c.Roots
	if len(roots) == 0 {
		roots = slices.Clone(f.Source.Attachments)
	}
	return crosscheck.Rule{
		Source: f.Source.Name, Database: c.Database, Table: c.Table, FileColumn: c.FileColumn, FolderTable: c.FolderTable,
		FolderColumn: c.FolderColumn, Join: c.Join, FolderJoin: c.FolderJoin, Roots: treePaths(roots), Layout: layouts[c.Layout],
		Ignore: c.Ignore, Fold: c.IgnoreCase, Optional: c.Optional,
	}
}
