package pack

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Level says how much time goes into making blocks smaller. Any level reads
// what any other wrote.
type Level uint8

// The numbers are part of a repository's configuration.
const (
	Fastest Level = 1 + iota
	Default
	Better
	Best
)

var levels = map[Level]struct {
	name string
	zstd zstd.EncoderLevel
}{
	Fastest: {"fastest", zstd.SpeedFastest},
	Default: {"default", zstd.SpeedDefault},
	Better:  {"better", zstd.SpeedBetterCompression},
	Best:    {"best", zstd.SpeedBestCompression},
}

// String returns the level's name.
func (l Level) String() string {
	if x, ok := levels[l]; ok {
		return x.name
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// ParseLevel returns the level of that name.
func ParseLevel(name string) (Level, error) {
	for l, x := range levels {
		if x.name == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("no compression level %q: choose fastest, default, better or best", name)
}
