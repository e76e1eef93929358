package storagetest

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
)

func TestStoresOfThisPackageKeepTheContract(t *testing.T) {
	for name, empty := range map[string]func(t *testing.T) storage.Store{
		"faulty":   func(*testing.T) storage.Store { return NewFaulty(mem.New()) },
		"recorder": func(*testing.T) storage.Store { return NewRecorder(mem.New()) },
		"slow":     func(*testing.T) storage.Store { return NewSlow(mem.New(), Pace{BytesPerSecond: 1 << 40}) },
		"crash":    func(*testing.T) storage.Store { return NewCrash() },
		"clone": func(*testing.T) storage.Store {
			return NewCrash().Clone(rand.New(rand.NewPCG(1, 2)))
		},
	} {
		t.Run(name, func(t *testing.T) { Run(t, empty) })
	}
}

func TestAFaultFailsTheCallsItIsMeantFor(t *testing.T) {
	special := errors.New("special")
	for _, c := range []struct {
		name  string
		fault Fault
		want  string // of six puts to a/0, b/1, a/2, b/3, a/4, b/5: o succeeds, i fails as injected, s specially
	}{
		{"the next one", Fault{}, "iooooo"},
		{"the third", Fault{Op: Put, Skip: 2}, "ooiooo"},
		{"the third and on", Fault{Op: Put, Skip: 2, Forever: true}, "ooiiii"},
		{"the second of some", Fault{Name: "b/*", Skip: 1, Err: special}, "ooosoo"},
		{"another operation", Fault{Op: Remove, Forever: true}, "oooooo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := NewFaulty(mem.New())
			st.Fail(c.fault)
			got := ""
			for _, name := range strings.Fields("a/0 b/1 a/2 b/3 a/4 b/5") {
				err := st.Put(t.Context(), name, nil)
				_, opened := st.inner.Open(t.Context(), name)
				if (err == nil) != (opened == nil) {
					t.Errorf("put gives %v and afterwards open gives %v", err, opened)
				}
				switch {
				case err == nil:
					got += "o"
				case errors.Is(err, special):
					got += "s"
				case errors.Is(err, ErrInjected):
					got += "i"
				}
			}
			if got != c.want {
				t.Errorf("outcomes are %s, want %s", got, c.want)
			}
		})
	}
}

func TestEveryOperationCanFail(t *testing.T) {
	st := NewFaulty(mem.New())
	put(t, st, "f", []byte("x"))
	f := open(t, st, "f")
	for op, call := range map[Op]func() error{
		Put:     func() error { return st.Put(t.Context(), "g", nil) },
		Replace: func() error { return st.Replace(t.Context(), "f") },
		Remove:  func() error { return st.Remove(t.Context(), "f") },
		Open:    func() error { _, err := st.Open(t.Context(), "f"); return err },
		Read:    func() error { _, err := f.ReadAt(make([]byte, 1), 0); return err },
		Lock:    func() error { _, err := st.Lock(t.Context(), storage.Shared, 0); return err },
		Space:   func() error { _, _, err := st.Space(t.Context()); return err },
		Clean:   func() error { _, err := st.CleanTemp(t.Context(), 0); return err },
		List: func() (last error) {
			for _, err := range st.List(t.Context(), "") {
				last = err
			}
			return last
		},
	} {
		st.Fail(Fault{Op: op})
		if err := call(); !errors.Is(err, ErrInjected) {
			t.Errorf("%s gives %v", op, err)
		}
	}
	lists(t, st, "", "f")
}

func TestDamageIsSeenByReadersOnly(t *testing.T) {
	st := NewFaulty(mem.New())
	put(t, st, "f", []byte("0123456789"))
	st.Spoil(Damage{"f", 2, 1}, Damage{"f", 4, 3}, Damage{"f", 8, 0}, Damage{"other", 0, 255})
	f := open(t, st, "f")
	read := func(off int64, size int) string {
		p := make([]byte, size)
		n, err := f.ReadAt(p, off)
		if (n < size) != (err == io.EOF) {
			t.Errorf("%d bytes at %d: %d, %v", size, off, n, err)
		}
		return string(p[:n])
	}
	for _, c := range []struct {
		off  int64
		size int
		want string
	}{{0, 10, "01337567"}, {2, 3, "337"}, {3, 1, "3"}, {5, 3, "567"}, {7, 2, "7"}, {8, 1, ""}, {9, 1, ""}} {
		if got := read(c.off, c.size); got != c.want {
			t.Errorf("%d bytes at %d are %q, want %q", c.size, c.off, got, c.want)
		}
	}
	if f.Size() != 10 {
		t.Errorf("the size is %d", f.Size())
	}
	st.Heal()
	holds(t, st, "f", []byte("0123456789"))
}

func TestARecorderTellsWhatCameBeforeWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := NewRecorder(NewSlow(mem.New(), Pace{Latency: time.Second}))
		var g errgroup.Group
		for _, name := range []string{"a", "b"} {
			g.Go(func() error { return st.Put(t.Context(), name, []byte("xyz")) })
		}
		check(t, g.Wait())
		is(t, st.Put(t.Context(), "a"), fs.ErrExist)
		_, err := st.Open(t.Context(), "c")
		is(t, err, fs.ErrNotExist)

		puts := st.Calls(Put)
		if len(puts) != 3 || len(st.Calls()) != 4 || len(st.Calls(Open, Remove)) != 1 {
			t.Fatalf("recorded are %+v", st.Calls())
		}
		if puts[0].End < puts[1].Begin {
			t.Error("parallel puts seem to be one after the other")
		}
		last := puts[2]
		if last.Begin < puts[1].End || last.Name != "a" || !errors.Is(last.Err, fs.ErrExist) || puts[0].Bytes != 3 {
			t.Errorf("recorded are %+v", puts)
		}
		st.Reset()
		if len(st.Calls()) > 0 {
			t.Error("not forgotten")
		}
	})
}

func TestASlowStoreKeepsItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := NewSlow(mem.New(), Pace{Latency: time.Second, BytesPerSecond: 1000})
		begin := time.Now()
		took := func(want time.Duration) {
			t.Helper()
			if got := time.Since(begin); got != want {
				t.Errorf("took %v, want %v", got, want)
			}
			begin = time.Now()
		}
		var g errgroup.Group
		for _, name := range []string{"a", "b", "c"} {
			g.Go(func() error { return st.Put(t.Context(), name, make([]byte, 2000)) })
		}
		check(t, g.Wait())
		took(7 * time.Second) // the latency at once, the bytes one after the other
		f := open(t, st, "a")
		took(time.Second)
		_, err := f.ReadAt(make([]byte, 500), 0)
		check(t, err)
		took(1500 * time.Millisecond)
	})
}
