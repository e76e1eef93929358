package files

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/sources"
)

// excludes reports what a walk down to path does: a folder that is left out is
// not entered.
func excludes(e excluder, path string) bool {
	var above verdicts
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if e.excluded(above, path[:i]) {
			return true
		}
		above = e.below(above, path[:i])
	}
	return false
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		patterns string // separated by spaces
		path     string
		out      bool
	}{
		{"*.tmp", "/a/b.tmp", true},
		{"*.tmp", "/a/b.tmpx", false},
		{"*.tmp", "/a.tmp/b", true},
		{"b", "/a/b/c", true},
		{"b", "/a/bb", false},
		{"b/", "/a/b", true},
		{"b/c", "/a/b/c/d", true},
		{"b/c", "/a/b/x/c", false},
		{"b/*", "/a/b", false},
		{"b/*", "/a/b/c", true},
		{"/b", "/a/b", false},
		{"/a", "/a/b", true},
		{"/a/*/c", "/a/b/c", true},
		{"/a/*/c", "/a/b/b/c", false},
		{"/a/**/c", "/a/b/b/c", true},
		{"/a/**/c", "/a/c", true},
		{"/a/**", "/b/a/c", false},
		{"**/x/**/y", "/q/x/1/2/y", true},
		{"?", "/ab", false},
		{"?", "/a/b", true},
		{"[ab]c", "/bc", true},
		{"[^ab]c", "/bc", false},
		{`\*`, "/a/*", true},
		{`\*`, "/a/b", false},
		{"{a,b}", "/a", false},
		{"{a,b}", "/{a,b}", true},
		{"{*}", "/x/{12-ab}", true},
		{"{a,b}*", "/x/{a,b}c", true},
		{"{a,b}*", "/x/a", false},
		{"A", "/a", false},
		{"*.gone !keep.gone", "/a/keep.gone", false},
		{"*.gone !keep.gone", "/a/b.gone", true},
		{"!keep.gone *.gone", "/a/keep.gone", true},
		{"/h/* !/h/keep", "/h/keep/deep/file", false},
		{"/h/* !/h/keep", "/h/other/file", true},
		{"/h/* !/h/keep", "/h", false},
		{"/h !/h/keep", "/h/keep", true},
		{"* !a !b", "/a/b", false},
		{"* !a", "/a/b", false},
		{"\xff*", "/a/\xff\xfe", true},
		{"\xff", "/a/\xff", true},
		{"\xff", "/a/\xfe", false},
	} {
		e, err := newExcluder(strings.Fields(c.patterns), nil)
		if err != nil {
			t.Errorf("%q: %v", c.patterns, err)
			continue
		}
		if out := excludes(e, c.path); out != c.out {
			t.Errorf("%q on %q: %v, want %v", c.patterns, c.path, out, c.out)
		}
	}
}

func TestFoldedPatternsIgnoreCase(t *testing.T) {
	e, err := newExcluder([]string{"Exact"}, []string{"*.JPG", "!keep.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/a/x.jpg": true, "/a/X.Jpg": true, "/a/KEEP.jpg": false, "/exact": false, "/Exact": true,
	} {
		if out := excludes(e, path); out != want {
			t.Errorf("%s: %v, want %v", path, out, want)
		}
	}
}

func TestReadListDropsCommentsAndBlankLines(t *testing.T) {
	got, err := ReadList(strings.NewReader("# comment\n\n  *.tmp \r\n$HOME/x\n!#y\n"), strings.NewReplacer("$HOME", "/h").Replace)
	if want := []string{"*.tmp", "/h/x", "!#y"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

// leftOut walks root and returns what is there and what was reported.
func leftOut(t *testing.T, o Options, root string) (kept, reported []string) {
	t.Helper()
	o.Paths = []string{root}
	o.Skipped = func(path string, why Reason) {
		reported = append(reported, strings.TrimPrefix(path, entryPath(root)+"/")+": "+why.String())
	}
	return relative(t, walkAll(t, o, root), root), reported
}

func TestWhatIsLeftOutIsReportedInOrder(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "a.tmp"), "")
	put(t, filepath.Join(root, "b", "c.tmp"), "")
	put(t, filepath.Join(root, "b", "large"), "123456")
	put(t, filepath.Join(root, "b", "small"), "12345")
	put(t, filepath.Join(root, "repository", "packs"), "")
	put(t, filepath.Join(root, "z.tmp", "d"), "")
	sign := time.Unix(1e9, 0)
	if err := os.Chtimes(filepath.Join(root, "repository"), sign, sign); err != nil {
		t.Fatal(err)
	}
	kept, reported := leftOut(t, Options{
		Excludes:          []string{"*.tmp"},
		ExcludeLargerThan: 5,
		Skip: func(m sources.Meta) bool {
			return m.MTime == sources.At(sign)
		},
	}, root)
	wantPaths(t, kept, []string{"b", "b/small"})
	wantPaths(t, reported, []string{
		"a.tmp: excluded", "z.tmp: excluded", "repository: skipped",
		"b/c.tmp: excluded", "b/large: too large",
	})
}

func TestTaggedFoldersAreKeptWithNothingButTheTag(t *testing.T) {
	root := t.TempDir()
	signature := cacheTag.header
	put(t, filepath.Join(root, "cache", "CACHEDIR.TAG"), signature+"\n# more")
	put(t, filepath.Join(root, "cache", "deep", "x"), "")
	put(t, filepath.Join(root, "false", "CACHEDIR.TAG"), strings.Replace(signature, "8a", "9a", 1))
	put(t, filepath.Join(root, "false", "x"), "")
	put(t, filepath.Join(root, "short", "CACHEDIR.TAG"), "Sig")
	put(t, filepath.Join(root, "marked", ".nobackup"), "")
	put(t, filepath.Join(root, "marked", "x"), "")
	put(t, filepath.Join(root, "headed", "tag"), "right: yes")
	put(t, filepath.Join(root, "headed", "x"), "")
	put(t, filepath.Join(root, "wrong", "tag"), "wrong: not so")
	put(t, filepath.Join(root, "wrong", "x"), "")
	kept, reported := leftOut(t, Options{
		ExcludeCaches:    true,
		ExcludeIfPresent: []string{".nobackup", "tag:right"},
	}, root)
	wantPaths(t, kept, []string{
		"cache", "cache/CACHEDIR.TAG", "false", "false/CACHEDIR.TAG", "false/x", "headed", "headed/tag",
		"marked", "marked/.nobackup", "short", "short/CACHEDIR.TAG", "wrong", "wrong/tag", "wrong/x",
	})
	wantPaths(t, reported, []string{
		"cache: excluded by a tag", "headed: excluded by a tag", "marked: excluded by a tag",
	})
}

func TestPatternsDoNotApplyAboveTheGivenPaths(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "tmp", "wanted", "tmp"), "")
	put(t, filepath.Join(root, "tmp", "wanted", "x"), "")
	o := Options{Paths: []string{filepath.Join(root, "tmp", "wanted")}, Excludes: []string{"tmp"}}
	wantPaths(t, relative(t, walkAll(t, o, root), root), []string{"tmp", "tmp/wanted", "tmp/wanted/x"})
}
