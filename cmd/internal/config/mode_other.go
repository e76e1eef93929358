//go:build !unix

package config

import "io/fs"

// guarded: where there are no such modes, the folder's rights guard the file.
func guarded(string, fs.FileInfo) error { return nil }

func readable(fs.FileInfo) bool { return false }
