package proof_test

import (
	"fmt"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/mem"
	"chartkeep/snapshot"
	"chartkeep/snapshot/transfer"
)

func TestAPowerCutDuringACopyLosesNothing(t *testing.T) {
	t.Parallel()
	t.Run("companion", func(t *testing.T) { eachSeed(t, func(c *crashes) { c.copies(true) }) })
	t.Run("independent", func(t *testing.T) { eachSeed(t, func(c *crashes) { c.copies(false) }) })
}

// copies takes copies, the second time of what is new. A snapshot counts as
// copied as soon as the copying says so.
func (c *crashes) copies(companion bool) {
	t, ctx := c.t, c.t.Context()
	from, err := repo.Init(ctx, mem.New(), []byte("a password"), repo.InitOptions{KDF: crypt.MinKDF}, repo.Options{})
	must(t, err)
	defer from.Close()
	nights := map[repo.DocumentID]tree{}
	var like *repo.Repository
	if companion {
		like = from
	}
	to := c.initLike(like)
	defer to.Close()
	for n := 1; n <= 3; n += 2 {
		for i := n; i < n+2; i++ {
			nights[backup(t, from, night(i)).ID] = night(i)
		}
		all, _, err := snapshot.All(ctx, from)
		must(t, err)
		o := transfer.Options{Workers: 1, Copied: func(p transfer.Pair) { c.note(p.To, nights[p.From.ID]) }}
		c.during(fmt.Sprintf("copy %d", n), nothing, func() {
			plan, err := transfer.New(ctx, from, to, all, o)
			must(t, err)
			done, err := plan.Run(ctx)
			must(t, err)
			if len(done.Copied) != 2 {
				t.Errorf("%d snapshots are copied", len(done.Copied))
			}
		})
	}
}

func TestAPowerCutLosesNoRecordAndNoReserveIsInTheWay(t *testing.T) {
	t.Parallel()
	eachSeed(t, (*crashes).recordsAndReserve)
}

// recordsAndReserve is the end of a run: its record, the reserve, and what a full
// drive does with that.
func (c *crashes) recordsAndReserve() {
	t, ctx := c.t, c.t.Context()
	r := c.init()
	defer r.Close()
	for n := 1; n <= 2; n++ {
		c.during(fmt.Sprintf("backup %d", n), nothing, func() { c.note(backup(t, r, night(n)), night(n)) })
		c.during("record", nothing, func() { c.record(r, fmt.Sprint("night ", n)) })
		c.during("laying the reserve", under("reserve"), func() { must(t, r.KeepReserve(ctx)) })
		c.during("giving the reserve up", under("reserve"), func() {
			freed, err := r.GiveUpReserve(ctx)
			if must(t, err); freed == 0 {
				t.Error("there was no reserve")
			}
		})
	}
}

func (c *crashes) record(r *repo.Repository, what string) {
	w, err := r.NewWriter(c.t.Context(), repo.WriterOptions{Concurrency: 1})
	must(c.t, err)
	defer w.Abort()
	must(c.t, w.Log(c.t.Context(), repo.Record{Kind: repo.RecordBackup, Time: time.Now(), Host: "proof", Errors: []string{what}}))
	must(c.t, w.Flush())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.records[what] = true
}
