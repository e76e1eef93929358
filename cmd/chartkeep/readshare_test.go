package main

import (
	"math"
	"testing"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
)

// packsOf are packs of these sizes, numbered from 1 by their first byte.
func packsOf(sizes ...uint32) (all []index.PackInfo) {
	for i, size := range sizes {
		all = append(all, index.PackInfo{ID: index.PackID{byte(i + 1)}, Size: size})
	}
	return all
}

func numbers(packs []index.PackInfo) (n []byte) {
	for _, p := range packs {
		n = append(n, p.ID[0])
	}
	return n
}

func TestReadShareTakesSoMuch(t *testing.T) {
	for text, want := range map[string]string{
		"1/2": "\x01\x02", "2/2": "\x03\x04", "1/3": "\x01\x02", "3/3": "", "4/4": "\x04",
		"10%": "\x01", "26%": "\x01\x02", "100%": "\x01\x02\x03\x04",
		"1K": "\x01", "1025": "\x01\x02", "1T": "\x01\x02\x03\x04",
	} {
		share, err := parseShare(text)
		if err != nil {
			t.Fatal(err)
		}
		got := share.of(packsOf(1024, 1024, 1024, 1024), new(repo.CheckLog))
		if string(numbers(got)) != want {
			t.Errorf("%s of 4 packs of 1 KiB: packs %d, want %d", text, numbers(got), []byte(want))
		}
	}
	if got := (readShare{}).of(packsOf(1, 2), new(repo.CheckLog)); len(got) != 0 {
		t.Errorf("without a wish %d packs are read", len(got))
	}
	if got := (readShare{all: true}).of(packsOf(1, 2), new(repo.CheckLog)); len(got) != 2 {
		t.Errorf("with all, %d packs of 2 are read", len(got))
	}
}

// Part after part, whatever its number, comes round to every pack before it
// comes to one again.
func TestReadShareGoesOnBehindWhatWasRead(t *testing.T) {
	log := new(repo.CheckLog)
	times := map[byte]int{}
	for night, text := range []string{"1/3", "1/3", "3/3", "2/3", "1/3", "1/3"} {
		share, err := parseShare(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range share.of(packsOf(5, 5, 5, 5, 5, 5), log) {
			times[p.ID[0]]++
			log.Note(p.ID, time.Unix(int64(night)*86400, 0))
		}
		low, high := math.MaxInt, 0
		for n := range byte(6) {
			low, high = min(low, times[n+1]), max(high, times[n+1])
		}
		if high-low > 1 {
			t.Errorf("after %d nights one pack was read %d times and another %d times", night+1, high, low)
		}
	}
}

func TestReadShareRefuses(t *testing.T) {
	for _, text := range []string{"0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2", "0%", "101%", "NaN%", "x%", "much", "0", "-5K"} {
		if _, err := parseShare(text); err == nil {
			t.Errorf("%q is taken as a part", text)
		}
	}
}
