//go:build !unix

package secret

import "io/fs"

// exposed: where there are no such modes, the folder's rights guard the file.
func exposed(fs.FileInfo) bool { return false }
