package storage

import (
	"fmt"
	"io/fs"
	"strings"
)

const (
	maxName    = 1024 // bytes of a whole name
	maxElement = 200  // bytes of one element: file systems allow 255, some encrypted ones less
)

// CheckName returns an error that wraps fs.ErrInvalid unless name can be the
// name of a file in every store, on every operating system: elements of letters,
// digits, '.', '_' and '-', that begin with a letter or digit and do not end in
// a dot, joined by single slashes. So no name is absolute or climbs with "..",
// and the hidden files that systems drop on drives are no names. The first
// elements "tmp", "lock" and "runlock" are kept for the stores themselves.
func CheckName(name string) error {
	if len(name) > maxName {
		return invalid(name[:maxElement]+"…", "is too long")
	}
	first, _, _ := strings.Cut(name, "/")
	for _, kept := range []string{"tmp", "lock", "runlock"} {
		if strings.EqualFold(first, kept) { // some file systems do not tell case
			return invalid(name, "is reserved")
		}
	}
	for element := range strings.SplitSeq(name, "/") {
		if !plain(element) {
			return invalid(name, "is not plain")
		}
	}
	return nil
}

// CheckFolder is CheckName for a folder, which may also be "", the whole store.
func CheckFolder(dir string) error {
	if dir == "" {
		return nil
	}
	return CheckName(dir)
}

func invalid(name, why string) error {
	return fmt.Errorf("name %q %s: %w", name, why, fs.ErrInvalid)
}

func plain(element string) bool {
	n := len(element)
	if n == 0 || n > maxElement || !alphanumeric(element[0]) || element[n-1] == '.' {
		return false
	}
	for i := range n {
		if c := element[i]; !alphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
