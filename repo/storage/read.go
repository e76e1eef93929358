package storage

import (
	"context"
	"fmt"
	"io"
)

// ReadAll returns the whole content of a file of at most limit bytes. A larger
// file is an error before anything is allocated for it, since the length comes
// from a place that is not trusted.
func ReadAll(ctx context.Context, st Store, name string, limit int64) (content []byte, err error) {
	f, err := st.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := f.Size()
	if size < 0 || size > limit {
		return nil, fmt.Errorf("read %s: %d bytes, more than the %d that can be right", name, size, limit)
	}
	content = make([]byte, size)
	n, err := f.ReadAt(content, 0)
	switch {
	case int64(n) == size: // with or without io.EOF
		return content, nil
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("read %s: %w", name, err)
}
