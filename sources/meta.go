package sources

import "time"

// A Kind says what an entry is. The zero Kind is unknown.
type Kind uint8

// The kinds of entries.
const (
	Regular Kind = iota + 1
	Dir
	Symlink
	FIFO
	Socket
	CharDevice
	BlockDevice
)

var kindNames = [...]string{"unknown", "file", "dir", "symlink", "fifo", "socket", "chardev", "dev"}

func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// Bits of Meta.Mode above the nine permission bits.
const (
	Sticky = 0o1000
	SetGID = 0o2000
	SetUID = 0o4000
)

// A Meta is what a file system knows about an entry without opening it.
type Meta struct {
	Kind Kind
	Mode uint32 // permission bits with SetUID, SetGID and Sticky: 07777 at most

	UID, GID    uint32
	User, Group string // names of UID and GID; empty when they have none

	Size int64 // bytes of a regular file or of a link's target, else zero

	MTime, CTime, BTime Time // BTime is zero where it is not known

	Device, Inode uint64 // together they name the file on its machine
	Links         uint64 // hard links; more than one: other paths may be this file
	RDev          uint64 // device number of a character or block device, as the system encodes it

	Target string // what a symlink points to, bytes as they are
	Attrs  uint32 // Windows file attributes
}

// A Time is a moment as file systems keep it: to the nanosecond, before 1970
// as well, and without a zone. The zero Time is the start of 1970 and also
// stands for a time that is not known.
type Time struct {
	Sec  int64
	Nsec uint32 // below 1e9, and always forward from Sec
}

// At returns t as a Time.
func At(t time.Time) Time {
	return Time{Sec: t.Unix(), Nsec: uint32(t.Nanosecond())}
}

// Time returns t in local time.
func (t Time) Time() time.Time { return time.Unix(t.Sec, int64(t.Nsec)) }

// IsZero reports whether t is not known.
func (t Time) IsZero() bool { return t == Time{} }

// Compare returns -1 if t is before u, 1 if it is after u, and 0 otherwise.
func (t Time) Compare(u Time) int {
	switch {
	case t == u:
		return 0
	case t.Sec < u.Sec || t.Sec == u.Sec && t.Nsec < u.Nsec:
		return -1
	default:
		return 1
	}
}
