package chunk_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"chartkeep/chunk"
)

func TestClassifyKnowsWhatIsEditedInPlace(t *testing.T) {
	for _, c := range []struct {
		name string
		want chunk.Profile
		head []byte
	}{
		{"SQL dump", chunk.Fine, sqlDump()},
		{"short text", chunk.Fine, []byte("ISA*00*          *00*          *ZZ*CLINIC\nST*837*0001~\nNM1*85*2~\n")},
		{"digits", chunk.Fine, digits()},
		{"hexadecimal", chunk.Fine, []byte(hex.EncodeToString(noise(1, 40<<10)))},
		{"zeros", chunk.Fine, make([]byte, chunk.HeadSize)},
		{"PostgreSQL pages of noise", chunk.Fine, pages(8<<10, postgresHeader)},
		{"encrypted InnoDB pages", chunk.Fine, pages(16<<10, innodbHeader)},
		{"SQLite with images", chunk.Fine, slices.Concat([]byte("SQLite format 3\x00"), noise(2, 60<<10))},
		{"MyISAM rows", chunk.Fine, fixedRows()},
		{"document of text and deflated parts", chunk.Fine, mixed()},
		{"PDF of one scan", chunk.Fine, slices.Concat([]byte("%PDF-1.4\n"), noise(3, 60<<10))},
		{"Word document", chunk.Fine, zipFile("[Content_Types].xml")},
		{"OpenDocument text", chunk.Fine, zipFile("mimetype")},

		{"other ZIP archive", chunk.Coarse, zipFile("scan1.jpg")},
		{"JPEG with a long text in its head", chunk.Coarse, slices.Concat([]byte("\xff\xd8\xff\xe1"), sqlDump())},
		{"PNG", chunk.Coarse, slices.Concat([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 5000))},
		{"TIFF of Intel", chunk.Coarse, slices.Concat([]byte("II*\x00"), make([]byte, 5000))},
		{"TIFF of Motorola", chunk.Coarse, slices.Concat([]byte("MM\x00*"), make([]byte, 5000))},
		{"DICOM with black borders", chunk.Coarse, slices.Concat(make([]byte, 128), []byte("DICM"), make([]byte, 60<<10))},
		{"bitmap", chunk.Coarse, slices.Concat([]byte("BM\x36\x10\x0e\x00\x00\x00\x00\x00"), make([]byte, 5000))},
		{"text that begins like a bitmap", chunk.Fine, []byte("BMI 24, blood pressure normal, reviewed by provider")},
		{"MP4", chunk.Coarse, slices.Concat([]byte("\x00\x00\x00\x20ftypisom"), make([]byte, 5000))},
		{"AVI", chunk.Coarse, slices.Concat([]byte("RIFF\x00\x00\x10\x00AVI LIST"), make([]byte, 5000))},
		{"MP3", chunk.Coarse, slices.Concat([]byte("ID3\x04\x00"), make([]byte, 5000))},
		{"gzip", chunk.Coarse, slices.Concat([]byte("\x1f\x8b\x08\x00"), noise(4, 9000))},
		{"raw volume of 12-bit samples", chunk.Coarse, volume()},
		{"base64", chunk.Coarse, []byte(base64.StdEncoding.EncodeToString(noise(5, 40<<10)))},
		{"noise", chunk.Coarse, noise(6, chunk.HeadSize)},
		{"short noise", chunk.Coarse, noise(7, 500)},
	} {
		if got := chunk.Classify(c.head); got != c.want {
			t.Errorf("%s: %v instead of %v", c.name, got, c.want)
		}
	}
}

func TestClassifyIgnoresWhatFollowsTheHead(t *testing.T) {
	head := noise(8, chunk.HeadSize)
	if got := chunk.Classify(slices.Concat(head, make([]byte, 1<<20))); got != chunk.Classify(head) {
		t.Errorf("a longer head changed the profile to %v", got)
	}
}

func TestClassifyTakesAnyLength(t *testing.T) {
	text := sqlDump()
	for n := range 3000 {
		chunk.Classify(text[:n])
	}
}

func noise(seed byte, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func sqlDump() []byte {
	r := source(1)
	words := strings.Fields("patient presents with moderate localized pain upper left molar crown filling")
	b := []byte("-- MySQL dump\nINSERT INTO `procnote` VALUES ")
	for i := 0; len(b) < chunk.HeadSize; i++ {
		b = fmt.Appendf(b, "(%d,%d,'%s %s %s',%d.%02d),", i, r.IntN(60000), words[r.IntN(len(words))], words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(900), r.IntN(100))
	}
	return b
}

func digits() (b []byte) {
	r := source(2)
	for len(b) < chunk.HeadSize {
		b = fmt.Appendf(b, "%.6f,", r.Float64()*1000)
	}
	return b
}

// pages makes a file of noise in which each page begins with a header.
func pages(size int, header func(r *rand.Rand, page int) []byte) []byte {
	r, b := source(3), noise(9, chunk.HeadSize)
	for i := range len(b) / size {
		copy(b[i*size:], header(r, i))
	}
	return b
}

// postgresHeader: WAL position, flags, free space, page size with version.
func postgresHeader(r *rand.Rand, page int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, 0x14f3_0000+uint64(page)*8200)
	return append(b, 0, 0, 4, 0, 0x2c, 0, 0x90, byte(r.Uint32()), 0, 0x20, 4, 0x20, 0, 0, 0, 0)
}

// innodbHeader: checksum, page number, neighbours, log position, type.
func innodbHeader(r *rand.Rand, page int) []byte {
	b := binary.BigEndian.AppendUint32(nil, r.Uint32())
	for _, n := range []int{page, page - 1, page + 1} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return append(b, 0, 0, 0, 0, 0x12, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), 0x92, 0x19)
}

func fixedRows() (b []byte) {
	r := source(4)
	for i := uint32(1); len(b) < chunk.HeadSize; i++ {
		b = binary.LittleEndian.AppendUint32(append(b, 0xff), i)
		b = binary.LittleEndian.AppendUint32(b, r.Uint32N(60000))
		b = binary.LittleEndian.AppendUint64(b, uint64(r.IntN(9)))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(r.IntN(900))))
	}
	return b
}

func mixed() (b []byte) {
	text := sqlDump()
	for i := 0; len(b) < chunk.HeadSize; i++ {
		b = append(append(b, text[i*2000:][:2000]...), noise(byte(i), 2500)...)
	}
	return b
}

func zipFile(first string) []byte {
	b := append([]byte("PK\x03\x04\x14\x00\x06\x00\x08\x00"), noise(10, 20)...)
	return slices.Concat(b, []byte(first), noise(11, 30<<10))
}

func volume() (b []byte) {
	r := source(5)
	for x := 0; len(b) < chunk.HeadSize; x++ {
		v := 900 + int(500*math.Sin(float64(x%512)*math.Pi/512)) + r.IntN(128)
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte("BM"))
	f.Add(sqlDump()[:3000])
	f.Fuzz(func(t *testing.T, head []byte) {
		p := chunk.Classify(head)
		if p != chunk.Fine && p != chunk.Coarse || p != chunk.Classify(slices.Clone(head)) {
			t.Errorf("%v", p)
		}
	})
}
