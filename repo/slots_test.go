package repo

import (
	"slices"
	"testing"

	"chartkeep/repo/crypt"
)

// A recovery code is not turned into keys for the passwords that lie before it, which
// takes a quarter of a second for each.
func TestWhatNeedsNoDerivationIsTriedFirst(t *testing.T) {
	slots := []Slot{
		{ID: "dear", Slot: &crypt.Slot{Kind: crypt.Password, KDF: crypt.DefaultKDF}},
		{ID: "cheap", Slot: &crypt.Slot{Kind: crypt.Password, KDF: crypt.MinKDF}},
		{ID: "code", Slot: &crypt.Slot{Kind: crypt.Recovery}},
	}
	slices.SortStableFunc(slots, byCost)
	for i, want := range []string{"code", "cheap", "dear"} {
		if slots[i].ID != want {
			t.Errorf("slot %d is %s, want %s", i, slots[i].ID, want)
		}
	}
}
