// Package layers holds the program to its import rule: which package may know
// of which, and that only the commands read flags and the environment, print,
// or end the process. It consists of tests.
package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "chartkeep/"

// order is the import rule. A package may import the packages that stand after
// it in its line, and all that those may import. "x/*" stands for every package
// below x that has no line of its own.
var order = [][]string{
	{"chunk", "chunk/wide"},
	{"chunk/wide"},
	{"index", "chunk"},
	{"repo/storage", "chunk"},
	{"repo/storage/*", "repo/storage"},
	{"repo/storage/storagetest", "repo/storage/*"},
	{"repo/crypt", "chunk", "repo/crypt/argon2"},
	{"repo/crypt/argon2"},
	{"repo/pack", "index", "repo/pack/zst"},
	{"repo/pack/zst"},
	{"repo", "repo/pack", "repo/crypt", "repo/storage/*"},
	{"repo/repotest", "repo", "repo/storage/storagetest"},
	{"sources"},
	{"sources/child"},
	{"sources/entries", "sources"},
	{"sources/*", "sources/entries", "sources/child"},
	{"snapshot", "repo", "sources"},
	{"snapshot/restore", "snapshot", "sources/*"},
	{"snapshot/transfer", "snapshot"},
	{"snapshot/crosscheck", "snapshot", "sources/*"},
	{"gc", "snapshot"},
	{"snapshot/drill", "snapshot/restore", "gc"},
	{"cmd/internal/*", "snapshot/drill", "snapshot/crosscheck", "snapshot/transfer", "cmd/internal/*"},
	{"cmd/*", "cmd/internal/*"},
}

// line is the line of order that a package stands in; nil if it has none.
func line(pkg string) []string {
	var found []string
	for _, l := range order {
		below, ok := strings.CutSuffix(l[0], "*")
		if l[0] == pkg || ok && strings.HasPrefix(pkg, below) {
			if found == nil || len(l[0]) > len(found[0]) {
				found = l
			}
		}
	}
	return found
}

// allowed reports whether one package may import another.
func allowed(importer, imported string) bool {
	target := line(imported)
	if target == nil {
		return false
	}
	return reaches(line(importer), target[0], nil)
}

func reaches(from []string, target string, seen []string) bool {
	if len(from) == 0 || slices.Contains(seen, from[0]) {
		return false
	}
	seen = append(seen, from[0])
	return slices.ContainsFunc(from[1:], func(next string) bool {
		return next == target || reaches(line(next), target, seen)
	})
}

func TestTheRuleSaysWhatTheDesignSays(t *testing.T) {
	for _, c := range []struct {
		importer, imported string
		want               bool
	}{
		{"index", "chunk", true},
		{"chunk", "index", false},
		{"repo/pack", "chunk", true},
		{"index", "repo/pack", false},
		{"repo/crypt", "index", false},
		{"repo/storage", "repo/storage/local", false},
		{"repo/storage/local", "repo/storage", true},
		{"repo/storage/local", "repo/storage/mem", false},
		{"repo", "repo/storage/s3", true},
		{"repo", "sources", false},
		{"repo", "snapshot", false},
		{"snapshot", "sources", true},
		{"snapshot", "sources/files", false},
		{"sources", "chunk", false},
		{"sources/mysql", "sources", true},
		{"sources/mysql", "sources/postgres", false},
		{"sources/files", "snapshot", false},
		{"snapshot/restore", "sources/files", true},
		{"gc", "snapshot/restore", false},
		{"snapshot/restore", "gc", false},
		{"snapshot/drill", "snapshot/restore", true},
		{"snapshot/drill", "cmd/internal/ui", false},
		{"cmd/internal/schedule", "cmd/internal/config", true},
		{"cmd/internal/web", "gc", true},
		{"cmd/internal/web", "cmd/chartkeep", false},
		{"cmd/chartkeep", "chunk", true},
		{"elsewhere", "chunk", false},
		{"cmd/chartkeep", "elsewhere", false},
	} {
		if got := allowed(c.importer, c.imported); got != c.want {
			t.Errorf("%s may import %s: %v", c.importer, c.imported, got)
		}
	}
}

// A pkg is a package of the module as go list tells it. Ignored files are those
// for other systems.
type pkg struct {
	ImportPath, Name, Dir                          string
	GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles []string
	Imports                                        []string
}

func packages(t *testing.T) (all []pkg) {
	t.Helper()
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatalf("go list -m: %v", err)
	}
	list := exec.Command("go", "list", "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,Imports", "./...")
	list.Dir = strings.TrimSpace(string(root))
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// path is the package's path within the module.
func (p pkg) path() string { return strings.TrimPrefix(p.ImportPath, module) }

