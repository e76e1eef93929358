package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"chartkeep/repo"
	"chartkeep/sources"
)

// A Snapshot is a manifest: what was saved, when, where, and how it went.
type Snapshot struct {
	ID       repo.DocumentID // its document; not part of the stored form
	Time     time.Time       // start of the run, in the zone of the host
	Host     string
	User     string
	Plan     string
	Tags     []string
	Paths    []string // absolute, as they stand in the tree
	Root     Node     // of kind Dir, without a name
	Parent   repo.DocumentID
	Previous repo.DocumentID // the snapshot that this host wrote before
	Complete bool            // every source was read to its end
	Original repo.DocumentID // the snapshot of which this is an edited copy
	Summary  Summary
	Hold     *Hold
	Version  string // of the program

	// Sequence counts the host's snapshots: one more than the previous one's.
	// Retention sees by it when a clock has jumped. Edited copies keep it.
	Sequence uint64
	Dated    bool // Time was given by a person and is not the clock's

	Sources   []SourceRecord // of a plan, in its order
	Suspicion []string       // why what was saved looks wrong, in words; see Suspect
	Cleared   *Hold          // the person who said that it is right nevertheless
}

// Suspicious reports whether something about the snapshot looks wrong and no
// person has said that it is right. Retention of its plan waits for that.
func (s *Snapshot) Suspicious() bool { return len(s.Suspicion) > 0 && s.Cleared == nil }

// A SourceRecord is what became of one source of a plan.
type SourceRecord struct {
	Name  string
	Kind  string   // files, command, postgres, mysql
	Paths []string // where it lies in the tree
	Files int64
	Bytes int64
	New   int64             // files new or changed since the snapshot before; Files when there was none
	Error string            // why it is not complete; empty: it is
	Facts map[string]string // what it told of itself: server version, position
}

// A Hold protects a snapshot from being forgotten.
type Hold struct {
	Who    string `cbor:"1,keyasint" json:"who"`
	When   int64  `cbor:"2,keyasint" json:"when"` // Unix seconds
	Reason string `cbor:"3,keyasint,omitempty" json:"reason,omitempty"`
}

// A Summary counts what a run did. Sizes are in bytes.
type Summary struct {
	FilesNew        int64 `cbor:"1,keyasint" json:"files_new"`
	FilesChanged    int64 `cbor:"2,keyasint" json:"files_changed"`
	FilesUnmodified int64 `cbor:"3,keyasint" json:"files_unmodified"`
	DirsNew         int64 `cbor:"4,keyasint" json:"dirs_new"`
	DirsChanged     int64 `cbor:"5,keyasint" json:"dirs_changed"`
	DirsUnmodified  int64 `cbor:"6,keyasint" json:"dirs_unmodified"`
	DataAdded       int64 `cbor:"7,keyasint" json:"data_added"`
	DataAddedPacked int64 `cbor:"8,keyasint" json:"data_added_packed"`
	Files           int64 `cbor:"9,keyasint" json:"total_files_processed"`
	Bytes           int64 `cbor:"10,keyasint" json:"total_bytes_processed"`
	Errors          int64 `cbor:"11,keyasint" json:"errors"`
	Duration        int64 `cbor:"12,keyasint" json:"-"` // nanoseconds
	Inconsistent    int64 `cbor:"13,keyasint,omitempty" json:"files_inconsistent,omitempty"`
}

// Add adds the counts of another source of the same run. Duration and what was
// stored are the run's, and stay.
func (s *Summary) Add(o Summary) {
	s.FilesNew += o.FilesNew
	s.FilesChanged += o.FilesChanged
	s.FilesUnmodified += o.FilesUnmodified
	s.DirsNew += o.DirsNew
	s.DirsChanged += o.DirsChanged
	s.DirsUnmodified += o.DirsUnmodified
	s.Files += o.Files
	s.Bytes += o.Bytes
	s.Errors += o.Errors
	s.Inconsistent += o.Inconsistent
}

