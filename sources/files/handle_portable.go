//go:build !linux && !darwin && !windows

package files

import (
	"io/fs"

	"chartkeep/sources"
)

func systemMeta(fs.FileInfo, *sources.Meta) {}
