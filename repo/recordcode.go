package repo

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// maxRecord bounds a record's stored form, bytes. What a run has to say beyond
// it is cut, the longest words first.
const maxRecord = 64 << 10

// recordVersion is the version of the stored form.
const recordVersion = 1

// storedRecord is the stored form; its keys are for ever.
type storedRecord struct {
	Format      int          `cbor:"1,keyasint"`
	Sequence    uint64       `cbor:"2,keyasint"`
	Previous    [][]byte     `cbor:"3,keyasint,omitempty"`
	Sec         int64        `cbor:"4,keyasint"`
	Nsec        uint32       `cbor:"5,keyasint"`
	Zone        string       `cbor:"6,keyasint"`
	Offset      int          `cbor:"7,keyasint"`
	Duration    int64        `cbor:"8,keyasint"`
	Host        string       `cbor:"9,keyasint"`
	User        string       `cbor:"10,keyasint,omitempty"`
	Version     string       `cbor:"11,keyasint,omitempty"`
	Plan        string       `cbor:"12,keyasint,omitempty"`
	Kind        string       `cbor:"13,keyasint"`
	Result      string       `cbor:"14,keyasint"`
	Destination string       `cbor:"15,keyasint,omitempty"`
	Steps       []storedStep `cbor:"16,keyasint,omitempty"`
	Snapshots   [][]byte     `cbor:"17,keyasint,omitempty"`
	Added       int64        `cbor:"18,keyasint,omitempty"`
	AddedPacked int64        `cbor:"19,keyasint,omitempty"`
	Stored      int64        `cbor:"20,keyasint,omitempty"`
	Free        int64        `cbor:"21,keyasint,omitempty"`
	Total       int64        `cbor:"22,keyasint,omitempty"`
	Errors      []string     `cbor:"23,keyasint,omitempty"`
}

type storedStep struct {
	Name     string `cbor:"1,keyasint"`
	Result   string `cbor:"2,keyasint"`
	After    int64  `cbor:"3,keyasint"` // nanoseconds from the record's time
	Duration int64  `cbor:"4,keyasint"`
	Bytes    int64  `cbor:"5,keyasint,omitempty"`
	Words    string `cbor:"6,keyasint,omitempty"`
}

// How many of each a record lists, at most.
const (
	mostPrevious  = 64
	mostSteps     = 128
	mostSnapshots = 256
	mostErrors    = 64
)

// encode returns the stored form. Words are cut until it is small enough.
func (rec *Record) encode() ([]byte, error) {
	for words := 4 << 10; ; words /= 2 {
		s, err := rec.stored(words)
		if err != nil {
			return nil, err
		}
		b, err := canonical.Marshal(s)
		if err != nil || len(b) < maxRecord || words <= 16 {
			return b, err
		}
	}
}

// stored is the record with no text longer than words.
func (rec *Record) stored(words int) (*storedRecord, error) {
	cut := func(s string) string { return clip(s, words) }
	zone, offset := rec.Time.Zone()
	s := &storedRecord{
		Format: recordVersion, Sequence: rec.Sequence, Sec: rec.Time.Unix(), Nsec: uint32(rec.Time.Nanosecond()), Zone: cut(zone), Offset: offset,
		Duration: int64(max(0, rec.Duration)), Host: cut(rec.Host), User: cut(rec.User), Version: cut(rec.Version), Plan: cut(rec.Plan),
		Kind: cut(string(rec.Kind)), Result: cut(string(rec.Result)), Destination: cut(rec.Destination),
		Added: max(0, rec.Added), AddedPacked: max(0, rec.AddedPacked), Stored: max(0, rec.Stored), Free: max(0, rec.Free), Total: max(0, rec.Total),
	}
	for _, o := range rec.Steps[:min(len(rec.Steps), mostSteps)] {
		s.Steps = append(s.Steps, storedStep{
			cut(o.Name), cut(string(o.Result)), int64(rec.until(o.Start)), int64(max(0, o.Duration)), max(0, o.Bytes), cut(o.Words),
		})
	}
	for _, e := range rec.Errors[:min(len(rec.Errors), mostErrors)] {
		s.Errors = append(s.Errors, cut(e))
	}
	if n := len(rec.Errors) - mostErrors; n > 0 {
		s.Errors[mostErrors-1] = cut(fmt.Sprintf("and %d more", n+1))
	}
	var err error
	if s.Previous, err = idBytes(rec.Previous, mostPrevious); err == nil {
		s.Snapshots, err = idBytes(rec.Snapshots, mostSnapshots)
	}
	return s, err
}

