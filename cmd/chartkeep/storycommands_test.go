package main

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

// spoil turns bits round in the largest file below a folder, at so many places
// that lie evenly in it:
//
//	spoil repo/packs 1
//
// Its name goes into $SPOILT, and that of a copy made before into $GOOD.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: spoil FOLDER PLACES")
	}
	places, err := strconv.Atoi(args[1])
	ts.Check(err)
	name := largestBelow(ts, ts.MkAbs(args[0]))
	data, err := os.ReadFile(name)
	ts.Check(err)
	good := ts.MkAbs("good-" + filepath.Base(name))
	ts.Check(os.WriteFile(good, data, 0o600))
	for i := range places {
		data[len(data)*(2*i+1)/(2*places)] ^= 0xff
	}
	ts.Check(os.Chmod(name, 0o600))
	ts.Check(os.WriteFile(name, data, 0o600))
	ts.Setenv("SPOILT", name)
	ts.Setenv("GOOD", good)
}

func largestBelow(ts *testscript.TestScript, dir string) (name string) {
	size := int64(-1)
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > size {
			name, size = path, info.Size()
		}
		return err
	}))
	if name == "" {
		ts.Fatalf("no file below %s", dir)
	}
	return name
}

// noise writes a file that nothing compresses: its name, and its size in KiB.
func noise(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: noise FILE KIB")
	}
	kib, err := strconv.Atoi(args[1])
	ts.Check(err)
	seed := uint64(0)
	for _, c := range args[0] {
		seed = seed*31 + uint64(c)
	}
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
	ts.Check(os.WriteFile(file, xray(seed, kib<<10), 0o644))
}

// held are the locks that the stories hold.
var held sync.Map // of io.Closer by *testscript.TestScript

// lock takes the repository's lock, as another program would: shared or
// exclusive. "lock none" gives it back.
func lock(ts *testscript.TestScript, neg bool, args []string) {
	mode, ok := map[string]storage.LockMode{"none": 0, "shared": storage.Shared, "exclusive": storage.Exclusive}[args[0]]
	if neg || !ok {
		ts.Fatalf("usage: lock shared|exclusive|none")
	}
	if before, ok := held.LoadAndDelete(ts); ok {
		ts.Check(before.(io.Closer).Close())
	}
	if mode == 0 {
		return
	}
	st, err := local.New(ts.Getenv("CHARTKEEP_REPOSITORY"))
	ts.Check(err)
	l, err := st.Lock(context.Background(), mode, 0)
	ts.Check(err)
	held.Store(ts, l)
	ts.Defer(func() {
		if l, ok := held.LoadAndDelete(ts); ok {
			l.(io.Closer).Close()
		}
	})
}

// expand replaces the variables in a file, which stand as in a command: a plan's
// paths are absolute. $$ is a dollar sign.
//
//	expand plans.toml
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	name := ts.MkAbs(args[0])
	text, err := os.ReadFile(name)
	ts.Check(err)
	expanded := os.Expand(string(text), func(v string) string {
		if v == "$" {
			return v
		}
		return ts.Getenv(v)
	})
	ts.Check(os.WriteFile(name, []byte(expanded), 0o600))
}
