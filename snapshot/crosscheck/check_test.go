package crosscheck

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// tree is a source of files in memory, by their paths.
type tree map[string]string

func (s tree) Entries(context.Context) iter.Seq[sources.Entry] {
	all := map[string]bool{"/": true}
	for p := range s {
		for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
			all[dir] = true
		}
		all[p] = true
	}
	return func(yield func(sources.Entry) bool) {
		for _, p := range slices.SortedFunc(maps.Keys(all), func(a, b string) int {
			return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
		}) {
			text, regular := s[p]
			e := sources.Entry{Path: p, Meta: sources.Meta{Kind: sources.Dir, Mode: 0o755, Links: 1}, Content: memory("")}
			if regular {
				e.Meta.Kind, e.Meta.Size, e.Content = sources.Regular, int64(len(text)), memory(text)
			}
			if !yield(e) {
				return
			}
		}
	}
}

type memory string

func (m memory) Open() (sources.File, error) {
	return &memoryFile{*bytes.NewReader([]byte(m)), int64(len(m))}, nil
}

func (memory) Attributes() ([]sources.Attribute, error) { return nil, nil }

type memoryFile struct {
	bytes.Reader
	size int64
}

func (f *memoryFile) Meta() (sources.Meta, error) {
	return sources.Meta{Kind: sources.Regular, Mode: 0o755, Links: 1, Size: f.size}, nil
}

func (*memoryFile) Close() error { return nil }

