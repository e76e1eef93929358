package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartkeep/index"
)

var update = flag.Bool("update", false, "write the golden files anew")

// wholeAgain fails unless Verify finds damage in b and Repair undoes it.
func wholeAgain(t *testing.T, p testPack, b []byte, what string) {
	t.Helper()
	r := Verify(b, p.ID)
	if r.Err() == nil || !r.Mendable {
		t.Fatalf("%s: report %v", what, r.Err())
	}
	healed, err := Repair(bytes.NewReader(b), int64(len(b)), p.ID)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !bytes.Equal(healed, p.file) {
		t.Fatalf("%s: healed to something else", what)
	}
	directoryFound(t, p, b, what)
}

func directoryFound(t *testing.T, p testPack, b []byte, what string) {
	t.Helper()
	d, err := ReadDirectory(bytes.NewReader(b), int64(len(b)), p.ID, newBox())
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !reflect.DeepEqual(p.Directory, d) {
		t.Fatalf("%s: directory: %s", what, cmp.Diff(p.Directory, d))
	}
}

func TestPackComesBack(t *testing.T) {
	for _, percent := range []int{0, 1, 3, 25} {
		for _, sealed := range [][]int{{1}, {700, 1}, {5000, 5000, 90_000}, {1 << 20, 3 << 20, 5 << 20}} {
			p := build(t, percent, 8<<10, sealed...)
			what := fmt.Sprintf("parity %d %%, blocks %v", percent, sealed)
			directoryFound(t, p, p.file, what)
			if err := Verify(p.file, p.ID).Err(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if int(p.Directory.Size) != len(p.file) || p.Directory.Pack != p.ID || len(p.file) > MaxSize {
				t.Errorf("%s: directory of %v, %d bytes", what, p.Directory.Pack, p.Directory.Size)
			}
			for i, blk := range p.Directory.Blocks {
				if !bytes.Equal(p.file[blk.Offset:blk.Offset+blk.Sealed], p.blocks[i]) {
					t.Errorf("%s: block %d is not in its place", what, i)
				}
			}
			same, err := Repair(bytes.NewReader(p.file), int64(len(p.file)), p.ID)
			if err != nil || !bytes.Equal(same, p.file) {
				t.Errorf("%s: a whole pack is repaired to another one: %v", what, err)
			}
		}
	}
}

func TestPackOfFormatVersion1(t *testing.T) {
	for _, percent := range []int{0, 3} {
		p := build(t, percent, 300, 700, 90, 2000)
		name := filepath.Join("testdata", fmt.Sprintf("v1-parity%d.pack", percent))
		if *update {
			if err := os.WriteFile(name, p.file, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(golden, p.file) {
			t.Errorf("%s is not what is written today", name)
		}
		directoryFound(t, p, golden, name)
		want := map[int]string{
			0: "d099ee78561a13c719d81a30ac8401f02bb815a543de78c5d4e89c7a4984943c",
			3: "f75ba0461f32d63c94fb6690cabbae841bdb05d51bd0a70356842ef021dda2ec",
		}[percent]
		if p.ID.String() != want {
			t.Errorf("%s is named %v", name, p.ID)
		}
	}
}

func TestBuilderLeavesNothingOfThePackBefore(t *testing.T) {
	b := NewBuilder(3, newBox())
	before := fill(t, b, 1000, 60_000, 60_000).Directory
	b.box = newBox()
	again := fill(t, b, 1000, 700, 3)
	if d := build(t, 3, 1000, 60_000, 60_000).Directory; !reflect.DeepEqual(before, d) {
		t.Error("the directory of the pack before has changed")
	}
	fresh := build(t, 3, 1000, 700, 3)
	if !bytes.Equal(again.file, fresh.file) {
		t.Error("a used builder makes another pack than a fresh one")
	}
}

func TestABuilderThatShedItsMemoryMakesTheSamePack(t *testing.T) {
	b := NewBuilder(3, newBox())
	before := fill(t, b, 1000, 60_000, 60_000).Directory
	b.Shed()
	b.box = newBox()
	again := fill(t, b, 1000, 700, 3)
	if d := build(t, 3, 1000, 60_000, 60_000).Directory; !reflect.DeepEqual(before, d) {
		t.Error("the directory of the pack before has changed")
	}
	if fresh := build(t, 3, 1000, 700, 3); !bytes.Equal(again.file, fresh.file) {
		t.Error("it makes another pack than a fresh builder")
	}
}

func TestFullPackKeepsToTheTargetSize(t *testing.T) {
	b := NewBuilder(3, newBox())
	b.Reset(testSession, index.Meta)
	n := 0
	for {
		if _, ok := b.Reserve(300_000, testBlock(n, 300_000, 4000)); !ok {
			break
		}
		n++
	}
	done, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(done.Parts[0]); got > TargetSize || got < TargetSize-1<<20 {
		t.Errorf("%d blocks make a data region of %d bytes", n, got)
	}
	if _, ok := b.Reserve(1, testBlock(0, 1, 1)); n == 0 || ok && len(done.Parts[0]) == TargetSize {
		t.Error("a full pack has room")
	}
}

func TestLargestBlockFitsAnEmptyPack(t *testing.T) {
	b := NewBuilder(0, newBox())
	b.Reset(testSession, index.Data)
	if _, ok := b.Reserve(index.MaxPlain+Overhead, testBlock(0, index.MaxPlain, 64)); !ok {
		t.Error("no room")
	}
}

func TestBlocksAreSealedIntoTheirRoomsInParallel(t *testing.T) {
	b := NewBuilder(3, newBox())
	b.Reset(testSession, index.Data)
	var filled sync.WaitGroup
	for i := range 50 {
		room, ok := b.Reserve(3000, testBlock(i, 3000, 500))
		if !ok {
			t.Fatal("full")
		}
		filled.Go(func() { copy(room, random(3000, byte(i+1))) })
	}
	filled.Wait()
	done, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for i, blk := range done.Directory.Blocks {
		if !bytes.Equal(done.Parts[0][blk.Offset:][:blk.Sealed], random(3000, byte(i+1))) {
			t.Errorf("block %d", i)
		}
	}
}

func TestPackWithoutBlocksIsNone(t *testing.T) {
	b := NewBuilder(3, newBox())
	b.Reset(testSession, index.Data)
	if _, err := b.Finish(); err == nil {
		t.Error("finished")
	}
}

func TestImpossibleBlockIsRefused(t *testing.T) {
	b := NewBuilder(3, newBox())
	b.Reset(testSession, index.Data)
	blk := testBlock(0, 1000, 100)
	blk.Plain++
	b.Reserve(1000, blk)
	if _, err := b.Finish(); err == nil {
		t.Error("finished")
	}
}

// longBox seals to more or fewer bytes than it ought to.
type longBox struct {
	*countingBox
	directory, locator int
}

func (b longBox) SealDirectory(dst, plain []byte) []byte {
	return append(b.countingBox.SealDirectory(dst, plain), make([]byte, b.directory)...)
}

func (b longBox) SealLocator(dst, plain []byte) []byte {
	return append(b.countingBox.SealLocator(dst, plain), make([]byte, b.locator)...)
}

func TestBoxWithAnotherOverheadIsRefused(t *testing.T) {
	for _, box := range []longBox{{newBox(), 1, 0}, {newBox(), 0, 1}} {
		b := NewBuilder(3, box)
		b.Reset(testSession, index.Data)
		b.Reserve(1000, testBlock(0, 1000, 100))
		if _, err := b.Finish(); err == nil {
			t.Error("finished")
		}
	}
}

func TestHeadIsStrict(t *testing.T) {
	h := head{geometry: newGeometry(1<<20, 3)}
	b := h.append(nil, packMagic)
	if got, err := parseHead(b, packMagic); err != nil || *got != h {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range b {
		if _, err := parseHead(flip(b, i), packMagic); err == nil {
			t.Errorf("with byte %d flipped: accepted", i)
		}
	}
}

// forge makes a pack file of a directory, as somebody could who has the key.
func forge(d *index.Directory, headSession [16]byte, start uint32, padding byte) []byte {
	box := newBox()
	plain := append(index.AppendDirectory(nil, d, false), padding)
	g := newGeometry(Padded(5000+len(plain)+Overhead), 3)
	plain = append(plain, make([]byte, g.data-5000-Overhead-len(plain))...)
	labelled := *d
	labelled.Session = headSession
	h := head{g, newLabel(&labelled, box.SealLocator(nil, binary.LittleEndian.AppendUint32(nil, start)))}
	data := append(h.append(nil, packMagic), make([]byte, 5000-headSize)...)
	data = box.SealDirectory(data, plain)
	file, _ := g.appendTrailer(data, data)
	return file
}

func TestForgedDirectoryIsRefused(t *testing.T) {
	at := func(offset, sealed uint32) *index.Directory {
		blk := testBlock(0, 100, 100)
		blk.Offset, blk.Sealed = offset, sealed
		return &index.Directory{Session: testSession, Class: index.Data, Blocks: []index.Block{blk}}
	}
	read := func(file []byte) error {
		_, err := ReadDirectory(bytes.NewReader(file), int64(len(file)), index.PackID{}, newBox())
		return err
	}
	if err := read(forge(at(headSize, 4912), testSession, 5000, 0)); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{
		"block in the head":          forge(at(headSize-1, 100), testSession, 5000, 0),
		"block in the directory":     forge(at(headSize, 4913), testSession, 5000, 0),
		"no blocks":                  forge(&index.Directory{Session: testSession, Class: index.Data}, testSession, 5000, 0),
		"padding that is not zero":   forge(at(headSize, 100), testSession, 5000, 1),
		"head of another session":    forge(at(headSize, 100), [16]byte{1}, 5000, 0),
		"directory in the head":      forge(at(headSize, 100), testSession, 10, 0),
		"directory behind the end":   forge(at(headSize, 100), testSession, 1<<20, 0),
		"directory far too far":      forge(at(headSize, 100), testSession, 1<<32-1, 0),
		"directory of no length":     forge(at(headSize, 100), testSession, uint32(Padded(5200)), 0),
		"directory somewhere else":   forge(at(headSize, 100), testSession, 4999, 0),
		"directory of another class": forge(&index.Directory{Session: testSession, Class: 9, Blocks: at(headSize, 100).Blocks}, testSession, 5000, 0),
	} {
		if err := read(file); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestChunkingCannotBeSeen(t *testing.T) {
	a := build(t, 3, 2000, 30_000, 18_000)
	b := build(t, 3, 7000, 10_000, 28_000, 10_000)
	if len(a.file) != len(b.file) {
		t.Fatalf("%d and %d bytes", len(a.file), len(b.file))
	}
	clearOf := func(p testPack) []byte {
		h, err := parseHead(p.file, packMagic)
		if err != nil {
			t.Fatal(err)
		}
		h.label = label(append(h.label[:locatorOffset:locatorOffset], make([]byte, locatorSize)...))
		return h.append(nil, packMagic)
	}
	if !bytes.Equal(clearOf(a), clearOf(b)) {
		t.Error("heads tell chunkings apart")
	}
}

// A pack of one stripe: 3 data shards of 1 KiB and a parity shard.
func TestEveryFlippedByteIsSeenAndHealed(t *testing.T) {
	p := build(t, 3, 100, 700, 900)
	for i := range p.file {
		b := bytes.Clone(p.file)
		b[i] ^= 1 << (i % 8)
		wholeAgain(t, p, b, fmt.Sprintf("byte %d of %d", i, len(b)))
	}
}

func TestWithoutParityHeadsAndTablesHeal(t *testing.T) {
	p := build(t, 0, 100, 700, 900)
	for i := range p.file {
		b := bytes.Clone(p.file)
		b[i] ^= 1 << (i % 8)
		if i < headSize || i >= p.geometry(t).data {
			wholeAgain(t, p, b, fmt.Sprintf("byte %d", i))
			continue
		}
		r := Verify(b, p.ID)
		if len(r.BadData) != 1 || r.BadData[0] != i/1024 || r.Mendable {
			t.Fatalf("byte %d: %v", i, r)
		}
		var damage *DamageError
		if _, err := Repair(bytes.NewReader(b), int64(len(b)), p.ID); !errors.As(err, &damage) || !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: repair: %v", i, err)
		}
	}
}

func (p testPack) geometry(t *testing.T) geometry {
	t.Helper()
	h, err := parseHead(p.file, packMagic)
	if err != nil {
		t.Fatal(err)
	}
	return h.geometry
}

// 8.8 MiB: two stripes of 71 shards of 64 KiB, three parity shards each.
func bigPack(t testing.TB) testPack {
	return build(t, 3, 16<<10, 3<<20, 3<<20, 3<<20-200_000)
}

func TestBurstsHealAnywhere(t *testing.T) {
	p := bigPack(t)
	g := p.geometry(t)
	if g.stripes != 2 || g.parity != 3 {
		t.Fatalf("geometry %+v", g)
	}
	burst := (g.stripes*g.parity - 1) * g.shard
	places := []int{0, 1, g.data - burst, g.data - burst/2, g.data, g.parityOffset() - 5, g.parityOffset() + 100, len(p.file) - burst}
	r := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		places = append(places, r.IntN(len(p.file)-burst))
	}
	for _, at := range places {
		b := bytes.Clone(p.file)
		rand.NewChaCha8([32]byte{9}).Read(b[at : at+burst])
		wholeAgain(t, p, b, fmt.Sprintf("%d bytes from %d on", burst, at))
	}
}

func TestAnythingUpToTheParityHealsAndNothingBeyond(t *testing.T) {
	p := bigPack(t)
	g := p.geometry(t)
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 6 {
		b := bytes.Clone(p.file)
		lost := 0
		for s := range g.stripes {
			var mine []int
			for i := s; i < g.shards(); i += g.stripes {
				mine = append(mine, i)
			}
			r.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			if mine[0] >= g.dataShards() {
				mine[0] = s // at least one data shard, so that what is lost is lost
			}
			n := g.parity
			if round%2 == 1 && s == 1 {
				n++
			}
			for _, i := range mine[:n] {
				b[g.offset(i)+r.IntN(g.shard)] ^= 0x55
			}
			lost += n
		}
		if round%2 == 0 {
			wholeAgain(t, p, b, fmt.Sprintf("round %d", round))
			continue
		}
		partlyMended(t, p, b, lost)
	}
}

// partlyMended expects stripe 0 to be whole again and stripe 1 not.
func partlyMended(t *testing.T, p testPack, b []byte, lost int) {
	t.Helper()
	g := p.geometry(t)
	report := Verify(b, p.ID)
	if report.Mendable || len(report.BadData)+len(report.BadParity) < lost-1 {
		t.Fatal(report)
	}
	_, err := Repair(bytes.NewReader(b), int64(len(b)), p.ID)
	var damage *DamageError
	if !errors.As(err, &damage) {
		t.Fatalf("repair: %v", err)
	}
	for _, i := range damage.BadData {
		if i%g.stripes != 1 {
			t.Errorf("shard %d is reported, which parity reaches", i)
		}
	}
	data, unsure, err := Mend(bytes.NewReader(b), int64(len(b)), p.ID)
	if err != nil || len(data) != g.data || len(unsure) == 0 {
		t.Fatalf("mend: %d bytes, unsure %v, %v", len(data), unsure, err)
	}
	for _, r := range unsure {
		copy(data[r.Start:r.End], p.file[r.Start:r.End])
	}
	if !bytes.Equal(data, p.file[:g.data]) {
		t.Error("mended data differs outside of what is unsure")
	}
}

func TestTruncatedPackKeepsItsDirectoryAndHealsFromItsData(t *testing.T) {
	p := build(t, 3, 100, 700, 900)
	g := p.geometry(t)
	for n := len(p.file) - 1; n >= 0; n-- {
		b := p.file[:n]
		if n >= g.data {
			wholeAgain(t, p, b, fmt.Sprintf("cut to %d", n))
		}
		if n == g.tableOffset(1) || n == g.data {
			r := Verify(b, p.ID)
			if want := map[int]int{g.tableOffset(1): 1, g.data: 2}[n]; r.BadTables != want {
				t.Errorf("cut to %d: %v, want %d tables", n, r, want)
			}
		}
		if n >= g.data {
			continue
		}
		if r := Verify(b, p.ID); r.Err() == nil || r.Mendable {
			t.Fatalf("cut to %d: %v", n, r)
		}
		if _, err := Repair(bytes.NewReader(b), int64(n), p.ID); err == nil {
			t.Fatalf("cut to %d: repaired", n)
		}
		data, _, err := Mend(bytes.NewReader(b), int64(n), p.ID)
		if err != nil || !bytes.HasPrefix(data, b) {
			t.Fatalf("cut to %d: what is left is not given back: %v", n, err)
		}
	}
}

func TestLostFrontLeavesTheRest(t *testing.T) {
	p := build(t, 0, 100, 40_000, 50_000)
	b := bytes.Clone(p.file)
	clear(b[:p.geometry(t).shard])
	directoryFound(t, p, b, "first shard lost, no parity")
	data, unsure, err := Mend(bytes.NewReader(b), int64(len(b)), p.ID)
	if err != nil || len(unsure) != 1 || unsure[0] != (Range{0, int64(p.geometry(t).shard)}) {
		t.Fatalf("unsure of %v, %v", unsure, err)
	}
	if !bytes.Equal(data[unsure[0].End:], p.file[unsure[0].End:len(data)]) {
		t.Error("the rest is not as it was")
	}
}

func TestBothHeadsLostAreFoundByATable(t *testing.T) {
	p := build(t, 3, 100, 40_000, 50_000)
	for _, table := range []int{0, 1} {
		g := p.geometry(t)
		b := bytes.Clone(p.file)
		clear(b[:headSize])
		clear(b[len(b)-headSize:])
		b[g.tableOffset(table)+20] ^= 1
		wholeAgain(t, p, b, fmt.Sprintf("both heads and table %d", table))
	}
}

func TestBothTablesDamagedInPlaces(t *testing.T) {
	p := build(t, 3, 100, 40_000, 50_000)
	g := p.geometry(t)
	b := bytes.Clone(p.file)
	for i := range g.shards() {
		b[g.tableOffset(i%2)+geometrySize+16*i] ^= 0xff // every sum in one of them
	}
	b[5000] ^= 1
	wholeAgain(t, p, b, "every sum in one table or the other, and a shard")
}

func TestFirstHeadAndBothTablesDamaged(t *testing.T) {
	p := build(t, 3, 100, 40_000, 50_000)
	g := p.geometry(t)
	b := bytes.Clone(p.file)
	b[30] ^= 1
	b[g.tableOffset(0)+50] ^= 1
	b[g.tableOffset(1)+500] ^= 1
	wholeAgain(t, p, b, "first head, both tables")
}

func TestPartsOfAnotherPackAreNotBelieved(t *testing.T) {
	p, q := build(t, 3, 100, 40_000, 50_000), build(t, 3, 100, 50_100, 40_000)
	g := p.geometry(t)
	if len(p.file) != len(q.file) {
		t.Fatal("packs of another length")
	}
	end := len(p.file) - headSize
	for name, part := range map[string][2]int{
		"first head":   {0, headSize},
		"first shard":  {0, g.shard},
		"first table":  {g.tableOffset(0), g.parityOffset()},
		"parity":       {g.parityOffset(), g.parityOffset() + g.shard},
		"second table": {g.tableOffset(1), end},
		"second head":  {end, end + headSize},
	} {
		b := bytes.Clone(p.file)
		copy(b[part[0]:part[1]], q.file[part[0]:])
		wholeAgain(t, p, b, name)
		b[g.data/2] ^= 1
		wholeAgain(t, p, b, name+" and a flipped bit")
	}
}

func TestDirectoryIsFoundBesideAStripeBeyondParity(t *testing.T) {
	p := bigPack(t)
	g := p.geometry(t)
	b := bytes.Clone(p.file)
	for i := range g.parity + 1 { // of stripe 0, the first head among them
		clear(b[g.offset(2*i):][:g.shard])
	}
	b[g.data-1] ^= 1 // in stripe 1
	directoryFound(t, p, b, "first stripe lost, directory damaged")
}

func TestBothTablesLost(t *testing.T) {
	p := build(t, 3, 100, 40_000, 50_000)
	g := p.geometry(t)
	b := bytes.Clone(p.file)
	clear(b[g.tableOffset(0):][:g.tableSize()])
	clear(b[g.tableOffset(1):][:g.tableSize()])
	wholeAgain(t, p, b, "both tables")
}

func TestSwappedPackIsSeen(t *testing.T) {
	p, q := build(t, 3, 100, 700, 900), build(t, 3, 100, 701, 899)
	g := q.geometry(t)
	for _, damage := range [][]int{nil, {500}, {g.tableOffset(0) + 20, g.tableOffset(1) + 40}} {
		b := bytes.Clone(q.file)
		for _, at := range damage {
			b[at] ^= 1
		}
		r := Verify(b, p.ID)
		if !r.Foreign || r.Mendable || r.Err() == nil {
			t.Errorf("damaged at %v: %v", damage, r)
		}
	}
	if _, err := Repair(bytes.NewReader(q.file), int64(len(q.file)), p.ID); err == nil {
		t.Error("repaired to a pack of another name")
	}
	data, unsure, err := Mend(bytes.NewReader(q.file), int64(len(q.file)), p.ID)
	if err != nil || len(unsure) != 1 || unsure[0] != (Range{0, int64(len(data))}) {
		t.Errorf("mended: unsure of %v, %v", unsure, err)
	}
}

func TestBytesTooManyAreSeenAndCut(t *testing.T) {
	p := build(t, 3, 100, 700, 900)
	for _, n := range []int{1, 100, 70_000} {
		b := append(bytes.Clone(p.file), random(n, 1)...)
		r := Verify(b, p.ID)
		if r.Extra != int64(n) {
			t.Errorf("%d bytes too many: %v", n, r)
		}
		wholeAgain(t, p, b, fmt.Sprintf("%d bytes too many", n))
	}
}

// faultyFile fails where a sector is bad.
type faultyFile struct {
	io.ReaderAt
	from, to int64
	err      error
}

func (f faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if off < f.to && off+int64(len(p)) > f.from {
		return 0, &os.PathError{Op: "read", Path: "pack", Err: f.err}
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestBadSectorIsDamageAndHeals(t *testing.T) {
	p := bigPack(t)
	bad := badMediumError
	for _, at := range []int64{0, 5 << 20, int64(len(p.file)) - 100} {
		f := faultyFile{bytes.NewReader(p.file), at, at + 4096, bad}
		healed, err := Repair(f, int64(len(p.file)), p.ID)
		if err != nil || !bytes.Equal(healed, p.file) {
			t.Errorf("sector at %d: %v", at, err)
		}
		if _, err := ReadDirectory(f, int64(len(p.file)), p.ID, newBox()); err != nil {
			t.Errorf("sector at %d: %v", at, err)
		}
	}
}

func TestLostConnectionIsNoDamage(t *testing.T) {
	p := build(t, 3, 100, 700, 900)
	for _, at := range []int64{0, 1500, int64(len(p.file)) - 1} {
		f := faultyFile{bytes.NewReader(p.file), at, at + 1, syscall.ECONNRESET}
		if _, err := Repair(f, int64(len(p.file)), p.ID); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("repair: %v", err)
		}
		if _, _, err := Mend(f, int64(len(p.file)), p.ID); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("mend: %v", err)
		}
	}
}

func TestReportNamesTheDamage(t *testing.T) {
	p := bigPack(t)
	b := bytes.Clone(p.file)
	for _, i := range []int{3, 7, 8, 9} {
		b[p.geometry(t).offset(i)] ^= 1
	}
	b[len(b)-1] ^= 1
	err := Verify(b, p.ID).Err()
	if want := "damaged: 4 of 142 data shards (3, 7-9), 1 of 2 heads"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if s := (Report{}).Err().Error(); s != "damaged: neither head nor table can be recognised" {
		t.Error(s)
	}
}
