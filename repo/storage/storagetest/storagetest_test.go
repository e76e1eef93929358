package storagetest

import (
	"testing"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
)

func TestStoresOfThisPackage(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) storage.Store{
		"faulty":   func(*testing.T) storage.Store { return NewFaulty(mem.New()) },
		"recorder": func(*testing.T) storage.Store { return NewRecorder(mem.New()) },
		"slow":     func(*testing.T) storage.Store { return NewSlow(mem.New(), Pace{BytesPerSecond: 1 << 40}) },
		"crash":    func(*testing.T) storage.Store { return NewCrash() },
	} {
		t.Run(name, func(t *testing.T) { Run(t, open) })
	}
}