func saved(t testing.TB, s tree) (*repo.Repository, *snapshot.Node) {
	t.Helper()
	ctx := context.Background()
	r := repotest.New(t, repotest.Options{})
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	root, _, err := snapshot.Save(ctx, r, w, s, snapshot.SaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	m := &snapshot.Snapshot{Root: *root, Complete: true}
	if err := m.Put(ctx, w); err != nil {
		t.Fatal(err)
	}
	return r, root
}

const openDental = `{"format": 1, "kind": "mysql", "databases": [{"name": "opendental", "folder": "opendental", "tables": [
	{"name": "document", "file": "document.tsv", "key": ["DocNum"],
	 "columns": [{"name": "DocNum"}, {"name": "Note"}, {"name": "PatNum"}, {"name": "FileName"}, {"name": "RawBase64"}]},
	{"name": "patient", "file": "patient.tsv", "key": ["PatNum"], "columns": [{"name": "PatNum"}, {"name": "ImageFolder"}]}
]}]}`

func practice() tree {
	return tree{
		"/practice/database.json":                  openDental,
		"/practice/opendental/tables/patient.tsv":  "12\tSmithJohn12\n13\tm\xfcller13\n14\t\n",
		"/practice/opendental/tables/document.tsv": "1\ta\\tb\\n\\\\\t12\tx.jpg\t\\N\n2\t\t13\tY.JPG\tAAAA\n3\t\t12\t\t\n",
		"/srv/images/S/SmithJohn12/x.jpg":          "x",
		"/srv/images/S/SmithJohn12/Thumbnails/x":   "small",
		"/srv/images/M/Müller13/y.jpg":             "y",
		"/srv/images/EOBs/1.pdf":                   "an eob",
		"/srv/images/letters/l/a.txt":              "not an image",
	}
}

func documents() Rule {
	return Rule{
		Source: "practice", Table: "Document", FileColumn: "filename", FolderTable: "patient", FolderColumn: "ImageFolder", Join: "PatNum",
		Roots: []string{"/elsewhere", "/srv/images"}, Layout: LetterFolderFile, Fold: true,
	}
}

func check(t testing.TB, s tree, rules ...Rule) Report {
	t.Helper()
	r, root := saved(t, s)
	report, err := Run(context.Background(), Options{Repository: r, Root: root, Rules: rules, Covered: []string{"/srv/images", "/srv/images/S"}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRowsThatHaveTheirFiles(t *testing.T) {
	report := check(t, practice(), documents())
	if !report.Good() || report.Rows != 2 || report.Found != 2 || report.Nameless != 1 || report.Files != 2 || report.Orphans.Number != 0 {
		t.Errorf("%+v", report)
	}
	if got := report.Words(); got != "2 of 2 rows have their file" {
		t.Error(got)
	}
}

func TestWhatIsMissingOrSurplusIsNamed(t *testing.T) {
	s := practice()
	delete(s, "/srv/images/S/SmithJohn12/x.jpg")
	s["/srv/images/S/SmithJohn12/new.jpg"] = "nobody's"
	s["/practice/opendental/tables/document.tsv"] += "4\t\t99\tlost.jpg\t\n" + "5\t\t12\tZ:\\\\x-rays\\\\5.png\t\n" + "6\t\t14\tz.png\t\n"
	report := check(t, s, documents())
	for _, c := range []struct {
		what string
		got  Findings
		want string
	}{
		{"missing", report.Missing, `document 1: S/SmithJohn12/x.jpg|document 4: lost.jpg (no folder for PatNum "99")|document 6: z.png (no folder for PatNum "14")`},
		{"outside", report.Outside, "document 5: /Z/x-rays/5.png"},
		{"orphans", report.Orphans, "/srv/images/S/SmithJohn12/new.jpg"},
	} {
		if got := strings.Join(c.got.Names, "|"); got != c.want || c.got.Number != int64(len(c.got.Names)) {
			t.Errorf("%s: %d: %s", c.what, c.got.Number, got)
		}
	}
	if report.Good() || report.Found != 1 {
		t.Errorf("%+v", report)
	}
}

func TestWithoutFoldCaseCounts(t *testing.T) {
	rule := documents()
	rule.Fold = false
	report := check(t, practice(), rule)
	if report.Missing.Number != 1 || report.Orphans.Number != 1 {
		t.Errorf("%+v", report)
	}
}

func TestATableWithAColumnOfPaths(t *testing.T) {
	s := tree{
		"/letters/database.json": `{"format": 1, "kind": "postgresql", "databases": [{"name": "app", "folder": "app", "tables": [
			{"schema": "public", "name": "letter", "file": "public.letter.copy", "columns": [{"name": "path"}]},
			{"schema": "old", "name": "letter", "file": "old.letter.copy", "columns": [{"name": "path"}]}]}]}`,
		"/letters/app/tables/public.letter.copy": "2026/1.pdf\n./2026//2.pdf\n/srv/images/3.pdf\n../../etc/4.pdf\n\\N\n",
		"/letters/app/tables/old.letter.copy":    "",
		"/srv/images/2026/1.pdf":                 "1",
		"/srv/images/3.pdf":                      "3",
		"/srv/images/tmp/5.pdf":                  "5",
	}
	rule := Rule{Source: "letters", Table: "public.letter", FileColumn: "path", Roots: []string{"/srv/images"}, Ignore: []string{"tmp/*"}}
	report := check(t, s, rule)
	if got := report.Words(); got != "2 of 4 rows have their file, 1 without a file in the snapshot, 1 with a file outside of the folders that are saved; "+
		"missing: letter: 2026/2.pdf; outside: letter: ../../etc/4.pdf" {
		t.Error(got)
	}
	rule.Table = "letter"
	if report = check(t, s, rule); report.Good() || !strings.Contains(report.Words(), "several were saved") {
		t.Errorf("%+v", report)
	}
}

func TestARuleThatCannotBeFollowedIsSaid(t *testing.T) {
	rule := documents()
	rule.FileColumn = "Path"
	report := check(t, practice(), documents(), rule)
	if got := report.Words(); !strings.Contains(got, "not checked: practice: table document has no column Path") || report.Good() {
		t.Error(got)
	}
	rule = documents()
	rule.Table, rule.Optional = "eobattach", true
	if report := check(t, practice(), documents(), rule); !report.Good() {
		t.Errorf("%+v", report)
	}
	s := practice()
	s["/practice/opendental/tables/document.tsv"] += "4\tshort\n"
	if report := check(t, s, documents()); !strings.Contains(report.Words(), "row 4: 2 values, not 5") {
		t.Error(report.Words())
	}
}

func TestOnlyTwentyNamesAreKept(t *testing.T) {
	s := practice()
	var rows strings.Builder
	for i := range 50 {
		fmt.Fprintf(&rows, "%d\t\t12\tlost%d.jpg\t\n", i, i)
	}
	s["/practice/opendental/tables/document.tsv"] = rows.String()
	report := check(t, s, documents())
	if len(report.Missing.Names) != 20 || report.Missing.Number != 50 || !strings.Contains(report.Words(), "and 30 more") {
		t.Errorf("%+v", report)
	}
}

// A row may hold an image, or a name that is none.
func TestALargeValueIsNotKept(t *testing.T) {
	const size = 64 << 20
	image := io.LimitReader(endless{}, size)
	in := io.MultiReader(strings.NewReader("x.jpg\t"), image, strings.NewReader("\ny.jpg\t\n"), io.LimitReader(endless{}, size), strings.NewReader("\t\n"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var names []int
	err := eachRow(in, 2, []int{0}, func(v row) error {
		names = append(names, len(v[0]))
		return nil
	})
	runtime.ReadMemStats(&after)
	if err != nil || !slices.Equal(names, []int{5, 5, longest}) {
		t.Errorf("%v: %v", names, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes were allocated", took)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'A'
	}
	return len(b), nil
}
