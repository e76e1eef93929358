package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"chartkeep/sources"
)

// entries returns a source's entries and the file among them.
func entries(ctx context.Context, s *Source) (paths []string, file sources.Entry) {
	for e := range s.Entries(ctx) {
		paths = append(paths, e.Path)
		file = e
	}
	return paths, file
}

// command returns the file of a shell command.
func command(t *testing.T, ctx context.Context, script string, change func(*Command)) sources.File {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	c := Command{Args: []string{"sh", "-c", script}, grace: 200 * time.Millisecond}
	if change != nil {
		change(&c)
	}
	s, err := NewCommand("dump.sql", c)
	if err != nil {
		t.Fatal(err)
	}
	_, e := entries(ctx, s)
	f, err := e.Content.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestAStreamIsOneFileInItsFolders(t *testing.T) {
	for name, want := range map[string][]string{
		"dump.sql":     {"/", "/dump.sql"},
		"/db/x/d.sql":  {"/", "/db", "/db/x", "/db/x/d.sql"},
		"../../up.sql": {"/", "/up.sql"},
		"a//b/./c":     {"/", "/a", "/a/b", "/a/b/c"},
	} {
		s, err := NewReader(name, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		got, file := entries(t.Context(), s)
		if !slices.Equal(got, want) || file.Meta.Kind != sources.Regular || file.Meta.MTime.IsZero() {
			t.Errorf("%s: %q, %+v", name, got, file.Meta)
		}
	}
	for _, name := range []string{"", "/", ".", "dir/", "a\x00b", ".."} {
		if _, err := NewReader(name, nil); err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestOnlyTheFileIsStreamed(t *testing.T) {
	s, err := NewReader("dir/x", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	for e := range s.Entries(t.Context()) {
		if e.Meta.Kind == sources.Dir == sources.Stream(e.Content) {
			t.Errorf("%s: streamed is %v", e.Path, sources.Stream(e.Content))
		}
	}
}

func TestAReaderIsReadOnceAndCounted(t *testing.T) {
	s, err := NewReader("x", iotest.OneByteReader(strings.NewReader("content")))
	if err != nil {
		t.Fatal(err)
	}
	_, e := entries(t.Context(), s)
	f, err := e.Content.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	m, _ := f.Meta()
	if string(b) != "content" || err != nil || m.Size != 7 || m.MTime != e.Meta.MTime {
		t.Errorf("%q, %v, %+v", b, err, m)
	}
	if _, err := e.Content.Open(); err == nil {
		t.Error("it could be opened again")
	}
	if list, err := e.Content.Attributes(); list != nil || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

func TestAReadersErrorIsItsEnd(t *testing.T) {
	broken := errors.New("broken")
	s, err := NewReader("x", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)))
	if err != nil {
		t.Fatal(err)
	}
	_, e := entries(t.Context(), s)
	f, _ := e.Content.Open()
	if b, err := io.ReadAll(f); string(b) != "half" || err != broken {
		t.Errorf("%q, %v", b, err)
	}
}

func TestAnEmptyStreamIsAnError(t *testing.T) {
	s, err := NewReader("x", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	_, e := entries(t.Context(), s)
	f, _ := e.Content.Open()
	for range 2 {
		if _, err := io.ReadAll(f); !errors.Is(err, ErrEmpty) {
			t.Errorf("reader: %v", err)
		}
	}
	if _, err := io.ReadAll(command(t, t.Context(), "true", nil)); !errors.Is(err, ErrEmpty) {
		t.Errorf("command: %v", err)
	}
}

func TestAReaderEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := NewReader("x", strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	_, e := entries(ctx, s)
	f, _ := e.Content.Open()
	cancel()
	if _, err := io.ReadAll(f); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestACommandsOutputIsTheFile(t *testing.T) {
	f := command(t, t.Context(), "printf a; sleep 0.05; printf b", nil)
	b, err := io.ReadAll(f)
	m, _ := f.Meta()
	if string(b) != "ab" || err != nil || m.Size != 2 {
		t.Errorf("%q, %v, %+v", b, err, m)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestACommandThatFailsNeverEndsWell(t *testing.T) {
	for script, want := range map[string]string{
		"echo half; echo first >&2; echo last words >&2; exit 3": "command sh: exit status 3 (last words)",
		"exit 1":                "command sh: exit status 1",
		"echo half; kill -9 $$": "command sh: signal: killed",
		"echo half; exec 1>&-; sleep 0.1; exit 4": "command sh: exit status 4",
	} {
		f := command(t, t.Context(), script, nil)
		for range 2 {
			_, err := io.ReadAll(f)
			var failure *CommandError
			if !errors.As(err, &failure) || err.Error() != want {
				t.Errorf("%s: %v, want %s", script, err, want)
			}
		}
	}
}

func TestACommandThatIsNotThereCannotBeOpened(t *testing.T) {
	s, err := NewCommand("x", Command{Args: []string{"no-such-program-here"}})
	if err != nil {
		t.Fatal(err)
	}
	_, e := entries(t.Context(), s)
	if _, err := e.Content.Open(); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	for _, args := range [][]string{nil, {""}} {
		if _, err := NewCommand("x", Command{Args: args}); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

func TestACommandDoesNotSeeThePassword(t *testing.T) {
	t.Setenv("CHARTKEEP_PASSWORD", "secret")
	t.Setenv("CHARTKEEP_PASSWORD_FILE", "secret")
	t.Setenv("CHARTKEEP_REPOSITORY", "shown")
	b, err := io.ReadAll(command(t, t.Context(), "env", nil))
	if err != nil || strings.Contains(string(b), "secret") || !strings.Contains(string(b), "CHARTKEEP_REPOSITORY=shown") {
		t.Errorf("%q, %v", b, err)
	}
	b, err = io.ReadAll(command(t, t.Context(), "env", func(c *Command) {
		c.Env = []string{"CHARTKEEP_PASSWORD_COMMAND=secret", "OWN=1"}
	}))
	if err != nil || strings.Contains(string(b), "secret") || strings.Contains(string(b), "REPOSITORY") || !strings.Contains(string(b), "OWN=1") {
		t.Errorf("%q, %v", b, err)
	}
}

func TestACommandsErrorsArePassedOn(t *testing.T) {
	var said bytes.Buffer
	f := command(t, t.Context(), "echo data; echo note >&2; pwd >&2", func(c *Command) { c.Stderr, c.Dir = &said, "/" })
	if b, err := io.ReadAll(f); string(b) != "data\n" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if said.String() != "note\n/\n" {
		t.Errorf("it said %q", said.String())
	}
}

func TestOpeningAgainRunsTheCommandAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	s, err := NewCommand("x", Command{Args: []string{"sh", "-c", "echo $$"}})
	if err != nil {
		t.Fatal(err)
	}
	_, e := entries(t.Context(), s)
	var pids []string
	for range 2 {
		f, err := e.Content.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(f)
		f.Close()
		pids = append(pids, string(b))
	}
	if pids[0] == pids[1] || pids[0] == "" {
		t.Errorf("processes %q", pids)
	}
}

// stubborn prints the numbers of itself and a child, and neither ends when told.
const stubborn = `trap "" TERM; (trap "" TERM; while :; do sleep 0.05; done) & echo $$ $!; while :; do sleep 0.05; done`

// wantGone checks that processes end soon.
func wantGone(t *testing.T, line string) {
	t.Helper()
	for _, field := range strings.Fields(line) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatalf("not process numbers: %q", line)
		}
		for deadline := time.Now().Add(5 * time.Second); running(pid); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("process %d still runs", pid)
				break
			}
		}
	}
}

func TestCancellingStopsTheCommandAndItsChildren(t *testing.T) {
	for _, script := range []string{"sleep 100 & echo $$ $!; wait", stubborn} {
		ctx, cancel := context.WithCancel(t.Context())
		f := command(t, ctx, script, nil)
		line := make([]byte, 100)
		n, err := f.Read(line)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := io.ReadAll(f); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		wantGone(t, string(line[:n]))
	}
}

func TestClosingEarlyStopsTheCommandAndItsChildren(t *testing.T) {
	for _, script := range []string{"sleep 100 & echo $$ $!; wait", stubborn} {
		f := command(t, t.Context(), script, nil)
		line := make([]byte, 100)
		n, err := f.Read(line)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		wantGone(t, string(line[:n]))
	}
}

func TestAChildThatKeepsStandardErrorOpenDoesNotSpoilTheDump(t *testing.T) {
	f := command(t, t.Context(), "echo data; sleep 2 >/dev/null & exit 0", nil)
	start := time.Now()
	if b, err := io.ReadAll(f); string(b) != "data\n" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if took := time.Since(start); took > 1500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}