// until is how long after the record's time a step began.
func (rec *Record) until(start time.Time) time.Duration {
	if start.IsZero() {
		return 0
	}
	return max(start.Sub(rec.Time), math.MinInt64+1)
}

// clip is s as text of at most n bytes.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= n {
		return s
	}
	const more = "…"
	s = s[:max(0, n-len(more))]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + more
}

func idBytes(ids []DocumentID, most int) (list [][]byte, err error) {
	for _, id := range ids[:min(len(ids), most)] {
		b, err := hex.DecodeString(string(id))
		if err != nil || len(b) != 32 {
			return nil, fmt.Errorf("record: %q is not the ID of a document", id)
		}
		list = append(list, b)
	}
	return list, nil
}

func idsOf(list [][]byte) (ids []DocumentID, err error) {
	for _, b := range list {
		if len(b) != 32 {
			return nil, fmt.Errorf("malformed document ID: %w", ErrDamaged)
		}
		ids = append(ids, DocumentID(hex.EncodeToString(b)))
	}
	return ids, nil
}

func decodeRecord(id DocumentID, b []byte) (*Record, error) {
	if len(b) >= maxRecord {
		return nil, fmt.Errorf("record %s: %d bytes are too long: %w", id.Short(), len(b), ErrDamaged)
	}
	var s storedRecord
	if err := unmarshalCanonical(b, &s); err != nil {
		return nil, fmt.Errorf("record %s: %w", id.Short(), err)
	}
	if s.Format != recordVersion {
		return nil, fmt.Errorf("record %s: version %d: %w", id.Short(), s.Format, ErrNewerFormat)
	}
	rec, err := s.record()
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", id.Short(), err)
	}
	rec.ID = id
	return rec, nil
}

func (s *storedRecord) record() (*Record, error) {
	const day = 24 * 60 * 60
	if s.Nsec >= 1e9 || s.Offset <= -day || s.Offset >= day || min(s.Duration, s.Added, s.AddedPacked, s.Stored, s.Free, s.Total) < 0 {
		return nil, fmt.Errorf("a number is out of its range: %w", ErrDamaged)
	}
	rec := &Record{
		Sequence: s.Sequence, Time: time.Unix(s.Sec, int64(s.Nsec)).In(time.FixedZone(s.Zone, s.Offset)), Duration: time.Duration(s.Duration),
		Host: s.Host, User: s.User, Version: s.Version, Plan: s.Plan, Kind: RecordKind(s.Kind), Result: Result(s.Result), Destination: s.Destination,
		Added: s.Added, AddedPacked: s.AddedPacked, Stored: s.Stored, Free: s.Free, Total: s.Total, Errors: s.Errors,
	}
	for _, o := range s.Steps {
		if min(o.Duration, o.Bytes) < 0 || o.After == math.MinInt64 {
			return nil, fmt.Errorf("a number of a step is out of its range: %w", ErrDamaged)
		}
		rec.Steps = append(rec.Steps, Step{
			o.Name, Result(o.Result), rec.Time.Add(time.Duration(o.After)), time.Duration(o.Duration), o.Bytes, o.Words,
		})
	}
	var err error
	if rec.Previous, err = idsOf(s.Previous); err == nil {
		rec.Snapshots, err = idsOf(s.Snapshots)
	}
	return rec, err
}