// manifest is the stored form; its keys are for ever.
type manifest struct {
	Format   int      `cbor:"1,keyasint"`
	Sec      int64    `cbor:"2,keyasint"`
	Nsec     uint32   `cbor:"3,keyasint"`
	Zone     string   `cbor:"4,keyasint"` // name or abbreviation
	Offset   int      `cbor:"5,keyasint"` // seconds east of UTC
	Host     string   `cbor:"6,keyasint"`
	User     string   `cbor:"7,keyasint,omitempty"`
	Plan     string   `cbor:"8,keyasint,omitempty"`
	Tags     []string `cbor:"9,keyasint,omitempty"`
	Paths    [][]byte `cbor:"10,keyasint,omitempty"`
	Root     []byte   `cbor:"11,keyasint"` // a node
	Parent   string   `cbor:"12,keyasint,omitempty"`
	Previous string   `cbor:"13,keyasint,omitempty"`
	Complete bool     `cbor:"14,keyasint"`
	Original string   `cbor:"15,keyasint,omitempty"`
	Summary  Summary  `cbor:"16,keyasint"`
	Hold     *Hold    `cbor:"17,keyasint,omitempty"`
	Version  string   `cbor:"18,keyasint,omitempty"`
	Sequence uint64   `cbor:"19,keyasint,omitempty"`
	Dated    bool     `cbor:"20,keyasint,omitempty"`

	Sources   []sourceRecord `cbor:"21,keyasint,omitempty"`
	Suspicion []string       `cbor:"22,keyasint,omitempty"`
	Cleared   *Hold          `cbor:"23,keyasint,omitempty"`
}

type sourceRecord struct {
	Name  string            `cbor:"1,keyasint"`
	Kind  string            `cbor:"2,keyasint"`
	Paths [][]byte          `cbor:"3,keyasint,omitempty"`
	Files int64             `cbor:"4,keyasint"`
	Bytes int64             `cbor:"5,keyasint"`
	New   int64             `cbor:"6,keyasint"`
	Error string            `cbor:"7,keyasint,omitempty"`
	Facts map[string]string `cbor:"8,keyasint,omitempty"`
}

var manifestEncoding = must(cbor.CoreDetEncOptions().EncMode())

var manifestDecoding = must(cbor.DecOptions{
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
	IndefLength:       cbor.IndefLengthForbidden,
	ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	MaxNestedLevels:   8,
}.DecMode())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// manifestVersion is the version of the stored form.
const manifestVersion = 1

func (s *Snapshot) encode() ([]byte, error) {
	root := s.Root.append(nil)
	zone, offset := s.Time.Zone()
	m := manifest{
		Format: manifestVersion, Sec: s.Time.Unix(), Nsec: uint32(s.Time.Nanosecond()), Zone: zone, Offset: offset,
		Host: valid(s.Host), User: valid(s.User), Plan: valid(s.Plan), Root: root,
		Parent: string(s.Parent), Previous: string(s.Previous), Complete: s.Complete, Original: string(s.Original),
		Summary: s.Summary, Version: s.Version, Sequence: s.Sequence, Dated: s.Dated,
	}
	for _, t := range s.Tags {
		m.Tags = append(m.Tags, valid(t))
	}
	for _, t := range s.Suspicion {
		m.Suspicion = append(m.Suspicion, valid(t))
	}
	m.Hold, m.Cleared = s.Hold.valid(), s.Cleared.valid()
	m.Paths = byteStrings(s.Paths)
	for _, o := range s.Sources {
		r := sourceRecord{
			Name: valid(o.Name), Kind: valid(o.Kind), Paths: byteStrings(o.Paths), Files: o.Files, Bytes: o.Bytes, New: o.New, Error: valid(o.Error),
		}
		for k, v := range o.Facts {
			if r.Facts == nil {
				r.Facts = map[string]string{}
			}
			r.Facts[valid(k)] = valid(v)
		}
		m.Sources = append(m.Sources, r)
	}
	return manifestEncoding.Marshal(&m)
}

// valid is s as text: what is not could not be read back.
func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

func (h *Hold) valid() *Hold {
	if h == nil {
		return nil
	}
	return &Hold{Who: valid(h.Who), When: h.When, Reason: valid(h.Reason)}
}

func byteStrings(list []string) (b [][]byte) {
	for _, s := range list {
		b = append(b, []byte(s))
	}
	return b
}

func plainStrings(list [][]byte) (s []string) {
	for _, b := range list {
		s = append(s, string(b))
	}
	return s
}

