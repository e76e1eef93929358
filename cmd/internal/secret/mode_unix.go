//go:build unix

package secret

import "io/fs"

// exposed reports whether others than the owner may read a file, the group
// included.
func exposed(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
