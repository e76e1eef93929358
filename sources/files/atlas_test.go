package files

import (
	"fmt"
	"strings"
	"testing"
)

// ask wants a path to lead, name by name, to the folder that is returned.
func ask(t *testing.T, a *atlas, path string) *folder {
	t.Helper()
	f, err := a.find(path)
	if err != nil {
		t.Fatalf("%q: %v", path, err)
	}
	is := ""
	for up := f; up.parent != nil; up = up.parent {
		is = "/" + up.name + is
	}
	if is != path {
		t.Fatalf("%q leads to %q", path, is)
	}
	return f
}

func TestAPathLeadsToOneFolderFromWhereverOneComes(t *testing.T) {
	a := &atlas{last: topFolder(nil, "top")}
	paths := []string{"", "/a", "/a/b", "/ab", "/a/b/c", "/a/bc", "/a/b/cd/e", "/b", strings.Repeat("/d", 500), strings.Repeat("/d", 300) + "/e"}
	known := map[string]*folder{}
	for _, p := range paths {
		known[p] = ask(t, a, p)
	}
	for _, from := range paths {
		for _, p := range paths {
			ask(t, a, from)
			if ask(t, a, p) != known[p] {
				t.Errorf("from %q, %q is another folder", from, p)
			}
		}
	}
	for _, p := range []string{"a", "/", "/a/", "//a", "/a//b", "/.", "/..", "/a/../b", "/a/.", "/a/b\x00"} {
		if _, err := a.find(p); err == nil {
			t.Errorf("%q is a path", p)
		}
	}
}

func TestAFolderThatWasReplacedIsAnother(t *testing.T) {
	for _, from := range []string{"/a/b/c", "/a/b", "/a", "", "/z"} {
		a := &atlas{last: topFolder(nil, "top")}
		old := ask(t, a, "/a/b/c")
		ask(t, a, from)
		a.forget("/a/b")
		if ask(t, a, "/a/b/c") == old || ask(t, a, "/a/b").parent != ask(t, a, "/a") {
			t.Errorf("from %q: it is still the old one", from)
		}
	}
}

func TestWhatIsKnownOfFoldersIsBounded(t *testing.T) {
	a := &atlas{last: topFolder(nil, "top")}
	deep := strings.Repeat("/d", 2*foldersInAtlas)
	bottom, _ := a.find(deep)
	for i := range 20 {
		a.find(fmt.Sprintf("%s/%d", deep, i))
	}
	if again, _ := a.find(deep); again != bottom {
		t.Errorf("a folder above those that were asked for was forgotten")
	}
	for i := range 3 * foldersInAtlas {
		ask(t, a, fmt.Sprintf("/x/%d", i))
	}
	if len(a.known) > 2*foldersInAtlas {
		t.Errorf("%d folders are known", len(a.known))
	}
}
