package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/preset"
	"chartkeep/cmd/internal/ui"
	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// maintenanceStep is the name of a step that is no part of the backup: when it
// fails, the backup is as good as ever.
const maintenanceStep = "maintenance"

// maintain looks after the plan's databases, when they are safe.
func (n *night) maintain(ctx context.Context) {
	if len(n.plan.Maintenance) == 0 || n.saved == nil {
		return
	}
	limited, stop := context.WithTimeoutCause(ctx, n.plan.MaintenanceLimit,
		fmt.Errorf("it took longer than its maintenance_time_limit of %s", ui.Duration(n.plan.MaintenanceLimit)))
	defer stop()
	for _, f := range n.filled {
		if f.Source.Database == nil || !n.maySave(f.Source.Name) {
			continue
		}
		err := n.step(ctx, maintenanceStep, "", func() (string, error) { return n.maintainDatabase(limited, f) })
		if err != nil {
			n.out.Warnings = append(n.out.Warnings, notify.Warning{
				About: maintenanceStep + " " + f.Source.Name,
				Words: fmt.Sprintf("The maintenance of the database of %s did not end well: %s. The backup does not depend on it.", f.Source.Name, oneLine(err)),
			})
		}
	}
}

// maySave reports whether a source's database is in the snapshot, whole: no
// other may be worked on.
func (n *night) maySave(source string) bool {
	return !slices.ContainsFunc(n.saved.Sources, func(r snapshot.SourceRecord) bool {
		return r.Name == source && r.Kind != "files" && r.Error != ""
	})
}

// maintainDatabase looks after one source's databases.
func (n *night) maintainDatabase(ctx context.Context, f preset.Filled) (string, error) {
	d := *f.Source.Database
	kind, able, work := databaseKind(d.URL), mysql.Maintains, mysqlMaintain
	if kind == "postgres" {
		able, work = postgres.Maintains, postgresMaintain
	}
	words := slices.DeleteFunc(slices.Clone(n.plan.Maintenance), func(w string) bool { return !able(w) })
	if len(words) == 0 {
		return fmt.Sprintf("%s: %s is nothing for this kind of server", f.Source.Name, strings.Join(n.plan.Maintenance, ", ")), nil
	}
	var results []string
	tables := map[string]bool{}
	err := work(ctx, n, f, words, func(m sources.Maintained) {
		results, tables[m.Table] = append(results, maintainedWords(m)), true
	})
	n.saying = strings.Join(results, "\n")
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = errors.Join(err, cause)
		}
		return "", fmt.Errorf("%s: %w", f.Source.Name, err)
	}
	return fmt.Sprintf("%s: %s, %s", f.Source.Name, strings.Join(words, ", "), ui.Counted(len(tables), "table")), nil
}

func maintainedWords(m sources.Maintained) string {
	text := fmt.Sprintf("%s %s %s", m.Work, m.Table, m.Took.Round(time.Millisecond))
	if m.Words != "" {
		text += " (" + m.Words + ")"
	}
	if m.Err != nil {
		text += " failed: " + oneLine(m.Err)
	}
	return text
}

func mysqlMaintain(ctx context.Context, n *night, f preset.Filled, work []string, done func(sources.Maintained)) error {
	d := *f.Source.Database
	return mysql.Maintain(ctx, mysql.Options{
		URL: mysqlURL(d.URL), Password: n.sourcePassword(f), Databases: d.Databases, All: allDatabases(d),
	}, work, done)
}

func postgresMaintain(ctx context.Context, n *night, f preset.Filled, work []string, done func(sources.Maintained)) error {
	d := *f.Source.Database
	return postgres.Maintain(ctx, postgres.Options{
		URL: d.URL, Password: n.sourcePassword(f), Databases: d.Databases, All: allDatabases(d),
	}, work, done)
}
