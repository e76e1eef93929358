package chunk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"chartkeep/chunk"
)

// small cuts test data of a few hundred KB into many chunks.
func small(a chunk.Algorithm) chunk.Params {
	return chunk.Params{Algorithm: a, Fine: chunk.Sizes{Min: 64, Avg: 128, Max: 512}, Coarse: chunk.Sizes{Min: 1024, Avg: 2048, Max: 3000}}
}

func cutter(t testing.TB, p chunk.Params, key byte) *chunk.Cutter {
	t.Helper()
	c, err := chunk.NewCutter(p, [32]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lengths cuts everything and checks that the chunks are the data in order.
func lengths(t testing.TB, s chunk.Splitter, data []byte) (all []int) {
	t.Helper()
	for at := 0; ; {
		p, err := s.Next()
		if err == io.EOF && at == len(data) {
			return all
		}
		if err != nil {
			t.Fatalf("at %d of %d: %v", at, len(data), err)
		}
		if len(p) == 0 || !bytes.HasPrefix(data[at:], p) {
			t.Fatalf("the %d bytes at %d are not the data's", len(p), at)
		}
		at += len(p)
		all = append(all, len(p))
	}
}

// each runs a test for both algorithms and both profiles.
func each(t *testing.T, params func(chunk.Algorithm) chunk.Params, f func(t *testing.T, p chunk.Params, profile chunk.Profile, s chunk.Sizes)) {
	for _, a := range []chunk.Algorithm{chunk.Gear, chunk.Rabin} {
		p := params(a)
		t.Run(fmt.Sprintf("%v fine", a), func(t *testing.T) { f(t, p, chunk.Fine, p.Fine) })
		t.Run(fmt.Sprintf("%v coarse", a), func(t *testing.T) { f(t, p, chunk.Coarse, p.Coarse) })
	}
}

func TestCutsDoNotDependOnReads(t *testing.T) {
	each(t, small, func(t *testing.T, p chunk.Params, profile chunk.Profile, _ chunk.Sizes) {
		data := noise(1, 300_000)
		c := cutter(t, p, 1)
		want := lengths(t, c.Split(bytes.NewReader(data), profile), data)
		for name, r := range map[string]io.Reader{
			"one byte":             iotest.OneByteReader(bytes.NewReader(data)),
			"half":                 iotest.HalfReader(bytes.NewReader(data)),
			"end with data":        iotest.DataErrReader(bytes.NewReader(data)),
			"uneven":               uneven{bytes.NewReader(data), new(int)},
			"now and then nothing": &idle{r: bytes.NewReader(data)},
		} {
			if got := lengths(t, c.Split(r, profile), data); !slices.Equal(got, want) {
				t.Errorf("%s: other cuts", name)
			}
		}
	})
}

// A search that ran out of data goes on where it stopped, whether the read
// ended just before a cut, on it, or behind it; and what was read by then has
// moved to the front of the buffer, or into a larger one.
func TestCutsDoNotDependOnWhereAReadEnds(t *testing.T) {
	each(t, small, func(t *testing.T, p chunk.Params, profile chunk.Profile, _ chunk.Sizes) {
		data := noise(7, 700_000)
		s := cutter(t, p, 1).Split(bytes.NewReader(data), profile)
		want := lengths(t, s, data)
		end := 0
		for i, n := range want[:len(want)-1] {
			if end += n; end < 140_000 || i%(len(want)/4) != 0 {
				continue
			}
			for stop := end - 2; stop <= end+2; stop++ {
				s.Reset(io.MultiReader(bytes.NewReader(data[:stop]), bytes.NewReader(data[stop:])), profile)
				if !slices.Equal(lengths(t, s, data), want) {
					t.Fatalf("a read that ends %+d bytes from a cut changes the cuts", stop-end)
				}
			}
		}
	})
}

func TestCutsDoNotDependOnWhatWasReadBefore(t *testing.T) {
	each(t, small, func(t *testing.T, p chunk.Params, profile chunk.Profile, _ chunk.Sizes) {
		data := noise(3, 700_000)
		s := cutter(t, p, 1).Split(bytes.NewReader(data), profile)
		want := lengths(t, s, data)
		for _, n := range []int{1, 64, 1000, 200_000, 699_999} {
			for _, room := range []int{n, n + 1, 256 << 10, 1 << 20} {
				head := append(make([]byte, 0, max(n, room)), data[:n]...)
				s.Continue(head, bytes.NewReader(data[n:]), profile)
				if !slices.Equal(lengths(t, s, data), want) {
					t.Errorf("other cuts when %d bytes were read before, in room for %d", n, room)
				}
			}
		}
		s.Continue(data, nil, profile)
		if !slices.Equal(lengths(t, s, data), want) {
			t.Error("other cuts when everything was read before")
		}
		s.Reset(bytes.NewReader(data), profile)
		if !slices.Equal(lengths(t, s, data), want) {
			t.Error("other cuts after that")
		}
	})
}

// uneven reads 1 to 7001 bytes at a time.
type uneven struct {
	r io.Reader
	n *int
}

func (u uneven) Read(p []byte) (int, error) {
	*u.n = (*u.n*31 + 17) % 7001
	return u.r.Read(p[:min(len(p), *u.n+1)])
}

// idle returns nothing every other time.
type idle struct {
	r   io.Reader
	odd bool
}

func (i *idle) Read(p []byte) (int, error) {
	if i.odd = !i.odd; i.odd {
		return 0, nil
	}
	return i.r.Read(p[:min(len(p), 5000)])
}

func TestSizesStayInBounds(t *testing.T) {
	each(t, chunk.DefaultParams, func(t *testing.T, p chunk.Params, profile chunk.Profile, s chunk.Sizes) {
		c := cutter(t, p, 1)
		for name, data := range map[string][]byte{"noise": noise(1, 12<<20), "zeros": make([]byte, 5<<20), "text": bytes.Repeat(sqlDump(), 20)} {
			all := lengths(t, c.Split(bytes.NewReader(data), profile), data)
			for i, n := range all {
				if n > s.Max || n < s.Min && i < len(all)-1 {
					t.Errorf("%s: chunk %d of %d has %d bytes", name, i, len(all), n)
				}
			}
			if mean := len(data) / len(all); name == "noise" && (mean < s.Avg*85/100 || mean > s.Avg*115/100) {
				t.Errorf("%d bytes in the mean instead of %d", mean, s.Avg)
			}
		}
	})
}

func TestShortStreams(t *testing.T) {
	each(t, small, func(t *testing.T, p chunk.Params, profile chunk.Profile, s chunk.Sizes) {
		sp := cutter(t, p, 1).Split(bytes.NewReader(nil), profile)
		if got := lengths(t, sp, nil); len(got) != 0 {
			t.Errorf("an empty stream gave %d chunks", len(got))
		}
		if _, err := sp.Next(); err != io.EOF {
			t.Errorf("after the end: %v", err)
		}
		for _, n := range []int{1, 63, 64, s.Min - 1} {
			data := noise(2, n)
			sp.Reset(bytes.NewReader(data), profile)
			if got := lengths(t, sp, data); len(got) != 1 {
				t.Errorf("%d bytes gave %d chunks", n, len(got))
			}
		}
	})
}

func TestCutsFallBackInStepAfterAnInsertion(t *testing.T) {
	each(t, chunk.DefaultParams, func(t *testing.T, p chunk.Params, profile chunk.Profile, s chunk.Sizes) {
		data := noise(3, 64*s.Avg)
		edited := slices.Concat(data[:20*s.Avg], []byte("inserted"), data[20*s.Avg:])
		c := cutter(t, p, 1)
		h := chunk.NewHasher([32]byte{})
		known := map[chunk.ID]bool{}
		for p := range chunks(t, c.Split(bytes.NewReader(data), profile)) {
			known[h.Sum(p)] = true
		}
		fresh := 0
		for p := range chunks(t, c.Split(bytes.NewReader(edited), profile)) {
			if !known[h.Sum(p)] {
				fresh++
			}
		}
		if fresh == 0 || fresh > 6 {
			t.Errorf("%d new chunks of about 64", fresh)
		}
	})
}

func chunks(t *testing.T, s chunk.Splitter) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for p, err := s.Next(); err != io.EOF && yield(p); p, err = s.Next() {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestKeysCutDifferently(t *testing.T) {
	each(t, small, func(t *testing.T, p chunk.Params, profile chunk.Profile, s chunk.Sizes) {
		data := noise(4, 200*s.Avg)
		ends := map[int]bool{}
		at, shared := 0, 0
		for _, n := range lengths(t, cutter(t, p, 1).Split(bytes.NewReader(data), profile), data) {
			at += n
			ends[at] = true
		}
		at = 0
		for _, n := range lengths(t, cutter(t, p, 2).Split(bytes.NewReader(data), profile), data) {
			if at += n; ends[at] {
				shared++
			}
		}
		if shared > len(ends)/10 { // chance alone: 1 in 128 for the small sizes
			t.Errorf("%d of %d cuts are those of another key", shared, len(ends))
		}
	})
}

func TestReaderErrorsComeThrough(t *testing.T) {
	each(t, small, func(t *testing.T, p chunk.Params, profile chunk.Profile, _ chunk.Sizes) {
		c := cutter(t, p, 1)
		data := noise(1, 10_000)
		unbroken := lengths(t, c.Split(bytes.NewReader(data), profile), data)
		for _, want := range []error{errors.New("input/output error"), io.ErrUnexpectedEOF} {
			s := c.Split(io.MultiReader(bytes.NewReader(data[:9_000]), iotest.ErrReader(want)), profile)
			var got []int
			p, err := s.Next()
			for ; err == nil; p, err = s.Next() {
				got = append(got, len(p))
			}
			if !slices.Equal(got, unbroken[:len(got)]) {
				t.Error("a piece that is no chunk came before the error")
			}
			if _, again := s.Next(); !errors.Is(err, want) || !errors.Is(again, want) {
				t.Errorf("%v and then %v instead of %v", err, again, want)
			}
			s.Reset(bytes.NewReader([]byte("x")), profile)
			if got, err := s.Next(); err != nil || string(got) != "x" {
				t.Errorf("after Reset: %q, %v", got, err)
			}
		}
	})
}

func TestReaderThatGivesNothingEnds(t *testing.T) {
	s := cutter(t, small(chunk.Gear), 1).Split(still{}, chunk.Fine)
	if _, err := s.Next(); err != io.ErrNoProgress {
		t.Errorf("%v instead of %v", err, io.ErrNoProgress)
	}
}

type still struct{}

func (still) Read([]byte) (int, error) { return 0, nil }

func FuzzSplit(f *testing.F) {
	f.Add([]byte("some text"), uint16(3), true)
	f.Add(bytes.Repeat([]byte("0123456789"), 1000), uint16(100), false)
	f.Add(noise(1, 5000), uint16(64), true)
	splitters := []chunk.Splitter{
		cutter(f, small(chunk.Gear), 1).Split(bytes.NewReader(nil), chunk.Fine),
		cutter(f, small(chunk.Rabin), 1).Split(bytes.NewReader(nil), chunk.Fine),
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint16, fine bool) {
		profile := chunk.Coarse
		if fine {
			profile = chunk.Fine
		}
		for _, s := range splitters {
			s.Reset(bytes.NewReader(data), profile)
			whole := lengths(t, s, data)
			s.Reset(stepped{bytes.NewReader(data), int(step)}, profile)
			if !slices.Equal(lengths(t, s, data), whole) {
				t.Fatalf("reads of %d bytes change the cuts", step)
			}
		}
	})
}

type stepped struct {
	r    io.Reader
	step int
}

func (s stepped) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.step+1)]) }
