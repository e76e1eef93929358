//go:build !amd64

package pack

func splitMany(_, _, _ []byte) int { return 0 }

func joinMany(_, _, _ []byte) int { return 0 }
