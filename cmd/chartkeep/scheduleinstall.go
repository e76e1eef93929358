package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/schedule"
	"chartkeep/cmd/internal/ui"
)

func (p *program) scheduleInstallCommand() *cli.Command {
	return &cli.Command{
		Name:  "install",
		Usage: "have the operating system run the plans at their times",
		Description: `Has systemd start the plans of the configuration where it runs, else cron: what
runs is chartkeep run PLAN. Missed runs are made up for where the plan says so.
Every hour chartkeep status --alert looks whether anything is overdue, even if no
plan runs at all. Run it again after a change of the configuration.

As root the plans run as root, whether or not anybody is logged on; as another
user they run as that user.

   chartkeep schedule install
   chartkeep schedule install --print                  # change nothing
   chartkeep schedule install --print --kind windows   # or launchd, for macOS

For launchd and Windows it writes files, and prints the commands that make the
system read them:

   chartkeep schedule install --to /Library/LaunchDaemons    # on macOS
   chartkeep schedule install --to C:\ProgramData\chartkeep  # on Windows`,
		Flags: []cli.Flag{
			kindFlag("systemd, cron, launchd or windows"),
			&cli.BoolFlag{Name: "print", Usage: "install nothing, but print what would be"},
			&cli.StringFlag{Name: "to", Usage: "write the files of launchd or Windows into `FOLDER`"},
		},
		Action: p.scheduleInstall,
	}
}

func (p *program) scheduleListCommand() *cli.Command {
	return &cli.Command{
		Name:   "list",
		Usage:  "print what the operating system has been told to run",
		Flags:  []cli.Flag{kindFlag("systemd or cron")},
		Action: p.scheduleList,
	}
}

func (p *program) scheduleRemoveCommand() *cli.Command {
	return &cli.Command{
		Name:  "remove",
		Usage: "have the operating system run nothing more",
		Description: `Takes away what schedule install has written for the same configuration. What
runs at the moment goes on to its end.

   chartkeep schedule remove`,
		Flags:  []cli.Flag{kindFlag("systemd or cron")},
		Action: p.scheduleRemove,
	}
}

func kindFlag(kinds string) cli.Flag {
	return &cli.StringFlag{Name: "kind", Usage: "for the scheduler `KIND`: " + kinds + " (default: that of this computer)"}
}

// scheduleLine is a line of what is installed or removed, for programs.
type scheduleLine struct {
	Type string `json:"message_type"` // installed, listed, removed
	Line string `json:"line"`
}

// scheduleFile is what --print shows, for programs.
type scheduleFile struct {
	Type    string `json:"message_type"`
	Name    string `json:"name"`
	Content string `json:"content"`
}

func (p *program) scheduleInstall(c *cli.Context) error {
	conf, err := p.config()
	if err != nil {
		return err
	}
	h, err := hostOf(conf)
	if err != nil {
		return err
	}
	jobs := jobsOf(conf)
	if c.Bool("print") {
		return p.printSchedule(c, h, jobs)
	}
	if len(jobs) == 0 {
		return failed("Write at = \"19:30\" into a plan, or take away what is installed: chartkeep schedule remove", "no plan of %s has a time", conf.Path)
	}
	if c.String("to") != "" {
		return p.writeSchedule(c, h, jobs)
	}
	s, err := scheduler(c)
	if err != nil {
		return err
	}
	lines, err := s.Install(c.Context, h, jobs)
	if err != nil {
		return failed("Installing for the whole system needs root.", "install the schedule: %w", err)
	}
	p.sayLines("installed", lines)
	if cron, ok := s.(schedule.Cron); ok && !cron.Runs() {
		p.Warn("cron does not seem to run, and nothing is started until it does: service cron start")
	}
	p.Say("Installed for %s. To see when the plans run: chartkeep schedule next", conf.Path)
	return nil
}

func (p *program) scheduleList(c *cli.Context) error {
	return p.withScheduler(c, func(s schedule.Scheduler, h schedule.Host) error {
		lines, err := s.List(c.Context, h)
		if err != nil {
			return err
		}
		p.sayLines("listed", lines)
		if len(lines) == 0 {
			p.Remark("Nothing is installed for %s. To do so: chartkeep schedule install", h.Config)
		}
		return nil
	})
}

func (p *program) scheduleRemove(c *cli.Context) error {
	return p.withScheduler(c, func(s schedule.Scheduler, h schedule.Host) error {
		lines, err := s.Remove(c.Context, h)
		if err != nil {
			return err
		}
		p.sayLines("removed", lines)
		p.Say("Nothing of %s runs by itself any more.", h.Config)
		return nil
	})
}

// withScheduler needs only the place of the configuration, so that what it once
// said can be taken away after it was spoilt.
func (p *program) withScheduler(c *cli.Context, do func(schedule.Scheduler, schedule.Host) error) error {
	path, err := p.configPath()
	if err != nil {
		return err
	}
	s, err := scheduler(c)
	if err != nil {
		return err
	}
	return do(s, schedule.Host{Config: path})
}

