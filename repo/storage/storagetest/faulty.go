package storagetest

import (
	"context"
	"errors"
	"io"
	"path"
	"sync"

	"chartkeep/repo/storage"
)

// ErrInjected is the error of a Fault that names no other.
var ErrInjected = errors.New("injected fault")

// Fault says which call is to fail, and how. The zero value fails the next call
// of whatever operation.
type Fault struct {
	Op      Op     // "" means any
	Name    string // a pattern of path.Match for the file, folder or lock mode; "" means any
	Skip    int    // how many such calls succeed before
	Forever bool   // not only one call fails, but every such call from then on
	Err     error  // nil means ErrInjected
}

// Damage is what a medium has done to a file. Only readers notice.
type Damage struct {
	Name   string
	Offset int64
	Flip   byte // bits turned round in the byte at Offset; 0: the file ends there, although its Size is what it was
}

// Faulty fails calls of the store behind it and damages what is read from it. A
// call that fails has had no effect.
type Faulty struct {
	interceptor

	mu     sync.Mutex
	faults []*Fault
	damage []Damage
}

// NewFaulty returns a store before st in which all is well until Fail or Spoil.
func NewFaulty(st storage.Store) *Faulty {
	f := &Faulty{}
	f.interceptor = interceptor{inner: st, around: f.call, read: f.readSpoilt}
	return f
}

// Fail adds a fault. When several fit a call, the one added first fails it, and
// the others do not count it.
func (f *Faulty) Fail(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &fault)
}

// Spoil adds damage.
func (f *Faulty) Spoil(d ...Damage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.damage = append(f.damage, d...)
}

// Heal takes back all faults and damage.
func (f *Faulty) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.damage = nil, nil
}

func (f *Faulty) call(_ context.Context, op Op, name string, _ int, do func() error) error {
	if err := f.fault(op, name); err != nil {
		return err
	}
	return do()
}

// fault returns the error that the call is to fail with, or nil.
func (f *Faulty) fault(op Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.faults {
		if !fault.fits(op, name) {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		if !fault.Forever {
			f.faults = append(f.faults[:i:i], f.faults[i+1:]...)
		}
		if fault.Err != nil {
			return fault.Err
		}
		return ErrInjected
	}
	return nil
}

func (f *Fault) fits(op Op, name string) bool {
	if f.Op != "" && f.Op != op {
		return false
	}
	ok, _ := path.Match(f.Name, name)
	return ok || f.Name == ""
}

// readSpoilt reads what the damage has left.
func (f *Faulty) readSpoilt(file storage.File, name string, p []byte, off int64) (int, error) {
	n, err := file.ReadAt(p, off)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.damage {
		at := d.Offset - off
		switch {
		case d.Name != name || at >= int64(n):
		case d.Flip == 0:
			n, err = int(max(at, 0)), io.EOF
		case at >= 0:
			p[at] ^= d.Flip
		}
	}
	return n, err
}
