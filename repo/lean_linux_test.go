package repo_test

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage/local"
)

// TestALeanWriterGivesBackStoredPacks fills one pack and a little of the next, and
// waits until most of that is no longer in memory.
func TestALeanWriterGivesBackStoredPacks(t *testing.T) {
	st, err := local.Create(t.TempDir() + "/r")
	must(t, err)
	r := repotest.New(t, repotest.Options{Store: st})
	before := residentHeap(t)
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{Lean: true})
	must(t, err)
	lane := w.Lane(index.Data)
	chunk := make([]byte, 256<<10)
	rng := rand.NewChaCha8([32]byte{})
	for range 34 << 20 / len(chunk) {
		rng.Read(chunk)
		_, _, err := lane.Put(chunk)
		must(t, err)
	}
	var more int64
	for range 500 { // the pack is being stored
		if more = residentHeap(t) - before; more < 24<<20 && len(w.Packs()) == 1 {
			break
		}
	}
	if more >= 24<<20 {
		t.Errorf("%d bytes are resident that were not before", more)
	}
	must(t, w.Flush())
	if n := len(w.Packs()); n != 2 {
		t.Errorf("%d packs", n)
	}
}

// residentHeap is what the process has in memory that no file backs, bytes.
func residentHeap(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	must(t, err)
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	must(t, err)
	return kb << 10
}
