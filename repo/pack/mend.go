package pack

import (
	"fmt"
	"io"

	"chartkeep/index"
)

// A Range is the bytes of a file from Start up to End.
type Range struct{ Start, End int64 }

// Repair returns the whole file as it was written, byte for byte. The error is a
// *DamageError when parity does not suffice; [Mend] then saves what can be.
func Repair(f io.ReaderAt, size int64, id index.PackID) ([]byte, error) {
	l, err := load(f, size, packMagic, &id)
	if err != nil {
		return nil, fmt.Errorf("repair pack %.8s: %w", id, err)
	}
	if l.survey == nil || !l.mend() {
		return nil, fmt.Errorf("repair pack %.8s: %w", id, &DamageError{l.report()})
	}
	return l.file(), nil
}

// Mend returns the data region of a pack, offsets in which are offsets in the
// file, with every shard mended that parity reaches, and the ranges that are not
// known to be as they were written. A file that cannot be made out at all is
// returned as it is. The error says that reading failed.
func Mend(f io.ReaderAt, size int64, id index.PackID) (data []byte, unsure []Range, err error) {
	l, err := load(f, size, packMagic, &id)
	if err != nil {
		return nil, nil, fmt.Errorf("mend pack %.8s: %w", id, err)
	}
	if l.survey == nil {
		return l.region, []Range{{0, int64(len(l.region))}}, nil
	}
	l.mend()
	return l.region, l.unsure(), nil
}

// loaded is a file in memory.
type loaded struct {
	*survey        // nil when the file cannot be made out
	region  []byte // the data region, or what there is of it
	parity  []byte // nil when the data region already is cut off
}

// load allocates no more than the file warrants: of a data region that is cut
// off, the beginning is all there is, since parity came after it.
func load(f io.ReaderAt, size int64, m magic, id *index.PackID) (l loaded, err error) {
	if l.survey, err = locate(f, size, m, id); err != nil {
		return l, err
	}
	if l.survey == nil {
		l.region = make([]byte, min(size, MaxSize))
		return l, readPart(f, l.region, 0)
	}
	l.sums = make([]sum, l.shards()) // of none is known that it is good
	if size < int64(l.data) {
		l.region = make([]byte, size)
		return l, readPart(f, l.region, 0)
	}
	l.region = make([]byte, l.data, l.fileSize())
	l.parity = make([]byte, l.parityShards()*l.shard)
	if err := readPart(f, l.region, 0); err != nil {
		return l, err
	}
	if err := readPart(f, l.parity, int64(l.parityOffset())); err != nil {
		return l, err
	}
	l.restoreHead(l.region[:l.shard])
	l.sums = l.appendSums(l.appendSums(l.sums[:0], l.region), l.parity)
	return l, nil
}

// mend mends the data region and reports whether it is as it was written.
func (l *loaded) mend() bool {
	if l.parity != nil {
		l.mendStripes(l.badData())
	}
	return len(l.badData()) == 0 && (l.id == nil || l.named())
}

func (l *loaded) mendStripes(bad []int) {
	done := make([]bool, l.stripes)
	for _, i := range bad {
		if s := i % l.stripes; !done[s] {
			done[s] = true
			l.mendStripe(s, l.region, l.parity, func(i int) bool { return l.vouched(i, l.sums[i]) })
		}
	}
	for _, i := range bad {
		l.sums[i] = sumOf(l.region[i*l.shard:][:l.shard])
	}
}

// firstLabel returns the label that the data region begins with, if it does.
func (l *loaded) firstLabel(m magic) *label {
	if len(l.region) < headSize {
		return nil
	}
	h, err := parseHead(l.region, m)
	if err != nil || h.geometry != l.geometry {
		return nil
	}
	return &h.label
}

// unsure joins the bad shards to ranges. Of another pack nothing is sure.
func (l *loaded) unsure() (ranges []Range) {
	if l.report().Foreign {
		return []Range{{0, int64(len(l.region))}}
	}
	for _, i := range l.badData() {
		start := int64(i * l.shard)
		r := Range{start, min(start+int64(l.shard), int64(len(l.region)))}
		switch n := len(ranges); {
		case r.Start >= r.End:
		case n > 0 && ranges[n-1].End == r.Start:
			ranges[n-1].End = r.End
		default:
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// file returns the whole file that follows from a mended data region.
func (l *loaded) file() []byte {
	trailer, _ := l.appendTrailer(nil, l.region)
	return append(l.region, trailer...)
}
