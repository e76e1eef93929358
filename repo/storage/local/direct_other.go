//go:build !linux

package local

import "os"

func newFileWriter(f *os.File) File { return systemFile{f} }

func newFileReader(f *os.File) File { return systemFile{f} }
