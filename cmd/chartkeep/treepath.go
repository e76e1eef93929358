package main

import (
	"path/filepath"
	"strings"

	"chartkeep/sources"
)

// treePath is the path under which a snapshot keeps a path of this machine:
// absolute and with slashes; a Windows volume is the first element.
func treePath(p string) string {
	abs, err := filepath.Abs(p)
	if err != nil {
		abs = filepath.Clean(p)
	}
	volume := filepath.VolumeName(abs)
	rest := filepath.ToSlash(abs[len(volume):])
	if volume == "" {
		return rest
	}
	return strings.TrimSuffix("/"+sources.VolumeElement(volume)+rest, "/")
}
