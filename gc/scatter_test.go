package gc_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"chartkeep/chunk"
	"chartkeep/gc"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
)

// dump is a table's, of which some rows change every night.
type dump struct {
	lot  *rand.Rand
	rows [][]byte
}

func newDump(rows int) *dump {
	d := &dump{lot: rand.New(rand.NewPCG(1, 2)), rows: make([][]byte, rows)}
	for i := range d.rows {
		d.change(i)
	}
	return d
}

func (d *dump) change(i int) {
	d.rows[i] = fmt.Appendf(nil, "(%d,%x,'%d'),\n", i, d.lot.Uint64(), d.lot.IntN(1000))
}

func (d *dump) night(changed int) evening {
	for range changed {
		d.change(d.lot.IntN(len(d.rows)))
	}
	var all []byte
	for _, row := range d.rows {
		all = append(all, row...)
	}
	return evening{"/dump.sql": all, "/scan.dcm": noise(1, mib)}
}

// readOver is how many bytes of blocks a restore opens for each that it needs.
func readOver(t *testing.T, r *repo.Repository, s *snapshot.Snapshot) float64 {
	t.Helper()
	ctx := context.Background()
	ix, err := r.Index(ctx)
	if err != nil {
		t.Fatal(err)
	}
	type block struct {
		pack   index.PackID
		offset uint32
	}
	opened, seen := map[block]bool{}, map[chunk.ID]bool{}
	var needed, plain int64
	err = snapshot.Walk(ctx, r, &s.Root, "/", func(_ string, n *snapshot.Node, err error) error {
		if err != nil {
			return err
		}
		for c, err := range snapshot.Chunks(ctx, r, n.Content) {
			if err != nil {
				return err
			}
			if seen[c.ID] {
				continue
			}
			seen[c.ID] = true
			places, err := ix.Lookup(c.ID)
			if err != nil {
				return err
			}
			needed += int64(c.Size)
			opened[block{places[0].Pack, places[0].BlockOffset}] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for b := range opened {
		d, err := ix.Directory(b.pack)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range d.Blocks {
			if at.Offset == b.offset {
				plain += int64(at.Plain)
			}
		}
	}
	return float64(plain) / float64(needed)
}

func TestARestoreAfterManyNightsReadsLittleMoreThanItNeeds(t *testing.T) {
	const nights, kept, changed = 20, 8, 300
	r := repotest.New(t, repotest.Options{})
	d := newDump(200_000)
	var all []*snapshot.Snapshot
	var last evening
	for i := range nights {
		last = d.night(changed)
		all = append(all, backup(t, r, last))
		if len(all) > kept {
			forget(t, r, all[len(all)-1-kept])
		}
		if i%5 == 4 {
			prune(t, r, gc.PruneOptions{})
		}
	}
	newest := all[nights-1]
	if over := readOver(t, r, newest); over > 1.3 {
		t.Errorf("a restore opens %.2f bytes for each that it needs, want at most 1.3", over)
	}
	if p := plan(t, r, gc.PruneOptions{}); !p.Nothing() {
		t.Errorf("the next prune rewrites %d packs and deletes %d, want none", p.Rewrite, p.Delete)
	}
	wantEvening(t, r, newest, last)
}

func TestPruneLeavesWhatIsScatteredWhereNothingIsToBeRewritten(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	d := newDump(200_000)
	for range 8 { // so few that they are not put together for being small
		backup(t, r, d.night(300))
	}
	if p := plan(t, r, gc.PruneOptions{}); p.Scattered == 0 {
		t.Error("no pack counts as scattered")
	}
	for _, o := range []gc.PruneOptions{{MaxUnused: unlimited}, {MaxRepack: -1}} {
		if p := plan(t, r, o); p.Rewrite+p.Scattered != 0 {
			t.Errorf("%d packs are rewritten, %d of them for being scattered; want none", p.Rewrite, p.Scattered)
		}
	}
}