func decodeManifest(id repo.DocumentID, b []byte) (*Snapshot, error) {
	var m manifest
	if err := manifestDecoding.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", id.Short(), err)
	}
	if again, err := manifestEncoding.Marshal(&m); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("snapshot %s: not in canonical form", id.Short())
	}
	if m.Format != manifestVersion {
		return nil, fmt.Errorf("snapshot %s: manifest version %d: %w", id.Short(), m.Format, repo.ErrNewerFormat)
	}
	root, rest, err := new(nodeDecoder).decode(m.Root)
	if err != nil || len(rest) > 0 || root.Meta.Kind != sources.Dir {
		return nil, fmt.Errorf("snapshot %s: malformed root: %w", id.Short(), errors.Join(err, errPiece))
	}
	s := &Snapshot{
		ID: id, Time: time.Unix(m.Sec, int64(m.Nsec)).In(time.FixedZone(m.Zone, m.Offset)),
		Host: m.Host, User: m.User, Plan: m.Plan, Tags: m.Tags, Root: *root,
		Parent: repo.DocumentID(m.Parent), Previous: repo.DocumentID(m.Previous), Complete: m.Complete,
		Original: repo.DocumentID(m.Original), Summary: m.Summary, Hold: m.Hold, Version: m.Version,
		Sequence: m.Sequence, Dated: m.Dated, Paths: plainStrings(m.Paths), Suspicion: m.Suspicion, Cleared: m.Cleared,
	}
	for _, o := range m.Sources {
		s.Sources = append(s.Sources, SourceRecord{
			Name: o.Name, Kind: o.Kind, Paths: plainStrings(o.Paths), Files: o.Files, Bytes: o.Bytes, New: o.New, Error: o.Error, Facts: o.Facts,
		})
	}
	return s, nil
}

// Put stores a manifest and sets its ID. Everything it refers to must be
// durable.
func (s *Snapshot) Put(ctx context.Context, w *repo.Writer) error {
	b, err := s.encode()
	if err != nil {
		return err
	}
	s.ID, err = w.PutDocument(ctx, repo.Snapshots, b)
	return err
}

// Load reads one manifest.
func Load(ctx context.Context, r *repo.Repository, id repo.DocumentID) (*Snapshot, error) {
	b, err := r.GetDocument(ctx, repo.Snapshots, id)
	if err != nil {
		return nil, err
	}
	return decodeManifest(id, b)
}

// All reads every manifest and returns them by time, the oldest first. What
// cannot be read is returned as errors beside the others.
func All(ctx context.Context, r *repo.Repository) (all []*Snapshot, broken []error, err error) {
	ids, err := r.ListDocuments(ctx, repo.Snapshots)
	if err != nil {
		return nil, nil, err
	}
	found := make([]*Snapshot, len(ids))
	wrong := make([]error, len(ids))
	err = r.OpenDocuments(ctx, repo.Snapshots, ids, func(i int, plain []byte, err error) {
		if err == nil {
			found[i], err = decodeManifest(ids[i], plain)
		}
		wrong[i] = err
	})
	if err != nil {
		return nil, nil, err
	}
	for i, err := range wrong {
		if err != nil {
			broken = append(broken, &brokenError{ids[i], err})
			continue
		}
		all = append(all, found[i])
	}
	if len(broken) > 0 {
		if broken, err = stillThere(ctx, r, broken); err != nil {
			return nil, nil, err
		}
	}
	sort.SliceStable(all, func(i, k int) bool { return all[i].Time.Before(all[k].Time) })
	return all, broken, nil
}

// brokenError says which manifest cannot be read.
type brokenError struct {
	id  repo.DocumentID
	err error
}

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// stillThere leaves out the manifests that another run has removed since they
// were listed.
func stillThere(ctx context.Context, r *repo.Repository, broken []error) (left []error, err error) {
	ids, err := r.ListDocuments(ctx, repo.Snapshots)
	for _, b := range broken {
		if e := (*brokenError)(nil); errors.As(b, &e) && slices.Contains(ids, e.id) {
			left = append(left, b)
		}
	}
	return left, err
}

// ErrNoSnapshot says that no snapshot has the name that was given.
var ErrNoSnapshot = errors.New("no such snapshot")

// Resolve finds a snapshot by name among all, which are sorted by time: latest,
// latest~N (N before it), or a unique prefix of its ID.
func Resolve(all []*Snapshot, name string) (*Snapshot, error) {
	if back, ok := strings.CutPrefix(name, "latest"); ok {
		n, err := strconv.Atoi(strings.TrimPrefix(back, "~"))
		if back == "" {
			n, err = 0, nil
		}
		if err != nil || n < 0 || n >= len(all) {
			return nil, fmt.Errorf("%s: %w (there are %d)", name, ErrNoSnapshot, len(all))
		}
		return all[len(all)-1-n], nil
	}
	var found *Snapshot
	for _, s := range all {
		if !strings.HasPrefix(string(s.ID), name) || name == "" {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%s: more than one snapshot begins so; give more digits", name)
		}
		found = s
	}
	if found == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrNoSnapshot)
	}
	return found, nil
}

// CurrentUser is the name under which a run is recorded.
func CurrentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
