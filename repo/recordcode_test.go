package repo

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func fullRecord() Record {
	at := time.Date(2026, 3, 14, 19, 30, 0, 500, time.FixedZone("CDT", -5*3600))
	id := func(c string) DocumentID { return DocumentID(strings.Repeat(c, 64)) }
	return Record{
		Sequence: 7, Previous: []DocumentID{id("a"), id("b")}, Time: at, Duration: 90 * time.Second,
		Host: "server", User: "backup", Version: "1.0", Plan: "nightly", Kind: RecordRun, Result: ResultIncomplete, Destination: "red",
		Steps: []Step{
			{"backup", ResultIncomplete, at.Add(time.Second), time.Minute, 1 << 30, "2 items could not be read"},
			{"check", ResultDone, at.Add(70 * time.Second), 3 * time.Second, 5, ""},
		},
		Snapshots: []DocumentID{id("c")}, Added: 1 << 20, AddedPacked: 1 << 18, Stored: 1 << 33, Free: 1 << 35, Total: 1 << 40,
		Errors: []string{"/srv/x: permission denied"},
	}
}

func TestARecordComesBack(t *testing.T) {
	for name, want := range map[string]Record{"full": fullRecord(), "empty": {Time: time.Unix(0, 0).In(time.FixedZone("UTC", 0))}} {
		b, err := want.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeRecord("", b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !got.Time.Equal(want.Time) || got.Time.Format(time.RFC3339) != want.Time.Format(time.RFC3339) {
			t.Errorf("%s: time %v, want %v", name, got.Time, want.Time)
		}
		for i := range want.Steps {
			if !got.Steps[i].Start.Equal(want.Steps[i].Start) {
				t.Errorf("%s: step %d began at %v", name, i, got.Steps[i].Start)
			}
			got.Steps[i].Start = want.Steps[i].Start
		}
		got.Time = want.Time
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %+v, want %+v", name, *got, want)
		}
	}
}

func TestARecordStaysSmall(t *testing.T) {
	rec := fullRecord()
	for i := range 1000 {
		long := strings.Repeat("ünreadable ", 2000)
		rec.Errors = append(rec.Errors, fmt.Sprint(i, long))
		rec.Steps = append(rec.Steps, Step{Name: long, Result: ResultFailed, Words: long})
		rec.Snapshots = append(rec.Snapshots, rec.Snapshots[0])
		rec.Previous = append(rec.Previous, rec.Previous[0])
	}
	rec.Host, rec.Plan = "broken\xff", strings.Repeat("x", 1<<20)
	b, err := rec.encode()
	if err != nil || len(b) >= maxRecord {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	got, err := decodeRecord("", b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Result != ResultIncomplete || len(got.Steps) != mostSteps || got.Errors[mostErrors-1] != "and 938 more" {
		t.Errorf("%d steps, the last error is %q", len(got.Steps), got.Errors[len(got.Errors)-1])
	}
	if got.Host != "broken\ufffd" || !strings.HasSuffix(got.Plan, "…") {
		t.Errorf("host %q, plan %q", got.Host, got.Plan)
	}
}

func TestStrangeRecordsAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*storedRecord){
		"of a newer version":    func(s *storedRecord) { s.Format = 2 },
		"with a short ID":       func(s *storedRecord) { s.Previous = [][]byte{make([]byte, 31)} },
		"with a negative size":  func(s *storedRecord) { s.Free = -1 },
		"with a strange zone":   func(s *storedRecord) { s.Offset = 1 << 20 },
		"with a strange second": func(s *storedRecord) { s.Nsec = 1e9 },
		"with a negative step":  func(s *storedRecord) { s.Steps = []storedStep{{Duration: -1}} },
		"that is too long":      func(s *storedRecord) { s.Plan = strings.Repeat("x", maxRecord) },
	} {
		var rec Record
		s, err := rec.stored(100)
		if err != nil {
			t.Fatal(err)
		}
		spoil(s)
		b, err := canonical.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeRecord("", b); err == nil {
			t.Errorf("a record %s is accepted", name)
		}
	}
}

// What is accepted is what an encoder writes.
func FuzzRecord(f *testing.F) {
	for _, rec := range []Record{{}, fullRecord()} {
		b, err := rec.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := decodeRecord("", b)
		if err != nil {
			return
		}
		s, err := rec.stored(maxRecord)
		if err != nil {
			t.Fatal(err)
		}
		if len(rec.Steps) > mostSteps || len(rec.Errors) > mostErrors || len(rec.Previous) > mostPrevious || len(rec.Snapshots) > mostSnapshots {
			return // is read, but would not be written
		}
		again, err := canonical.Marshal(s)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is accepted, and written again it is %x (%v)", b, again, err)
		}
	})
}
