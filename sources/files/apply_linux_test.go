package files

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

func TestRefusalsToOthersThanRootAreToldOnce(t *testing.T) {
	root := publicDir(t)
	must(t, os.Chmod(root, 0o777))
	asNobody(t, func() {
		target := openTarget(t, root, TargetOptions{})
		m := sources.Meta{Kind: sources.Regular, Mode: 0o6555, UID: 1234, GID: 1234, MTime: sources.Time{Sec: 1}}
		attributes := []sources.Attribute{{Name: "trusted.x", Value: []byte("1")}, {Name: "user.x", Value: []byte("2")}}
		for i := range 3 {
			err := target.WriteFile(fmt.Sprintf("/%d", i), []byte("x"), m, attributes)
			var incomplete *MetaError
			if told := errors.As(err, &incomplete); told != (i == 0) || !told && err != nil {
				t.Errorf("file %d: %v", i, err)
			}
			got, err := target.Lstat(fmt.Sprintf("/%d", i))
			must(t, err)
			if got.Mode != 0o555 || got.MTime.Sec != 1 || got.UID != 65534 {
				t.Errorf("file %d: %+v", i, got)
			}
			own, err := target.Attributes(fmt.Sprintf("/%d", i))
			if len(own) != 1 || own[0].Name != "user.x" || err != nil {
				t.Errorf("file %d: %v, %v", i, own, err)
			}
		}
		if r := target.Refused(); r["owner"] != 3 || r["trusted"] != 3 || len(r) != 2 {
			t.Errorf("refused: %v", r)
		}
		// A folder that is there already and shut to its owner can be filled.
		must(t, errors.Join(target.Mkdir("/dir"), os.Chmod(root+"/dir", 0o500), target.Mkdir("/dir")))
		if err := target.WriteFile("/dir/x", nil, sources.Meta{Kind: sources.Regular, Mode: 0o600, UID: 65534, GID: 65534}, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestOwnersByNameAndIgnored(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	for _, c := range []struct {
		rule OwnerRule
		m    sources.Meta
		uid  uint32
		gid  uint32
	}{
		{OwnersByNumber, sources.Meta{UID: 4321, User: "daemon", GID: 8765, Group: "daemon"}, 4321, 8765},
		{OwnersByName, sources.Meta{UID: 4321, User: "daemon", GID: 8765, Group: "daemon"}, 1, 1},
		{OwnersByName, sources.Meta{UID: 4321, User: "no such user", GID: 8765}, 4321, 8765},
		{OwnersIgnored, sources.Meta{UID: 4321, User: "daemon", GID: 8765, Group: "daemon"}, 0, 0},
	} {
		target := openTarget(t, root, TargetOptions{Owners: c.rule})
		c.m.Kind, c.m.Mode = sources.Regular, 0o4755
		must(t, target.WriteFile("/x", nil, c.m, nil))
		got, err := target.Lstat("/x")
		must(t, err)
		if got.UID != c.uid || got.GID != c.gid {
			t.Errorf("rule %d: %d:%d", c.rule, got.UID, got.GID)
		}
		if setuid := got.Mode&sources.SetUID != 0; setuid != (c.rule != OwnersIgnored) {
			t.Errorf("rule %d: mode %o", c.rule, got.Mode)
		}
	}
}

func TestWhatATargetInheritsIsRemoved(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	must(t, unix.Setxattr(root, "system.posix_acl_default", acl(), 0))
	must(t, unix.Chmod(root, 0o2755))
	must(t, unix.Lchown(root, 0, 4321))
	target := openTarget(t, root, TargetOptions{})
	must(t, target.Mkdir("/dir"))
	m := sources.Meta{Kind: sources.Regular, Mode: 0o640}
	must(t, target.WriteFile("/dir/small", nil, m, nil))
	f, err := target.Create("/large", 10, false)
	must(t, err)
	must(t, errors.Join(f.SetMeta(m, nil), f.Close()))
	must(t, target.SetMeta("/dir", sources.Meta{Kind: sources.Dir, Mode: 0o750}, nil))
	for path, mode := range map[string]uint32{"/dir/small": 0o640, "/large": 0o640, "/dir": 0o750} {
		got, err1 := target.Lstat(path)
		list, err2 := target.Attributes(path)
		must(t, errors.Join(err1, err2))
		if got.Mode != mode || got.GID != 0 || len(list) != 0 {
			t.Errorf("%s: mode %o, group %d, attributes %v", path, got.Mode, got.GID, list)
		}
	}
}

func TestModesOutlastWhatIsSetBeforeThem(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	put(t, root+"/file", "")
	put(t, root+"/other", "")
	must(t, errors.Join(unix.Lchown(root+"/file", 1, 1), unix.Chmod(root+"/file", 0o4755), unix.Chmod(root+"/other", 0o604)))
	target := openTarget(t, root, TargetOptions{})
	list := []sources.Attribute{{Name: "system.posix_acl_access", Value: acl()}} // alone it makes the mode 0674
	must(t, target.SetMeta("/file", sources.Meta{Kind: sources.Regular, Mode: 0o4755, UID: 2, GID: 2}, nil))
	must(t, target.SetMeta("/other", sources.Meta{Kind: sources.Regular, Mode: 0o604}, list))
	for path, mode := range map[string]uint32{"/file": 0o4755, "/other": 0o604} {
		if m, err := target.Lstat(path); m.Mode != mode || err != nil {
			t.Errorf("%s: mode %o, %v", path, m.Mode, err)
		}
	}
}

func TestLabelsStayAndOtherAttributesGo(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	put(t, root+"/file", "")
	capability := []byte("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	must(t, errors.Join(
		unix.Setxattr(root+"/file", "security.label", []byte("module's"), 0),
		unix.Setxattr(root+"/file", "security.capability", capability, 0),
		unix.Setxattr(root+"/file", "user.a", []byte("old"), 0),
		unix.Setxattr(root+"/file", "user.b", []byte("old"), 0),
	))
	target := openTarget(t, root, TargetOptions{})
	must(t, target.SetMeta("/file", sources.Meta{Kind: sources.Regular, Mode: 0o644}, []sources.Attribute{{Name: "user.b", Value: []byte("new")}}))
	list, err := target.Attributes("/file")
	must(t, err)
	if got := fmt.Sprintf("%s", list); got != "[{security.label module's} {user.b new}]" {
		t.Errorf("it has %s", got)
	}
}

func TestSetMetaOfSomethingElseIsAnError(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/file", "")
	target := openTarget(t, root, TargetOptions{})
	err := target.SetMeta("/file", sources.Meta{Kind: sources.Dir, Mode: 0o777}, nil)
	var incomplete *MetaError
	if !errors.Is(err, ErrOccupied) || !errors.As(err, &incomplete) || incomplete.Path != "/file" {
		t.Errorf("got %v", err)
	}
}
