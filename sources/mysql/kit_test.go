package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartkeep/sources"
)

// shared is the server that tests share. Each test has databases of its own.
var shared *Server

// programs is the folder of another version's programs, on which the tests are to
// be run.
var programs = os.Getenv("CHARTKEEP_TEST_MYSQL")

func TestMain(m *testing.M) {
	os.Exit(withServer(m))
}

func withServer(m *testing.M) int {
	if programs != "" {
		os.Setenv("PATH", programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	s, err := Scratch(context.Background(), ScratchOptions{Programs: programs, Settings: []string{"log-bin=log", "server-id=1", "max-connections=400"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "start a MariaDB server for the tests (testdata/install-needs installs it):", err)
		return 1
	}
	defer s.Stop()
	defer func() {
		if secondServer != nil {
			secondServer.Stop()
		}
	}()
	shared = s
	lateKeysFrom, loadAtOnce = 0, 2000
	if !maria() {
		small = ofSequences.Replace(small)
	}
	return m.Run()
}

// second is a server that has nothing but what one test brings there.
func second(t *testing.T) *Server {
	t.Helper()
	secondOnce.Do(func() { secondServer, secondErr = Scratch(context.Background(), ScratchOptions{Programs: programs}) })
	if secondErr != nil {
		t.Fatal(secondErr)
	}
	t.Cleanup(func() {
		for _, db := range strings.Fields(client(t, secondServer, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('mysql','sys','information_schema','performance_schema')")) {
			client(t, secondServer, "DROP DATABASE "+quote(db))
		}
	})
	return secondServer
}

var (
	secondOnce   sync.Once
	secondServer *Server
	secondErr    error
)

// start starts a server for one test.
func start(t *testing.T, settings ...string) *Server {
	t.Helper()
	s, err := Scratch(context.Background(), ScratchOptions{Programs: programs, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client runs the vendor's client with a script.
func client(t *testing.T, s *Server, script string) string {
	t.Helper()
	out, err := tryClient(s, script)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

func tryClient(s *Server, script string) (string, error) {
	cmd := exec.Command(vendor("mariadb", "mysql"), "--no-defaults", "--socket="+s.Socket(), "--user=root", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", "--binary-mode")
	cmd.Stdin = strings.NewReader(inWords(script))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// vendorDump is what the vendor's own dump program says of databases: all of
// it, rows with history in the order of their keys, bytes in hexadecimal.
func vendorDump(t *testing.T, s *Server, databases ...string) string {
	t.Helper()
	args := []string{
		"--no-defaults", "--socket=" + s.Socket(), "--user=root", "--skip-dump-date", "--order-by-primary", "--hex-blob", "--skip-lock-tables", "--skip-add-locks",
		"--skip-extended-insert", "--routines", "--events", "--triggers", vendor("--dump-history", "--set-gtid-purged=OFF"), "--databases",
	}
	out, err := exec.Command(vendor("mariadb-dump", "mysqldump"), append(args, databases...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out = charset.ReplaceAll(out, []byte(" COLLATE "))
	return regexp.MustCompile("(?m)^-- Server version.*").ReplaceAllString(string(out), "")
}

// sourceOf returns a source of databases of a server.
func sourceOf(t *testing.T, s *Server, databases ...string) *Source {
	t.Helper()
	src, err := New(Options{Name: "practice", URL: s.URL(""), Databases: databases, Log: func(m string) { t.Log(m) }})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// A copied is what a source yielded, as a sink reads it.
type copied map[string][]byte

func (c copied) Files(context.Context) ([]sources.SavedFile, error) {
	var all []sources.SavedFile
	for p, b := range c {
		all = append(all, sources.SavedFile{Path: p, Size: int64(len(b))})
	}
	slices.SortFunc(all, func(a, b sources.SavedFile) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

func (c copied) Open(_ context.Context, path string) (io.ReadCloser, error) {
	b, ok := c[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// take reads a source as the saver does: two streams at a time. begun is called
// when the moment is held.
func take(src *Source, begun func()) (copied, map[string]string, error) {
	ctx := context.Background()
	c, mu := copied{}, sync.Mutex{}
	var wg sync.WaitGroup
	jobs := make(chan sources.Entry, 1000)
	var problems []error
	for range 2 {
		wg.Go(func() {
			for e := range jobs {
				b, err := readEntry(e)
				mu.Lock()
				if err != nil {
					problems = append(problems, err)
				} else {
					c[strings.TrimPrefix(e.Path, "/practice/")] = b
				}
				mu.Unlock()
			}
		})
	}
	for e := range src.Entries(ctx) {
		if e.Path == "/" && begun != nil {
			begun()
		}
		if e.Err != nil {
			problems = append(problems, e.Err)
		} else if e.Meta.Kind == sources.Regular {
			jobs <- e
		}
	}
	close(jobs)
	wg.Wait()
	facts, err := src.End(ctx)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("End was nil beside: %w", errors.Join(problems...))
	}
	return c, facts, err
}

func readEntry(e sources.Entry) ([]byte, error) {
	f, err := e.Content.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err == nil {
		var m sources.Meta
		if m, err = f.Meta(); err == nil && m.Size != int64(len(b)) {
			err = fmt.Errorf("%s: %d bytes read and size %d", e.Path, len(b), m.Size)
		}
	}
	return b, err
}

// mustTake is take for a source that has to succeed.
func mustTake(t *testing.T, src *Source) (copied, map[string]string) {
	t.Helper()
	c, facts, err := take(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, facts
}

// database makes an empty database for a test and returns its name.
func database(t *testing.T, s *Server) string {
	t.Helper()
	name := "t_" + strings.ToLower(strings.NewReplacer("/", "_", "#", "_").Replace(t.Name()))
	name = name[:min(len(name), 50)]
	client(t, s, "DROP DATABASE IF EXISTS "+quote(name)+"; CREATE DATABASE "+quote(name)+" CHARACTER SET utf8mb4;")
	t.Cleanup(func() {
		if out, err := tryClient(s, "DROP DATABASE IF EXISTS "+quote(name)); err != nil {
			t.Log(out)
		}
	})
	return name
}

// sameText fails with the first line that differs.
func sameText(t *testing.T, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		a, b := "", ""
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("line %d differs:\ngot  %.600q\nwant %.600q", i+1, a, b)
		}
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 500 {
		if holds() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// script writes a program for a test.
func script(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, inWords(name)), []byte("#!/bin/sh\n"+inWords(text)+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func waitForFile(path string) {
	for range 1000 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func touch(path string) { _ = os.WriteFile(path, nil, 0o600) }