// files parses the package's files, those for other systems too; with no other
// files, its tests.
func (p pkg) files(t *testing.T, set *token.FileSet) (files []*ast.File) {
	t.Helper()
	names := slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles)
	if len(names) == 0 {
		names = p.TestGoFiles
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") && len(p.GoFiles) > 0 {
			continue
		}
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// imports are the module's packages that p imports, on any system.
func (p pkg) imports(t *testing.T) (paths []string) {
	t.Helper()
	found := slices.Clone(p.Imports)
	for _, f := range p.files(t, token.NewFileSet()) {
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, path)
		}
	}
	slices.Sort(found)
	for _, path := range slices.Compact(found) {
		if own, ok := strings.CutPrefix(path, module); ok {
			paths = append(paths, own)
		}
	}
	return paths
}

// isKit reports whether a package is made for tests only.
func isKit(path string) bool { return strings.HasSuffix(path, "test") }

func TestImportsFollowTheRule(t *testing.T) {
	for _, p := range packages(t) {
		if line(p.path()) == nil {
			t.Errorf("%s has no place in the order of packages", p.path())
			continue
		}
		for _, imported := range p.imports(t) {
			if !allowed(p.path(), imported) {
				t.Errorf("%s must not import %s", p.path(), imported)
			}
			if isKit(imported) && !isKit(p.path()) {
				t.Errorf("%s is for tests; %s imports it", imported, p.path())
			}
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for _, p := range packages(t) {
		comments := 0
		for _, f := range p.files(t, token.NewFileSet()) {
			if f.Doc == nil {
				continue
			}
			comments++
			if text := f.Doc.Text(); p.Name != "main" && !strings.HasPrefix(text, "Package "+p.Name+" ") {
				t.Errorf("%s: its comment begins %.40q", p.path(), text)
			}
		}
		if comments != 1 {
			t.Errorf("%s has %d package comments, not one", p.path(), comments)
		}
	}
}

// onlyInCommands are what the packages below cmd alone may use: what reads
// flags and the environment, prints, or ends the process. os.Environ is not
// among it: it hands the environment on to a child, unread.
var onlyInCommands = map[string][]string{
	"flag":                  nil, // nil: all of it
	"log":                   nil,
	"log/slog":              nil,
	"github.com/urfave/cli": nil,
	"os":                    {"Args", "Exit", "ExpandEnv", "Getenv", "LookupEnv", "Stderr", "Stdin", "Stdout"},
	"fmt":                   {"Print", "Printf", "Println"},
	"builtin":               {"print", "println"},
}

func TestOnlyCommandsReadTheEnvironmentAndPrint(t *testing.T) {
	checked := 0
	for _, p := range packages(t) {
		if strings.HasPrefix(p.path(), "cmd/") {
			continue
		}
		set := token.NewFileSet()
		for _, f := range p.files(t, set) {
			checked++
			for _, use := range reserved(f) {
				t.Errorf("%s: only commands may use %s", set.Position(use.Pos()), use.what)
			}
		}
	}
	if checked == 0 {
		t.Error("no file was checked")
	}
}

// A use is where a file uses what only commands may.
type use struct {
	ast.Node
	what string
}

// reserved finds what a file uses of onlyInCommands.
func reserved(f *ast.File) (uses []use) {
	names := map[string]string{"": "builtin"} // of imported packages
	for _, spec := range f.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		known := path
		if strings.HasPrefix(path, "github.com/urfave/cli/") {
			known = "github.com/urfave/cli"
		}
		forbidden, ok := onlyInCommands[known]
		if ok && forbidden == nil {
			uses = append(uses, use{spec, path})
		}
		name := filepath.Base(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = path
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(onlyInCommands[names[x.Name]], n.Sel.Name) {
				uses = append(uses, use{n, x.Name + "." + n.Sel.Name})
			}
		case *ast.CallExpr:
			if x, ok := n.Fun.(*ast.Ident); ok && slices.Contains(onlyInCommands["builtin"], x.Name) {
				uses = append(uses, use{n, x.Name})
			}
		}
		return true
	})
	return uses
}

func TestWhatOnlyCommandsMayUseIsFound(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
import (
	"flag"
	"fmt"
	env "os"
	"github.com/urfave/cli/v2"
)
func f(w interface{ Printf() }) {
	fmt.Println(env.Getenv("A"), flag.Arg(0), cli.App{})
	fmt.Fprintln(env.Stderr, env.Environ(), fmt.Sprint())
	w.Printf()
	print(len(env.Args))
}`, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range reserved(f) {
		got = append(got, u.what)
	}
	want := []string{"flag", "github.com/urfave/cli/v2", "fmt.Println", "env.Getenv", "env.Stderr", "print", "env.Args"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
