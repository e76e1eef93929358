//go:build !unix

package restore_test

import "testing"

// allocated cannot be told here.
func allocated(*testing.T, string) int64 { return 0 }
