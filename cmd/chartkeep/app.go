package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo/crypt"
)

// program is what the commands share: the streams, and what the global flags
// say.
type program struct {
	*ui.UI
	stdin   *os.File
	secrets secrets
	kdf     crypt.KDF // of a new repository's key; zero: the default

	side   side             // of the repository that location names
	others map[side]secrets // of the other sides

	location     string // of the repository, as given
	passwordFile string
	configFile   string // as given
	cacheDir     string
	databaseFile string // its first line is the password of databases
	lockWait     time.Duration
	memory       int64 // bound on buffers and caches, bytes; 0: none given
}

// run parses the arguments and runs the command they name.
func (p *program) run(ctx context.Context, args []string) error {
	app := p.app()
	if len(args) > 1 && args[1] == completeWord {
		p.complete(app, args[2:])
		return nil
	}
	arranged, err := arrange(app, args)
	if err != nil {
		p.JSON = slices.Contains(args, "--json") // nothing was parsed, and a program wants its answer
		return err
	}
	return app.RunContext(ctx, arranged)
}

func (p *program) app() *cli.App {
	cli.FlagStringer = flagLine // the library has no other way
	return &cli.App{
		Name:                      "chartkeep",
		Usage:                     "backups of practice data: deduplicated, encrypted, provably restorable",
		UsageText:                 "chartkeep [global flags] COMMAND [flags] [arguments]",
		Description:               aboutText,
		Flags:                     p.globalFlags(),
		Commands:                  p.commands(),
		Before:                    p.settle,
		OnUsageError:              usageError,
		ExitErrHandler:            func(*cli.Context, error) {}, // run's caller does that
		HideVersion:               true,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true, // file names hold commas
		CustomAppHelpTemplate:     appHelp,
		Writer:                    p.Bytes(),
		ErrWriter:                 os.Stderr,
	}
}

const aboutText = `A first backup:

   export CHARTKEEP_REPOSITORY=/mnt/red/chartkeep
   chartkeep init --recovery-card card.html
   chartkeep backup /srv/practice
   chartkeep snapshots

Flags may stand before or after arguments; -- ends the flags. Snapshots are
named latest, latest~N (N before it), or by the first digits of their ID.

Exit codes: 0 done, 1 failed, 3 saved but some items could not be read, 4 drive
absent, 10 no repository there, 11 repository locked, 12 wrong password, 13
damage found, 130 interrupted.`

// commands are all of them, in the order in which help lists them.
func (p *program) commands() []*cli.Command {
	all := []*cli.Command{
		p.demoCommand(),
		p.initCommand(),
		p.backupCommand(),
		p.runCommand(),
		p.statusCommand(),
		p.snapshotsCommand(),
		p.lsCommand(),
		p.findCommand(),
		p.historyCommand(),
		p.logCommand(),
		p.diffCommand(),
		p.restoreCommand(),
		p.restoreDBCommand(),
		p.dumpCommand(),
		p.copyCommand(),
		p.tagCommand(),
		p.holdCommand(),
		p.releaseCommand(),
		p.forgetCommand(),
		p.binCommand(),
		p.pruneCommand(),
		p.checkCommand(),
		p.drillCommand(),
		p.repairCommand(),
		p.keyCommand(),
		p.driveCommand(),
		p.statsCommand(),
		p.scheduleCommand(),
		p.configCommand(),
		p.completionCommand(),
		p.versionCommand(),
	}
	for _, c := range all {
		uniform(c)
	}
	return all
}

// uniform sets what is the same for every command.
func uniform(c *cli.Command) {
	c.HideHelpCommand = true // "help" may be an argument
	c.OnUsageError = usageError
	c.CustomHelpTemplate = commandHelp
	for _, below := range c.Subcommands {
		uniform(below)
	}
}

func (p *program) globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: "repo", Aliases: []string{"r"}, EnvVars: []string{"CHARTKEEP_REPOSITORY"}, Destination: &p.location,
			Usage: "repository: a folder `PATH`",
		},
		&cli.StringFlag{
			Name: "password-file", EnvVars: []string{"CHARTKEEP_PASSWORD_FILE"}, Destination: &p.passwordFile,
			Usage: "the first line of `FILE` is the password (else $CHARTKEEP_PASSWORD, $CHARTKEEP_PASSWORD_COMMAND, or the terminal is asked)",
		},
		&cli.StringFlag{
			Name: "config", EnvVars: []string{"CHARTKEEP_CONFIG"}, Destination: &p.configFile,
			Usage: "plans are in `FILE` (default /etc/chartkeep/chartkeep.toml, then the user's configuration folder)",
		},
		&cli.StringFlag{
			Name: "cache-dir", EnvVars: []string{"CHARTKEEP_CACHE_DIR"}, Destination: &p.cacheDir,
			Usage: "local index in `DIR`; safe to delete at any time (default: the user's cache folder)",
		},
		&cli.BoolFlag{Name: "json", Destination: &p.JSON, Usage: "one JSON object per line on stdout, nothing else there"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Destination: &p.Quiet, Usage: "say less"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Count: &p.Verbose, Usage: "say more; twice for still more"},
		&cli.StringFlag{Name: "limit-memory", Usage: "bound on buffers and caches, as `SIZE` (256M)"},
		&cli.DurationFlag{Name: "lock-wait", Value: time.Minute, Destination: &p.lockWait, Usage: "wait so `LONG` for another run to release the repository"},
	}
}

// settle checks the global flags and fills in their defaults.
func (p *program) settle(c *cli.Context) error {
	if p.cacheDir == "" {
		if dir, err := os.UserCacheDir(); err == nil {
			p.cacheDir = filepath.Join(dir, "chartkeep")
		}
	}
	if limit := c.String("limit-memory"); limit != "" {
		n, err := ui.ParseSize(limit)
		if err != nil {
			return usage(c, "--limit-memory: %w", err)
		}
		p.memory = n
		debug.SetMemoryLimit(n)
	}
	return nil
}