func (p *program) sayLines(what string, lines []string) {
	for _, line := range lines {
		p.Object(scheduleLine{what, line})
		p.Print("%s", ui.Plain(line))
	}
}

// scheduler is the one of --kind, or that of this computer.
func scheduler(c *cli.Context) (schedule.Scheduler, error) {
	const hint = "To see what a scheduler would need: chartkeep schedule install --print --kind cron; on macOS and Windows: chartkeep schedule install --to FOLDER"
	switch kind := c.String("kind"); kind {
	case "":
		s, err := schedule.Find(c.Context)
		if err != nil {
			return nil, failed(hint, "find a scheduler: %w", err)
		}
		return s, nil
	case "systemd", "cron":
		s, err := schedule.Named(c.Context, kind)
		if err != nil {
			return nil, failed(hint, "--kind %s: %w", kind, err)
		}
		return s, nil
	case "launchd", "windows":
		return nil, usage(c, "for %s there are only --to and --print", kind)
	default:
		return nil, usage(c, "--kind %s: want systemd, cron, launchd or windows", kind)
	}
}

// kindHere is what --print is for, unless it is said.
func kindHere(c *cli.Context) string {
	if kind := c.String("kind"); kind != "" {
		return kind
	}
	switch runtime.GOOS {
	case "windows":
		return "windows"
	case "darwin":
		return "launchd"
	}
	if s, err := schedule.Find(c.Context); err == nil {
		if _, ok := s.(schedule.Systemd); ok {
			return "systemd"
		}
	}
	return "cron"
}

// printSchedule prints what would be installed.
func (p *program) printSchedule(c *cli.Context, h schedule.Host, jobs []schedule.Job) error {
	var files []schedule.File
	switch kind := kindHere(c); kind {
	case "systemd":
		files = h.Systemd(jobs)
	case "cron":
		text, err := h.Crontab(jobs, nil)
		if err != nil {
			return err
		}
		files = []schedule.File{{Name: "crontab", Content: text}}
	case "launchd":
		files = h.Launchd(jobs)
	case "windows":
		files = h.Windows(jobs)
	default:
		return usage(c, "--kind %s: want systemd, cron, launchd or windows", kind)
	}
	for _, f := range files {
		p.Object(scheduleFile{"file", f.Name, string(f.Content)})
		if len(files) > 1 {
			p.Print("==> %s <==", f.Name)
		}
		p.Print("%s", strings.TrimSuffix(string(f.Content), "\n"))
	}
	return nil
}

// writeSchedule writes the files of a scheduler that is not installed from here, and
// says how the system comes to read each.
func (p *program) writeSchedule(c *cli.Context, h schedule.Host, jobs []schedule.Job) error {
	var files []schedule.File
	read := func(name, path string) string { return "launchctl bootstrap system " + strconv.Quote(path) }
	switch kind := kindHere(c); kind {
	case "launchd":
		files = h.Launchd(jobs)
	case "windows":
		files = h.Windows(jobs)
		read = func(name, path string) string {
			return fmt.Sprintf(`schtasks /Create /F /TN "%s" /XML "%s"`, strings.TrimSuffix(name, ".xml"), path)
		}
	default:
		return usage(c, "--to is for launchd and windows; %s is installed without it", kind)
	}
	dir, err := filepath.Abs(c.String("to"))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := os.WriteFile(path, f.Content, 0o644); err != nil {
			return err
		}
		p.Object(scheduleFile{"file", path, string(f.Content)})
		p.Print("%s", ui.Plain(read(f.Name, path)))
	}
	p.Remark("%s written; these commands, run by an administrator, make the system read them", ui.Counted(len(files), "file"))
	return nil
}

// hostOf is this computer and this program.
func hostOf(conf *config.Config) (schedule.Host, error) {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return schedule.Host{}, fmt.Errorf("find this program's file: %w", err)
	}
	if conf.Path == "" {
		return schedule.Host{}, errors.New("the configuration has no path")
	}
	return schedule.Host{Program: program, Config: conf.Path, Practice: conf.Practice.Zone, Local: time.Local, Now: time.Now()}, nil
}

// jobsOf are the plans that have a time, and the watch over them. The watch is
// started every hour: it sends each alert once, and one a day would be lost with
// the computer off at that time.
func jobsOf(conf *config.Config) (jobs []schedule.Job) {
	for _, plan := range conf.Plans {
		if !plan.Enabled || plan.Times.Never() {
			continue
		}
		jobs = append(jobs, schedule.Job{
			Name: "run-" + plan.Name, Title: "chartkeep: plan " + plan.Name,
			Args: []string{"run", plan.Name}, Due: []string{"run", "--due", plan.Name},
			Times: plan.Times, CatchUp: plan.CatchUp,
		})
	}
	if len(jobs) == 0 {
		return nil
	}
	return append(jobs, schedule.Job{
		Name: "status", Title: "chartkeep: is anything overdue", Args: []string{"status", "--alert"},
		Times: schedule.Times{Cron: "7 * * * *"},
	})
}
