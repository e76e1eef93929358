package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// recordTime bounds how long a check that was interrupted goes on to write down
// what it has done.
const recordTime = 30 * time.Second

// record leaves in the repository what was read, so that the next check goes on
// behind it, and what is beyond repair, so that the next backup stores it anew.
func (k *checkRun) record(ctx context.Context) error {
	if len(k.verified)+len(k.lost)+len(k.known) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	w, err := k.r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := k.recordDamage(ctx, w); err != nil || len(k.verified) == 0 {
		return err
	}
	return w.PutCheckLog(ctx, k.log, time.Now(), k.verified)
}

func (k *checkRun) recordDamage(ctx context.Context, w *repo.Writer) error {
	if len(k.lost) > 0 && !k.allKnown(k.lost) {
		if err := w.RecordDamage(ctx, k.lost); err != nil {
			return err
		}
	}
	well := map[index.PackID]bool{}
	for _, p := range k.verified {
		well[p] = true
	}
	return w.SettleDamage(ctx, func(b index.DamagedBlock) bool { return well[b.Pack] })
}

// faultObject is a fault for programs.
type faultObject struct {
	File     string `json:"file"`
	Pack     string `json:"pack,omitempty"`
	Problem  string `json:"problem"`
	Mendable bool   `json:"mendable"`
	Repair   string `json:"repair"`
}

// checked is the end of a check, for programs.
type checked struct {
	Type      string              `json:"message_type"`
	Errors    int                 `json:"errors"`
	Packs     int64               `json:"packs_checked"`
	Bytes     int64               `json:"bytes_read"`
	Damaged   []faultObject       `json:"damaged"`
	Snapshots []string            `json:"affected_snapshots"`
	Affected  []snapshot.Affected `json:"affected"`
	Notes     []string            `json:"notes"`
	Seconds   float64             `json:"seconds_elapsed"`
}

// report says what was found.
func (k *checkRun) report(read bool) error {
	o := checked{
		Type: "summary", Errors: len(k.found), Packs: k.packs, Bytes: k.progress.Bytes.Load(), Damaged: []faultObject{},
		Snapshots: k.affectedSnapshots(), Affected: append([]snapshot.Affected{}, k.affected...), Notes: list(k.notes), Seconds: time.Since(k.started).Seconds(),
	}
	if read {
		o.Packs = k.progress.Packs.Load()
	}
	for _, f := range k.found {
		o.Damaged = append(o.Damaged, k.say(f))
	}
	k.sayAffected()
	for _, n := range k.notes {
		k.Print("note: %s", n)
	}
	k.Object(o)
	return k.verdict(o)
}

// say prints a fault and what to do about it, and returns it for programs.
func (k *checkRun) say(f repo.Fault) faultObject {
	o := faultObject{File: f.File, Problem: problemText(f.Problem), Mendable: f.Mendable, Repair: f.Repair}
	if !f.Pack.IsZero() {
		o.Pack = f.Pack.String()
	}
	k.Print("%s: %s", f.File, o.Problem)
	switch {
	case f.Mendable:
		k.Print("   to mend it: %s", f.Repair)
	case strings.HasPrefix(f.Repair, emptyBin):
		k.Print("   to give it up: %s", f.Repair)
	case f.Pack.IsZero():
		k.Print("   to keep what is left: %s", f.Repair)
	case len(f.Lost) > 0 && k.needed[f.Pack] == 0:
		k.Print("   nothing that snapshots need is lost; to remove it: chartkeep prune")
	default:
		k.Print("   if the data is still at its source, the next backup stores it anew; to keep what is left: %s", f.Repair)
	}
	return o
}

// problemText is a problem without advice: that follows.
func problemText(err error) string {
	text, _, _ := strings.Cut(oneLine(err), ". To mend it: ")
	return text
}

func (k *checkRun) affectedSnapshots() []string {
	ids := []string{}
	for _, a := range k.affected {
		if n := len(ids); n == 0 || ids[n-1] != string(a.Snapshot) {
			ids = append(ids, string(a.Snapshot))
		}
	}
	return ids
}

// shownPaths is how many paths of a snapshot are listed.
const shownPaths = 10

func (k *checkRun) sayAffected() {
	for from := 0; from < len(k.affected); {
		to := from
		for to < len(k.affected) && k.affected[to].Snapshot == k.affected[from].Snapshot {
			to++
		}
		k.Print("snapshot %s has lost something of %s:", k.affected[from].Snapshot.Short(), ui.Counted(to-from, "item"))
		for i, a := range k.affected[from:to] {
			if i == shownPaths && k.Verbose < 1 {
				k.Print("   and %s more; -v lists all", ui.Count(to-from-i))
				break
			}
			k.Print("   %s (%s)", k.Path(a.Path), a.Kind)
		}
		from = to
	}
}

func (k *checkRun) verdict(o checked) error {
	read := ""
	if o.Bytes > 0 {
		read = fmt.Sprintf(", %s of them read", ui.Size(o.Bytes))
	}
	if o.Errors == 0 && k.Quiet {
		return nil
	}
	if o.Errors == 0 {
		k.Print("no damage found: %s checked%s, in %s", ui.Counted(o.Packs, "pack"), read, ui.Duration(time.Since(k.started)))
		return nil
	}
	what := ui.Counted(o.Errors, "fault")
	if n := len(o.Snapshots); n > 0 {
		what += ", and data of " + ui.Counted(n, "snapshot") + " lost"
	}
	return &failure{exitDamage, fmt.Errorf("damage found in %s: %s", k.location, what), "What mends it stands above, with each fault."}
}
