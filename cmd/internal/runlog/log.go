package runlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"chartkeep/repo"
	"chartkeep/repo/storage"
)

// The log is rotated when it has this size, and so many old files are kept: some
// ten years of nights.
const (
	logMegabytes = 4
	oldLogs      = 8
	logName      = "runs.jsonl"
)

// lastWords is how long a line waits for another program that is writing one.
const lastWords = 5 * time.Second

// Append adds a line to the log in dir, which is made if need be.
func Append(ctx context.Context, dir string, rec repo.Record) error {
	line, err := json.Marshal(LineOf(rec))
	if err == nil {
		err = appendLine(ctx, dir, append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("log of runs: %w", err)
	}
	return nil
}

func appendLine(ctx context.Context, dir string, line []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	held, err := storage.AwaitLock(ctx, lastWords, func() (io.Closer, error) { return tryFile(filepath.Join(dir, "log.lock")) })
	if err != nil {
		return err
	}
	defer held.Close()
	name := filepath.Join(dir, logName)
	if torn(name) {
		line = append([]byte{'\n'}, line...) // costs the torn line, and not this one too
	}
	w := &lumberjack.Logger{Filename: name, MaxSize: logMegabytes, MaxBackups: oldLogs, LocalTime: true}
	_, err = w.Write(line)
	return errors.Join(err, w.Close())
}

// torn reports whether a file ends in the middle of a line.
func torn(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// Newest returns the last records in the log of dir that want is true for (nil:
// all), at most n, or all when n is 0; the oldest of them first. Lines that are
// none are passed over. A log that is not there is empty.
func Newest(dir string, n int, want func(*repo.Record) bool) (records []repo.Record, err error) {
	files, err := logFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("log of runs: %w", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) { // rotated meanwhile
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("log of runs: %w", err)
		}
		for _, line := range slices.Backward(bytes.Split(b, []byte{'\n'})) {
			var l Line
			if json.Unmarshal(line, &l) != nil || l.Time.IsZero() {
				continue
			}
			if rec := l.Record(); want == nil || want(&rec) {
				records = append(records, rec)
			}
			if n > 0 && len(records) == n {
				slices.Reverse(records)
				return records, nil
			}
		}
	}
	slices.Reverse(records)
	return records, nil
}

// logFiles are the log and what it was before, the newest first: the names of
// rotated files end in their time.
func logFiles(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	base, ext, _ := strings.Cut(logName, ".")
	for _, e := range slices.Backward(entries) {
		if strings.HasPrefix(e.Name(), base+"-") && strings.HasSuffix(e.Name(), "."+ext) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return append([]string{filepath.Join(dir, logName)}, files...), err
}
