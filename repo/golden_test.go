package repo_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage/local"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// The golden repositories were made once, by the first version, and are never
// made again: whatever later versions do, they read these. Two nights of a small
// practice are in each; what that is stands in night1.txt and night2.txt, one
// line an entry, written from the source and not from a repository.
const golden = "../testdata/golden"

var createGolden = flag.Bool("create-golden", false, "make the golden repositories that are missing; none is overwritten")

// The secrets of the golden repositories.
const (
	goldenPassword = "elm street dental, format 1"
	goldenWriter   = "the nightly run of elm street"
	goldenCode     = "6GY60-AJFD6-FACK2-HAZG4-1M65S-BMDAF-Z7G9C-Q0HFX-SQF1F-CTWXM-TN764-DR2HY-5TR21"
)

var goldens = []struct {
	name      string
	algorithm chunk.Algorithm
	parity    int
	kdf       crypt.KDF
	writer    bool // has a writer's slot too
}{
	{"gear-parity3", chunk.Gear, 3, crypt.DefaultKDF, true},
	{"gear-parity0", chunk.Gear, 0, crypt.MinKDF, false},
	{"rabin-parity3", chunk.Rabin, 3, crypt.MinKDF, false},
	{"rabin-parity0", chunk.Rabin, 0, crypt.MinKDF, false},
}

func TestGoldenRepositoriesAreStillRead(t *testing.T) {
	if *createGolden {
		createGoldens(t)
	}
	for _, g := range goldens {
		for what, secret := range map[string]string{"password": goldenPassword, "recovery code": goldenCode} {
			t.Run(g.name+" by "+what, func(t *testing.T) {
				r := openGolden(t, g.name, secret)
				if c := r.Config(); c.Version != 1 || c.Parity != g.parity || c.Chunking != chunk.DefaultParams(g.algorithm) || !r.CanRead() {
					t.Errorf("config is %+v", c)
				}
				repotest.CheckClean(t, r)
				compareGolden(t, r)
				compareChecks(t, r)
			})
		}
	}
}

func TestGoldenWriterMayAddAndNotRead(t *testing.T) {
	r := openGolden(t, "gear-parity3", goldenWriter)
	if r.CanRead() {
		t.Error("it may read")
	}
	ix, err := r.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if has, err := ix.Has(r.Hash([]byte(goldenLetter(1)))); err != nil || !has {
		t.Errorf("it does not see that a letter is there: %v, %v", has, err)
	}
}

