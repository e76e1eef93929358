package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"chartkeep/cmd/internal/notify"
)

// memoryFile keeps what was said to whom, in the folder of this computer's state.
const memoryFile = "notices.json"

// noticeMemory reads what was said so far. When that cannot be known, things may be
// said twice, and no run fails for it.
func (p *program) noticeMemory() *notify.Memory {
	m := new(notify.Memory)
	b, err := os.ReadFile(filepath.Join(stateDir(), memoryFile))
	if err == nil {
		err = json.Unmarshal(b, m)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.Warn("what was notified before is not known: %s", oneLine(err))
		m = new(notify.Memory)
	}
	return m
}

func (p *program) remember(m *notify.Memory) error {
	b, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(stateDir(), 0o700); err != nil {
		return err
	}
	return replaceFile(filepath.Join(stateDir(), memoryFile), append(b, '\n'))
}

// replaceFile writes a small file in the place of an old one: one or the other is
// there at every moment.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
