package repo_test

import (
	"slices"
	"testing"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
)

// firstBlock names the first block of a pack.
func firstBlock(t *testing.T, r *repo.Repository, p index.PackID) index.DamagedBlock {
	t.Helper()
	ix, err := r.Index(t.Context())
	must(t, err)
	d, err := ix.Directory(p)
	must(t, err)
	return index.DamagedBlock{Pack: p, Offset: d.Blocks[0].Offset}
}

func record(t *testing.T, r *repo.Repository, blocks ...index.DamagedBlock) {
	t.Helper()
	must(t, writer(t, r).RecordDamage(t.Context(), blocks))
}

func damage(t *testing.T, r *repo.Repository) []index.DamagedBlock {
	t.Helper()
	blocks, err := r.DamagedBlocks(t.Context())
	must(t, err)
	return blocks
}

func TestDamageIsSettledBlockByBlock(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	packs := store(t, r, "first", "second")
	one, two := firstBlock(t, r, packs[0]), firstBlock(t, r, packs[1])
	record(t, r, one)
	record(t, r, one, two)
	if got := damage(t, r); len(got) != 2 {
		t.Errorf("%d blocks are damaged, want 2", len(got))
	}
	must(t, writer(t, r).SettleDamage(t.Context(), func(b index.DamagedBlock) bool { return b == one }))
	if got := damage(t, r); !slices.Equal(got, []index.DamagedBlock{two}) {
		t.Errorf("damaged are %v, want the second pack's block", got)
	}
	if n := documents(t, r, repo.Damage); n != 1 {
		t.Errorf("%d records of damage, want one", n)
	}
	lost := r.Lost()
	if lost == nil || lost(r.Hash([]byte("first"))) || !lost(r.Hash([]byte("second"))) {
		t.Error("what counts as lost is not what is on record")
	}
	must(t, writer(t, r).SettleDamage(t.Context(), func(index.DamagedBlock) bool { return true }))
	if n := documents(t, r, repo.Damage); n != 0 || r.Lost() != nil {
		t.Errorf("%d records of damage are left, and something still counts as lost: %v", n, r.Lost() != nil)
	}
}

func TestSettlingNothingWritesNothing(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	packs := store(t, r, "first")
	record(t, r, firstBlock(t, r, packs[0]))
	before, err := r.ListDocuments(t.Context(), repo.Damage)
	must(t, err)
	must(t, writer(t, r).SettleDamage(t.Context(), func(index.DamagedBlock) bool { return false }))
	if after, err := r.ListDocuments(t.Context(), repo.Damage); err != nil || !slices.Equal(before, after) {
		t.Errorf("the record was written anew (%v)", err)
	}
}

// On a medium that takes no record, damage counts until the repository is closed.
func TestAssumedDamageAddsToWhatIsOnRecord(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	packs := store(t, r, "first", "second")
	record(t, r, firstBlock(t, r, packs[0]))
	must(t, r.Assume(t.Context(), []index.DamagedBlock{firstBlock(t, r, packs[1])}, nil))
	lost := r.Lost()
	if lost == nil || !lost(r.Hash([]byte("first"))) || !lost(r.Hash([]byte("second"))) {
		t.Error("not both count as lost")
	}
	if got := damage(t, r); len(got) != 1 {
		t.Errorf("%d blocks are on record, want one", len(got))
	}
}

// A pack that was read and found whole is, whatever is on record, until it is found
// damaged again.
func TestWhatIsWholeCountsBeforeTheRecord(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	packs := store(t, r, "first", "second")
	first := firstBlock(t, r, packs[0])
	record(t, r, first)
	record(t, r, firstBlock(t, r, packs[1]))
	must(t, r.Assume(t.Context(), nil, packs[:1]))
	if lost := r.Lost(); lost == nil || lost(r.Hash([]byte("first"))) || !lost(r.Hash([]byte("second"))) {
		t.Error("not the second alone counts as lost")
	}
	record(t, r, first)
	if !r.Lost()(r.Hash([]byte("first"))) {
		t.Error("what was found damaged since counts as whole")
	}
}