func openGolden(t *testing.T, name, secret string) *repo.Repository {
	t.Helper()
	st, err := local.New(filepath.Join(golden, name))
	if err != nil {
		t.Fatal(err)
	}
	r, err := repo.Open(t.Context(), st, []byte(secret), repo.Options{Warn: func(err error) { t.Errorf("warning: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// compareGolden holds the two snapshots against the listings.
func compareGolden(t *testing.T, r *repo.Repository) {
	t.Helper()
	all, broken, err := snapshot.All(t.Context(), r)
	if err != nil || len(all) != 2 || len(broken) != 0 {
		t.Fatalf("%d snapshots, broken: %v, %v", len(all), broken, err)
	}
	for i, s := range all {
		if got, want := describe(s), describe(goldenManifest(i+1)); got != want {
			t.Errorf("snapshot %d is\n%s\nwant\n%s", i+1, got, want)
		}
		listing, err := os.ReadFile(goldenListing(i + 1))
		if err != nil {
			t.Fatal(err)
		}
		got, want := strings.Split(listSnapshot(t, r, s), "\n"), strings.Split(string(listing), "\n")
		if len(got) != len(want) {
			t.Errorf("night %d has %d entries, want %d", i+1, len(got)-1, len(want)-1)
		}
		for n := range min(len(got), len(want)) {
			if got[n] != want[n] {
				t.Errorf("night %d: got\n%s\nwant\n%s", i+1, got[n], want[n])
			}
		}
	}
	if all[1].Parent != all[0].ID || all[1].Previous != all[0].ID {
		t.Error("the second snapshot does not name the first one")
	}
}

// goldenChecked is when all packs were read whole.
var goldenChecked = time.Unix(1_770_000_000, 0)

func compareChecks(t *testing.T, r *repo.Repository) {
	t.Helper()
	log, err := r.CheckLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	packs, err := packIDs(t.Context(), r)
	if err != nil || len(packs) != 4 {
		t.Fatalf("%d packs, %v", len(packs), err)
	}
	for _, p := range packs {
		if when := log.Verified(p); !when.Equal(goldenChecked) {
			t.Errorf("pack %v was checked at %v, want %v", p, when, goldenChecked)
		}
	}
}

func packIDs(ctx context.Context, r *repo.Repository) (ids []index.PackID, err error) {
	ix, err := r.Index(ctx)
	if err != nil {
		return nil, err
	}
	for info, err := range ix.Packs() {
		if err != nil {
			return nil, err
		}
		ids = append(ids, info.ID)
	}
	return ids, nil
}

// describe is what the manifests of two equal nights have in common.
func describe(s *snapshot.Snapshot) string {
	return fmt.Sprintf("%s %s %s %q %q %s %s %d %v %+v",
		s.Host, s.User, s.Plan, s.Tags, s.Paths, s.Time.Format(time.RFC3339Nano), s.Version, s.Sequence, s.Dated, s.Hold)
}

// listSnapshot writes a snapshot's tree as the listings have it.
func listSnapshot(t *testing.T, r *repo.Repository, s *snapshot.Snapshot) string {
	t.Helper()
	var out strings.Builder
	for e, err := range snapshot.Entries(t.Context(), r, &s.Root, "/") {
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		for ref, err := range snapshot.Chunks(t.Context(), r, e.Node.Content) {
			var data []byte
			if err == nil && !ref.Hole() {
				data, err = r.Load(t.Context(), ref.ID)
			}
			if err != nil {
				t.Fatalf("%s: %v", e.Path, err)
			}
			sum.Write(data)
			if ref.Hole() {
				sum.Write(make([]byte, ref.Size))
			}
		}
		out.WriteString(goldenLine(e.Path, &e.Node.Meta, e.Node.Attributes, e.Node.State, sum.Sum(nil)))
	}
	return out.String()
}

// goldenLine is one entry. What stands for bytes has all but printable ASCII as
// \xNN, and "-" when it is empty.
func goldenLine(path string, m *sources.Meta, attributes []sources.Attribute, state snapshot.State, sum []byte) string {
	var list []string
	for _, a := range attributes {
		list = append(list, fmt.Sprintf("%s=%x", printable(a.Name), a.Value))
	}
	device, links, content := m.Device, m.Links, "-"
	if m.Kind == sources.Dir || links < 2 { // not kept, see docs/format.md
		device, links = 0, 1
	}
	if m.Kind == sources.Regular {
		content = fmt.Sprintf("%x", sum)
	}
	return fmt.Sprintf("%s %v %04o %d:%s %d:%s %d %s %s %s %d %d %d %d %s %d %s %d %s\n", printable(path), m.Kind, m.Mode,
		m.UID, printable(m.User), m.GID, printable(m.Group), m.Size, moment(m.MTime), moment(m.CTime), moment(m.BTime),
		m.Inode, device, links, m.RDev, printable(m.Target), m.Attrs, orNone(strings.Join(list, ",")), state, content)
}

func printable(s string) string {
	var out strings.Builder
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			fmt.Fprintf(&out, `\x%02x`, c)
			continue
		}
		out.WriteByte(c)
	}
	return orNone(out.String())
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func moment(t sources.Time) string {
	if t.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%d.%09d", t.Sec, t.Nsec)
}

func goldenListing(night int) string { return filepath.Join(golden, fmt.Sprintf("night%d.txt", night)) }
