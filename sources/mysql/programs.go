package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartkeep/sources/child"
)

// ErrPrograms says that no dump program is there that is the server's own kind
// and new enough.
var ErrPrograms = errors.New("the programs of MariaDB or MySQL are missing or too old")

// folders are where systems keep the programs, beside the path.
var folders = []string{
	"/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin",
	"/opt/homebrew/bin", "/opt/homebrew/opt/mariadb*/bin", "/opt/homebrew/opt/mysql*/bin",
	`C:\Program Files\MariaDB *\bin`, `C:\Program Files\MySQL\MySQL Server *\bin`,
}

// findPrograms returns the programs with one of these names, in dir if it is
// given.
func findPrograms(dir string, names ...string) []string {
	var found []string
	for _, name := range names {
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		if dir != "" {
			found = append(found, executables(filepath.Join(dir, name))...)
			continue
		}
		if p, err := exec.LookPath(name); err == nil {
			found = append(found, p)
		}
		for _, f := range folders {
			found = append(found, executables(filepath.Join(f, name))...)
		}
	}
	return found
}

// executables returns the programs that match a pattern.
func executables(pattern string) []string {
	found, _ := filepath.Glob(pattern) // the only error is a bad pattern
	return slices.DeleteFunc(found, func(p string) bool {
		_, err := exec.LookPath(p)
		return err != nil
	})
}

// findDump returns the dump program for a server: its own kind's, and not older.
func findDump(ctx context.Context, dir string, s server) (string, error) {
	names := []string{"mysqldump"}
	if s.maria {
		names = []string{"mariadb-dump", "mysqldump"}
	}
	var seen []string
	for _, path := range findPrograms(dir, names...) {
		p, err := programVersion(ctx, path)
		if err != nil {
			continue
		}
		if p.maria == s.maria && p.since(s.major, s.minor) {
			return path, nil
		}
		seen = append(seen, p.String())
	}
	if len(seen) == 0 {
		return "", fmt.Errorf("%w: no %s", ErrPrograms, strings.Join(names, " or "))
	}
	return "", fmt.Errorf("%w: the server is %s, and the dump program is of %s", ErrPrograms, s, seen[0])
}

// findDaemon returns the server's program: one of the kind that like names, and
// not older; any if like is empty.
func findDaemon(ctx context.Context, dir, like string) (string, error) {
	found := findPrograms(dir, "mariadbd", "mysqld")
	if len(found) == 0 {
		return "", fmt.Errorf("%w: no mariadbd or mysqld", ErrPrograms)
	}
	if like == "" {
		return found[0], nil
	}
	want, err := parseVersion(like)
	if err != nil {
		return "", err
	}
	seen := ""
	for _, path := range found {
		p, err := programVersion(ctx, path)
		if err == nil && p.maria == want.maria && p.since(want.major, want.minor) {
			return path, nil
		}
		if err == nil && seen == "" {
			seen = p.String()
		}
	}
	return "", fmt.Errorf("%w: it was saved from %s, and the server here is %s", ErrPrograms, like, seen)
}

// threeNumbers is a version as the programs tell it; the first that has three
// numbers: "Ver 10.19 Distrib 10.11.19-MariaDB", "Ver 8.0.36 for Linux".
var threeNumbers = regexp.MustCompile(`\d+\.\d+\.\d+[-\w]*`)

func programVersion(ctx context.Context, path string) (server, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return server{}, err
	}
	return parseVersion(string(threeNumbers.Find(out)))
}

// A ProgramError says that a program of the server's vendor failed.
type ProgramError struct {
	Program string
	Err     error  // *exec.ExitError if it ran
	Said    string // what it wrote on standard error, the beginning
}

func (e *ProgramError) Error() string {
	if e.Said == "" {
		return fmt.Sprintf("%s: %v", e.Program, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", e.Program, e.Err, e.Said)
}

// Unwrap returns e.Err.
func (e *ProgramError) Unwrap() error { return e.Err }

// goodbye is how long a program that was told to end may take.
const goodbye = 5 * time.Second

// run runs a program and returns its output.
func run(ctx context.Context, path string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = environment()
	cmd.SysProcAttr = child.Apart()
	cmd.Cancel = func() error { return child.Stop(cmd.Process) }
	cmd.WaitDelay = goodbye
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, &ProgramError{Program: filepath.Base(path), Err: err, Said: clip(said.String())}
	}
	return out.Bytes(), nil
}

// environment is this process's, without what gives the repository's password
// or another server's.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name := strings.ToUpper(v)
		return strings.HasPrefix(name, "CHARTKEEP_PASSWORD") || strings.HasPrefix(name, "MYSQL_PWD=") || strings.HasPrefix(name, "MARIADB_PWD=")
	})
}

// clip keeps the first lines of a message.
func clip(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if len(lines) > 4 {
		lines = append(lines[:4], "…")
	}
	text := strings.Join(lines, "; ")
	if len(text) > 1000 {
		text = strings.ToValidUTF8(text[:1000], "") + "…"
	}
	return text
}

// withLogin calls do with a file of options that tells the vendor's programs how
// to reach the server. The password is in no command line and no environment,
// and the file is gone afterwards.
func withLogin(l login, do func(file string) error) error {
	dir, err := os.MkdirTemp("", "chartkeep-mysql-") // mode 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "login.cnf")
	if err := os.WriteFile(file, []byte(l.optionFile()), 0o600); err != nil {
		return err
	}
	return do(file)
}

// optionFile is the content of such a file.
func (l login) optionFile() string {
	lines := []string{"[client]", "user=" + optionValue(l.user), "password=" + optionValue(l.password)}
	if l.socket != "" {
		lines = append(lines, "protocol=SOCKET", "socket="+optionValue(l.socket))
	} else {
		lines = append(lines, "protocol=TCP", "host="+optionValue(l.host), "port="+strconv.Quote(l.port))
	}
	if l.tls == "true" || l.tls == "skip-verify" {
		lines = append(lines, "loose-ssl", "loose-ssl-mode=REQUIRED")
	}
	if l.tls == "true" {
		lines = append(lines, "loose-ssl-verify-server-cert")
	}
	return strings.Join(lines, "\n") + "\n"
}

// optionValue quotes a value: # would begin a comment, and blanks at its ends
// would be lost.
func optionValue(v string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(v) + `"`
}
