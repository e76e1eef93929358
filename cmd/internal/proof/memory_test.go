package proof_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
)

// bitFlips is a store on a computer with bad memory: of one file a bit turns
// between the program's last look at it and the drive.
type bitFlips struct {
	storage.Store
	mu    sync.Mutex
	rng   *rand.Rand
	at    int // of the files that are put
	puts  int
	name  string // of the one that was hit
	calls map[string]int
}

func (s *bitFlips) Put(ctx context.Context, name string, parts ...[]byte) error {
	return s.Store.Put(ctx, name, s.spoil(name, parts)...)
}

func (s *bitFlips) spoil(name string, parts [][]byte) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := strings.Split(strings.TrimPrefix(name, "copies/"), "/")[0]
	s.calls[kind]++
	if s.puts++; s.puts-1 == s.at {
		all := slices.Concat(parts...)
		all[s.rng.IntN(len(all))] ^= 1 << s.rng.IntN(8)
		parts, s.name = [][]byte{all}, name
	}
	return parts
}

// TestABitThatTurnsOnItsWayToTheDriveIsNoticedAfterTheWrite turns a bit of every
// file that a backup stores. The look at what was written, which every run ends
// with, names the file.
func TestABitThatTurnsOnItsWayToTheDriveIsNoticedAfterTheWrite(t *testing.T) {
	times := uint64(3)
	if *full {
		times = 300
	}
	base := newPatient(t, 3)
	total := 0
	seed, began := *from, time.Now()
	for ; seed < *from+times && goesOn(began); seed++ {
		for at, more := 0, true; more; at++ {
			st := &bitFlips{Store: base.copy(t), rng: rand.New(rand.NewPCG(seed, uint64(at))), at: at, calls: map[string]int{}}
			faults, err := saveAndVerify(t, st, base.code)
			if more = st.name != ""; !more {
				if must(t, err); len(faults) > 0 {
					t.Errorf("of what is right it is said: %v", faults)
				}
				continue
			}
			total++
			named := slices.ContainsFunc(faults, func(f repo.Fault) bool { return f.File == st.name })
			if err == nil && !named {
				t.Errorf("seed %d: a bit of %s turned, and the look at what was written finds %v", seed, st.name, faults)
			}
		}
	}
	t.Logf("seeds %d to %d: %d bits turned", *from, seed-1, total)
}

// copy is a store with what the patient was at first.
func (p *patient) copy(t testing.TB) *mem.Store {
	st := mem.New()
	for name, b := range p.whole {
		must(t, st.Put(t.Context(), name, b))
	}
	return st
}

func saveAndVerify(t *testing.T, st storage.Store, code []byte) (faults []repo.Fault, err error) {
	t.Helper()
	ctx := t.Context()
	r, err := repo.Open(ctx, st, code, repo.Options{})
	must(t, err)
	defer r.Close()
	w, err := r.NewWriter(ctx, repo.WriterOptions{Concurrency: 1})
	must(t, err)
	defer w.Abort()
	s, err := saveTo(ctx, r, w, night(7))
	if err == nil {
		err = s.Put(ctx, w)
	}
	if err != nil {
		return nil, err
	}
	return lookAtWritten(ctx, r, w)
}

func lookAtWritten(ctx context.Context, r *repo.Repository, w *repo.Writer) (faults []repo.Fault, err error) {
	err = r.VerifyWritten(ctx, w.Written(), repo.CheckOptions{Fault: func(f repo.Fault) { faults = append(faults, f) }})
	return faults, err
}

// TestABitThatTurnsInTheProgramIsNoticedAfterTheWrite turns bits of what is under
// way: of a chunk after it was named, and of a block after it was compressed.
func TestABitThatTurnsInTheProgramIsNoticedAfterTheWrite(t *testing.T) {
	times := 20
	if *full {
		times = 2000
	}
	base := newPatient(t, 3)
	stages := map[string]func(r *repo.Repository, w *repo.Writer, rng *rand.Rand) error{
		"a chunk that was named": func(r *repo.Repository, w *repo.Writer, rng *rand.Rand) error {
			data := []byte(rows(rng.Uint64(), 50))
			id := r.Hash(data)
			turn(rng, data)
			return w.Lane(index.Data).PutAgain(id, data)
		},
		"a tree that was named": func(r *repo.Repository, w *repo.Writer, rng *rand.Rand) error {
			data := []byte(rows(rng.Uint64(), 50))
			id := r.Hash(data)
			turn(rng, data)
			return w.Lane(index.Meta).PutAgain(id, data)
		},
		"a block that was put together": func(r *repo.Repository, w *repo.Writer, rng *rand.Rand) error {
			data := []byte(rows(rng.Uint64(), 50))
			chunks := []index.Chunk{{ID: r.Hash(data[:1000]), Length: 1000}, {ID: r.Hash(data[1000:]), Length: uint32(len(data) - 1000)}}
			turn(rng, data)
			return w.PutBlock(index.Data, chunks, repo.Compressed{Codec: index.Raw, Payload: data})
		},
		"an ID": func(r *repo.Repository, w *repo.Writer, rng *rand.Rand) error {
			data := []byte(rows(rng.Uint64(), 50))
			id := r.Hash(data)
			turn(rng, id[:])
			return w.Lane(index.Data).PutAgain(id, data)
		},
	}
	for _, stage := range slices.Sorted(maps.Keys(stages)) {
		t.Run(stage, func(t *testing.T) {
			for i := range times {
				rng := rand.New(rand.NewPCG(*from, uint64(i)))
				if err := turnedInside(t, base, rng, stages[stage]); err != nil {
					t.Errorf("seed %d: %v", i, err)
				}
			}
		})
	}
}

func turn(rng *rand.Rand, b []byte) { b[rng.IntN(len(b))] ^= 1 << rng.IntN(8) }

func turnedInside(t *testing.T, base *patient, rng *rand.Rand, put func(*repo.Repository, *repo.Writer, *rand.Rand) error) error {
	ctx := t.Context()
	r, err := repo.Open(ctx, base.copy(t), base.code, repo.Options{})
	must(t, err)
	defer r.Close()
	w, err := r.NewWriter(ctx, repo.WriterOptions{Concurrency: 1})
	must(t, err)
	defer w.Abort()
	must(t, put(r, w, rng))
	must(t, w.Flush())
	faults, err := lookAtWritten(ctx, r, w)
	if err == nil && len(faults) == 0 {
		return fmt.Errorf("nobody notices")
	}
	return err
}
