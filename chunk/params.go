package chunk

import (
	"errors"
	"fmt"
	"math/bits"
)

const (
	// Window is how many bytes before a cut decide it.
	Window = 64
	// MaxSize is the largest Sizes.Max: what holds a chunk may rely on it.
	MaxSize = 4 << 20
)

// Algorithm says how a cut is found. The numbers are part of the repository
// format.
type Algorithm uint8

// The algorithms, as the package comment describes them.
const (
	Gear  Algorithm = 1
	Rabin Algorithm = 2
)

func (a Algorithm) String() string {
	switch a {
	case Gear:
		return "gear"
	case Rabin:
		return "rabin"
	}
	return fmt.Sprintf("algorithm %d", uint8(a))
}

// ParseAlgorithm reads what String wrote.
func ParseAlgorithm(s string) (Algorithm, error) {
	for _, a := range []Algorithm{Gear, Rabin} {
		if s == a.String() {
			return a, nil
		}
	}
	return 0, fmt.Errorf("unknown chunker %q: neither gear nor rabin", s)
}

// Profile says which Sizes a stream is cut to. The numbers are part of the
// repository format.
type Profile uint8

// The profiles.
const (
	Fine   Profile = 1 // small chunks: dumps, databases, text; edited in small pieces
	Coarse Profile = 2 // large chunks: images, archives; written once
)

func (p Profile) String() string {
	switch p {
	case Fine:
		return "fine"
	case Coarse:
		return "coarse"
	}
	return fmt.Sprintf("profile %d", uint8(p))
}

// Sizes bounds the chunks of a profile, in bytes. Only a stream's last chunk
// may be shorter than Min. Avg is the mean over random data.
type Sizes struct{ Min, Avg, Max int }

// Params is how a repository cuts. It is chosen when the repository is made
// and never changes: other cuts would store everything anew.
type Params struct {
	Algorithm    Algorithm
	Fine, Coarse Sizes
}

// DefaultParams returns the sizes that stored the least in our measurements:
// 8 KiB in the mean for Fine, where 16 KiB would save 3 MB of bookkeeping on
// the first night of a 367 MB dump and lose 4 to 18 MB on each night after
// it; 256 KiB for Coarse, where the bookkeeping is 0.05 % of the data.
func DefaultParams(a Algorithm) Params {
	if a == Rabin { // its Avg-Min must be a power of two
		return Params{a, Sizes{4 << 10, 8 << 10, 32 << 10}, Sizes{128 << 10, 256 << 10, 1 << 20}}
	}
	return Params{a, Sizes{5 << 10, 8 << 10, 32 << 10}, Sizes{160 << 10, 256 << 10, 1 << 20}}
}

// Validate says why a Cutter cannot work with the parameters, or nil.
func (p Params) Validate() error {
	if p.Algorithm != Gear && p.Algorithm != Rabin {
		return fmt.Errorf("chunker parameters: unknown %v", p.Algorithm)
	}
	for _, profile := range []Profile{Fine, Coarse} {
		if err := p.sizes(profile).validate(p.Algorithm); err != nil {
			return fmt.Errorf("chunker parameters: %v sizes: %w", profile, err)
		}
	}
	return nil
}

func (s Sizes) validate(a Algorithm) error {
	switch {
	case s.Min < Window:
		return fmt.Errorf("minimum %d is below %d bytes", s.Min, Window)
	case s.Avg <= s.Min || s.Max < s.Avg:
		return errors.New("minimum, average and maximum are not in rising order")
	case s.Max > MaxSize:
		return fmt.Errorf("maximum %d is above %d bytes", s.Max, MaxSize)
	case a == Rabin && bits.OnesCount(uint(s.Avg-s.Min)) != 1:
		return fmt.Errorf("average less minimum is %d, no power of two", s.Avg-s.Min)
	}
	return nil
}

func (p Params) sizes(profile Profile) Sizes {
	if profile == Fine {
		return p.Fine
	}
	return p.Coarse
}
