package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

func (p *program) demoCommand() *cli.Command {
	return &cli.Command{
		Name:      "demo",
		Usage:     "make a small practice, and show what chartkeep does with it",
		ArgsUsage: "[DIR]",
		Description: `Makes attachments and a database dump in DIR (./chartkeep-demo), and runs on them
what a practice needs from day to day: two nightly backups with changes between,
finding and restoring one attachment, a check, and freeing space. Each command
is shown as it would be typed. It touches nothing outside of DIR.

   chartkeep demo`,
		Action: p.demo,
	}
}

// What is in the demonstration's folder. The mark tells it from other folders.
const (
	demoMark     = ".chartkeep-demo"
	demoRepo     = "repository"
	demoPassword = "password.txt"
	demoCache    = "cache"
	demoCard     = "card.html"
	demoRestored = "restored"
	demoPractice = "practice"
)

// demoRun is one run of the command. Its commands run in the folder.
type demoRun struct {
	*program
	dir    string // absolute
	global []string
}

func (p *program) demo(c *cli.Context) (err error) {
	if c.NArg() > 1 {
		return usage(c, "one folder is wanted")
	}
	dir := c.Args().First()
	if dir == "" {
		dir = "chartkeep-demo"
	}
	d := &demoRun{program: p, global: p.globals()}
	if d.dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := d.clear(); err != nil {
		return err
	}
	before, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(d.dir); err != nil {
		return err
	}
	return errors.Join(d.play(c.Context), os.Chdir(before))
}

// globals are the flags that the commands of the demonstration get as well.
func (p *program) globals() (flags []string) {
	if p.JSON {
		flags = append(flags, "--json")
	}
	if p.Quiet {
		flags = append(flags, "--quiet")
	}
	for range p.Verbose {
		flags = append(flags, "--verbose")
	}
	return flags
}

// clear makes the folder, and removes what an earlier demonstration has left in
// it. A folder with anything else in it is left alone.
func (d *demoRun) clear() error {
	there, err := os.ReadDir(d.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("demo: %w", err)
	}
	_, err = os.Stat(filepath.Join(d.dir, demoMark))
	if err != nil && len(there) > 0 {
		return failed("Name another folder: chartkeep demo DIR", "%s is not empty, and not of an earlier demonstration", d.dir)
	}
	for _, name := range []string{demoRepo, demoPassword, demoCache, demoCard, demoRestored, demoPractice} {
		if err := os.RemoveAll(filepath.Join(d.dir, name)); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(d.dir, demoMark), []byte("Made by chartkeep demo.\n"), 0o644),
		os.WriteFile(filepath.Join(d.dir, demoPassword), []byte("only for practice\n"), 0o600),
	)
}

// play is the demonstration.
func (d *demoRun) play(ctx context.Context) error {
	evening := time.Now().AddDate(0, 0, -1)
	evening = time.Date(evening.Year(), evening.Month(), evening.Day(), 19, 30, 0, 0, time.Local)
	office := practice{dir: demoPractice, last: evening.Add(-2 * time.Hour)}
	if err := office.open(); err != nil {
		return err
	}
	d.Print("A small practice in %s: %s.", filepath.Join(d.dir, demoPractice), office.describe())
	d.Print("The commands below run there. To go on by yourself afterwards:")
	d.Print("")
	d.Print("   cd %s", d.dir)
	d.Print("   export CHARTKEEP_REPOSITORY=%s CHARTKEEP_PASSWORD_FILE=%s CHARTKEEP_CACHE_DIR=%s", demoRepo, demoPassword, demoCache)

	d.say("A repository, on an external drive for instance, and a recovery card for the safe.")
	if err := d.all(ctx, []string{"init", "--recovery-card", demoCard}); err != nil {
		return err
	}
	d.say("The first evening: everything is stored.")
	if err := d.all(ctx, []string{"backup", demoPractice, "--time", evening.Format(time.DateTime)}); err != nil {
		return err
	}
	d.say("The next day there are new X-rays and letters, the database goes on, and an X-ray is deleted by mistake.")
	lost, pano, err := office.nextDay()
	if err != nil {
		return err
	}
	if err := d.all(ctx, []string{"backup", demoPractice}, []string{"snapshots"}); err != nil {
		return err
	}
	return d.bringBack(ctx, lost, pano)
}

// bringBack finds and restores the lost X-ray, and tidies up.
func (d *demoRun) bringBack(ctx context.Context, lost string, pano []byte) error {
	d.say("Where is the X-ray that was deleted? The snapshot of the first evening has it.")
	name := filepath.Base(lost)
	if err := d.all(ctx, []string{"find", name}, []string{"restore", "latest~1:" + treePath(lost), "--target", demoRestored}); err != nil {
		return err
	}
	back, err := os.ReadFile(filepath.Join(demoRestored, name))
	if err != nil {
		return err
	}
	if !bytes.Equal(back, pano) {
		return failed("", "%s is not what was deleted", filepath.Join(demoRestored, name))
	}
	d.Print("(compared: byte for byte the X-ray that was deleted)")
	d.say("Can everything be restored? Every byte is read and proved.")
	if err := d.all(ctx, []string{"check", "--read-data"}); err != nil {
		return err
	}
	d.say("Retention: rules say which snapshots stay, and prune frees the space of the others.")
	if err := d.all(ctx, []string{"forget", "--keep-last", "1"}, []string{"prune", "--max-unused", "0"}, []string{"stats"}); err != nil {
		return err
	}
	d.Print("")
	d.Print("All of it is in %s: the practice in %s, the X-ray in %s,", d.dir, demoPractice, demoRestored)
	d.Print("the recovery card in %s. Delete the folder when you have seen enough.", demoCard)
	return nil
}

func (d *demoRun) say(text string) { d.Print("\n# %s", text) }

// all runs commands one after the other.
func (d *demoRun) all(ctx context.Context, commands ...[]string) error {
	for _, words := range commands {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.command(ctx, words); err != nil {
			return fmt.Errorf("chartkeep %s: %w", words[0], err)
		}
	}
	return nil
}

// command shows a command as it would be typed, and runs it.
func (d *demoRun) command(ctx context.Context, words []string) error {
	d.Print("\n$ chartkeep %s", d.typed(words))
	d.Verbose = 0 // the flags below set it again
	one := &program{UI: d.UI, stdin: d.stdin, kdf: d.kdf}
	args := append([]string{"chartkeep", "--repo", demoRepo, "--password-file", demoPassword, "--cache-dir", demoCache}, d.global...)
	return one.run(ctx, append(args, words...))
}

// typed is a command line as a shell reads it.
func (d *demoRun) typed(words []string) string {
	line := make([]string, len(words))
	for i, w := range words {
		if runtime.GOOS != "windows" {
			w = strings.ReplaceAll(w, d.dir, "$PWD")
		}
		if strings.ContainsAny(w, " *?'") {
			w = "'" + w + "'"
		}
		line[i] = w
	}
	return strings.Join(line, " ")
}
