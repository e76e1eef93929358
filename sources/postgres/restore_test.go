package postgres

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fresh starts another server, with the live one's programs.
func fresh(t *testing.T) *Server {
	t.Helper()
	s, err := Scratch(t.Context(), ScratchOptions{Programs: livePrograms})
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

// sortedLines sorts the lines of a text: rows come back in another order than
// they lay in.
func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func globals(t *testing.T, s *Server) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(programsDir(t), "pg_dumpall"), "--globals-only", "--dbname="+s.URL("postgres")).Output()
	if err != nil {
		t.Fatal(err)
	}
	return changing.ReplaceAllString(string(out), "")
}

func TestADatabaseWithEveryTrapComesBack(t *testing.T) {
	all, facts := copyOf(t, source(t, nil, "traps"))
	counts, err := Counts(facts, "traps")
	if err != nil {
		t.Fatal(err)
	}
	s := fresh(t)
	report, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: s.URL("traps"), Create: true, Roles: true, Counts: counts})
	if err != nil {
		t.Fatal(err)
	}
	if report.Objects != 5 || report.Rows != 247 {
		t.Errorf("report %+v", report)
	}
	wantSame(t, "the roles", globals(t, s), globals(t, live))
	wantSame(t, "the schema", vendorDump(t, s, "traps", "--schema-only", "--create"), vendorDump(t, live, "traps", "--schema-only", "--create"))
	wantSame(t, "the data", sortedLines(vendorDump(t, s, "traps", "--data-only", "--disable-triggers")), sortedLines(vendorDump(t, live, "traps", "--data-only", "--disable-triggers")))
}

// TestASavedDatabaseIsAnArchiveForPgRestore that its own program reads, with
// one job and with several.
func TestASavedDatabaseIsAnArchiveForPgRestore(t *testing.T) {
	all, _ := copyOf(t, source(t, nil, "traps"))
	file := filepath.Join(t.TempDir(), "traps.dump")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(WriteArchive(t.Context(), out, all, ""), out.Close()); err != nil {
		t.Fatal(err)
	}
	s := fresh(t)
	conn := open(t, s, "postgres")
	for _, role := range []string{"clerk", `"Chief ""Doctor"""`, "auditor"} {
		do(t, conn, "CREATE ROLE "+role)
	}
	for _, jobs := range []string{"1", "3"} {
		do(t, conn, "DROP DATABASE IF EXISTS traps")
		said, err := exec.CommandContext(t.Context(), filepath.Join(programsDir(t), "pg_restore"),
			"--exit-on-error", "--create", "--jobs="+jobs, "--dbname="+s.URL("postgres"), file).CombinedOutput()
		if err != nil {
			t.Fatalf("%s jobs: %v: %s", jobs, err, said)
		}
		wantSame(t, "the schema", vendorDump(t, s, "traps", "--schema-only", "--create"), vendorDump(t, live, "traps", "--schema-only", "--create"))
		if jobs == "1" { // with several, event triggers may be there when views are refreshed
			wantSame(t, "the data", sortedLines(vendorDump(t, s, "traps", "--data-only")), sortedLines(vendorDump(t, live, "traps", "--data-only")))
		}
	}
}
