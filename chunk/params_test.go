package chunk_test

import (
	"testing"

	"chartkeep/chunk"
)

func TestDefaultParamsAreValid(t *testing.T) {
	for _, a := range []chunk.Algorithm{chunk.Gear, chunk.Rabin} {
		if err := chunk.DefaultParams(a).Validate(); err != nil {
			t.Errorf("%v: %v", a, err)
		}
	}
}

func TestValidateRefusesWhatCannotCut(t *testing.T) {
	good := chunk.Sizes{Min: 64, Avg: 128, Max: 512}
	for _, p := range []chunk.Params{
		{},
		{Algorithm: 3, Fine: good, Coarse: good},
		{Algorithm: chunk.Gear, Fine: good},
		{Algorithm: chunk.Gear, Coarse: good},
		{Algorithm: chunk.Gear, Fine: chunk.Sizes{Min: 63, Avg: 128, Max: 512}, Coarse: good},
		{Algorithm: chunk.Gear, Fine: chunk.Sizes{Min: -1, Avg: 128, Max: 512}, Coarse: good},
		{Algorithm: chunk.Gear, Fine: chunk.Sizes{Min: 128, Avg: 128, Max: 512}, Coarse: good},
		{Algorithm: chunk.Gear, Fine: chunk.Sizes{Min: 64, Avg: 128, Max: 127}, Coarse: good},
		{Algorithm: chunk.Gear, Fine: good, Coarse: chunk.Sizes{Min: 64, Avg: 128, Max: chunk.MaxSize + 1}},
		{Algorithm: chunk.Rabin, Fine: chunk.Sizes{Min: 64, Avg: 129, Max: 512}, Coarse: good},
	} {
		if err := p.Validate(); err == nil {
			t.Errorf("%+v was accepted", p)
		}
		if _, err := chunk.NewCutter(p, [32]byte{}); err == nil {
			t.Errorf("a cutter was made of %+v", p)
		}
	}
}

func TestAlgorithmComesBackFromItsString(t *testing.T) {
	for _, a := range []chunk.Algorithm{chunk.Gear, chunk.Rabin} {
		if got, err := chunk.ParseAlgorithm(a.String()); err != nil || got != a {
			t.Errorf("ParseAlgorithm(%q) = %v, %v", a.String(), got, err)
		}
	}
	if _, err := chunk.ParseAlgorithm("fixed"); err == nil {
		t.Error("an unknown algorithm was accepted")
	}
}
