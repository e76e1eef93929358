package files

import (
	"io/fs"
	"syscall"
	"time"

	"chartkeep/sources"
)

func systemMeta(info fs.FileInfo, m *sources.Meta) {
	if d, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		m.Attrs = d.FileAttributes
		m.BTime = sources.At(time.Unix(0, d.CreationTime.Nanoseconds()))
	}
}
