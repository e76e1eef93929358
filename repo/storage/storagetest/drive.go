package storagetest

import (
	"sync"
	"time"

	"chartkeep/repo/storage/local"
)

// A Drive is a file system on a spinning disk: all bytes go through one arm, which
// has to be moved to wherever the last call did not end. It sleeps as long as that
// takes.
type Drive struct {
	local.FS
	seek time.Duration
	rate float64 // bytes a second

	mu    sync.Mutex
	free  time.Time // when the arm has done all that was asked of it
	at    place     // and where it stands then
	stats DriveStats
	now   int // reads in flight
}

type place struct {
	path string
	off  int64
}

// DriveStats are what a drive has done since it was last asked.
type DriveStats struct {
	Seeks         int
	Read, Written int64         // bytes
	Busy          time.Duration // of the arm
	Together      int           // how many reads of different files were in flight at a time, at most
}

// NewDrive puts a drive under a file system: it takes seek to move its arm, and
// moves so many bytes a second.
func NewDrive(fsys local.FS, seek time.Duration, bytesPerSecond float64) *Drive {
	return &Drive{FS: fsys, seek: seek, rate: bytesPerSecond}
}

// Stats returns what was done since the last call.
func (d *Drive) Stats() DriveStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	d.stats = DriveStats{}
	return s
}

// Create makes a file on the drive.
func (d *Drive) Create(path string) (local.File, error) {
	f, err := d.FS.Create(path)
	if err != nil {
		return nil, err
	}
	return &driveFile{File: f, drive: d, path: path}, nil
}

// Open opens a file on the drive.
func (d *Drive) Open(path string) (local.File, error) {
	f, err := d.FS.Open(path)
	if err != nil {
		return nil, err
	}
	return &driveFile{File: f, drive: d, path: path}, nil
}

// move has the arm go to a place and pass n bytes there, and sleeps until it has.
func (d *Drive) move(to place, n int) {
	d.mu.Lock()
	now := time.Now()
	if d.free.Before(now) {
		d.free = now
	}
	takes := time.Duration(float64(n) / d.rate * float64(time.Second))
	if to != d.at {
		takes += d.seek
		d.stats.Seeks++
	}
	d.at = place{to.path, to.off + int64(n)}
	d.stats.Busy += takes
	d.free = d.free.Add(takes)
	wait := d.free.Sub(now)
	d.mu.Unlock()
	time.Sleep(wait)
}

type driveFile struct {
	local.File
	drive   *Drive
	path    string
	written int64
}

func (f *driveFile) ReadAt(p []byte, off int64) (int, error) {
	d := f.drive
	d.mu.Lock()
	d.now++
	d.stats.Together = max(d.stats.Together, d.now)
	d.stats.Read += int64(len(p))
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.now--
		d.mu.Unlock()
	}()
	d.move(place{f.path, off}, len(p))
	return f.File.ReadAt(p, off)
}

func (f *driveFile) Write(p []byte) (int, error) {
	f.drive.mu.Lock()
	f.drive.stats.Written += int64(len(p))
	f.drive.mu.Unlock()
	f.drive.move(place{f.path, f.written}, len(p))
	f.written += int64(len(p))
	return f.File.Write(p)
}
