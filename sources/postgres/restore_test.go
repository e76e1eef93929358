package postgres

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fresh starts another server, with the live one's programs.
func fresh(t *testing.T) *Server {
	t.Helper()
	s, err := Scratch(t.Context(), ScratchOptions{Programs: filepath.Dir(live.process.Path)})
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
