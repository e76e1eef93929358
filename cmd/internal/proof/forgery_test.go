package proof_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/snapshot"
)

// instead stores content under the ID of another one of the same length.
func (f *forger) instead(class index.Class, right, wrong []byte) chunk.ID {
	f.Helper()
	if len(right) != len(wrong) {
		f.Fatalf("%d bytes instead of %d", len(wrong), len(right))
	}
	id := f.r.Hash(right)
	f.as(class, index.Raw, wrong, index.Chunk{ID: id, Length: uint32(len(wrong))})
	return id
}

const rightLetter, wrongLetter = "what the dentist wrote", "what somebody else did"

// TestContentThatItsIDDoesNotNameComesOutNowhere has blocks that are sealed as they
// should be, and hold something else than the IDs beside them say. A bit that turned
// in a computer's memory looks like that, too.
func TestContentThatItsIDDoesNotNameComesOutNowhere(t *testing.T) {
	t.Parallel()
	t.Run("of a file", func(t *testing.T) {
		f := forge(t, func(f *forger) {
			id := f.instead(index.Data, []byte(rightLetter), []byte(wrongLetter))
			f.snapshot(f.list(file("letter", snapshot.Ref{ID: id, Size: uint64(len(rightLetter))}), file("other", f.content("right"))))
		})
		f.saysNothingOf(wrongLetter, tree{"other": "right"})
	})
	t.Run("of a folder", func(t *testing.T) {
		f := forge(t, func(f *forger) {
			one := f.content("right")
			right, wrong := f.piece(file("letter", one)), f.piece(file("forged", one))
			inner := snapshot.Ref{ID: f.instead(index.Meta, right, wrong), Size: 1, Name: "letter"}
			f.snapshot(f.list(folder("folder", inner), file("other", one)))
		})
		f.saysNothingOf("forged", tree{"other": "right"})
	})
	t.Run("beside the right one", func(t *testing.T) {
		f := forge(t, func(f *forger) {
			one := f.content(rightLetter)
			for range 3 {
				f.instead(index.Data, []byte(rightLetter), []byte(wrongLetter))
			}
			f.snapshot(f.list(file("letter", one)))
		})
		if got := f.restored(); !maps.Equal(got, tree{"letter": rightLetter}) {
			t.Errorf("%v comes back", got)
		}
		if f.run("check", "--read-data").code == 0 {
			t.Errorf("the check finds nothing")
		}
	})
}

// restored restores the last snapshot; whatever comes back is right.
func (f *forger) restored() tree {
	f.Helper()
	out := f.path("target", "out")
	o := f.run("restore", "latest", "--target", out)
	got := tree{}
	if _, err := os.Stat(out); err == nil {
		got = read(f, out)
	}
	for name, data := range got {
		if strings.Contains(data, wrongLetter) || strings.Contains(name, "forged") {
			f.Errorf("%s comes back with %q", name, data)
		}
	}
	if got["letter"] == "" && o.code == 0 {
		f.Errorf("the restore does not say that a file is missing")
	}
	return got
}

// saysNothingOf wants only what is right to come back, the wrong content on no way
// out, and the check to be red.
func (f *forger) saysNothingOf(wrong string, right tree) {
	f.Helper()
	if got := f.restored(); !maps.Equal(got, right) {
		f.Errorf("%v comes back, want %v", got, right)
	}
	for _, args := range [][]string{{"ls", "-R", "latest"}, {"dump", "latest:/letter"}, {"dump", "latest:/folder"}, {"find", "*"}, {"check"}} {
		if o := f.run(args...); strings.Contains(o.stdout.String()+o.stderr.String(), wrong) {
			f.Errorf("%s: exit code %d\n%s%s", strings.Join(args, " "), o.code, &o.stdout, &o.stderr)
		}
	}
	if o := f.run("check", "--read-data"); o.code != 13 {
		f.Errorf("the check exits with %d\n%s", o.code, &o.stderr)
	}
	must(f, os.RemoveAll(filepath.Dir(f.path("target", "out"))))
}
