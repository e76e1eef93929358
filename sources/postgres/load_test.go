package postgres

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A slowFile is a table's file that is still being read when its reader's
// connection has gone.
type slowFile struct {
	io.Reader
	gone   func()        // ends the connection
	closed chan struct{} // by Close
	busy   atomic.Bool   // it is being read
	early  bool          // it was closed meanwhile
}

func (f *slowFile) Read(p []byte) (int, error) {
	f.busy.Store(true)
	defer f.busy.Store(false)
	n, err := f.Reader.Read(p[:1])
	f.gone()
	select {
	case <-f.closed:
	case <-time.After(300 * time.Millisecond):
	}
	return n, err
}

func (f *slowFile) Close() error {
	f.early = f.busy.Load()
	close(f.closed)
	return nil
}

type slowSaved struct {
	saved
	file *slowFile
}

func (s slowSaved) Open(ctx context.Context, p string) (io.ReadCloser, error) {
	in, err := s.saved.Open(ctx, p)
	if err == nil && strings.HasSuffix(p, "public.t.copy") {
		s.file.Reader = in
		return s.file, nil
	}
	return in, err
}

func TestATableIsNotClosedWhileItIsReadWhenTheConnectionBreaks(t *testing.T) {
	all, _ := copyOf(t, source(t, nil, database(t, "CREATE TABLE t AS SELECT 1 a")))
	to := database(t, "")
	conn := open(t, live, "postgres")
	file := &slowFile{closed: make(chan struct{}), gone: func() {
		if _, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%FROM STDIN%' AND pid <> pg_backend_pid()"); err != nil {
			t.Error(err)
		}
	}}
	_, err := Restore(t.Context(), RestoreOptions{Saved: slowSaved{all, file}, URL: live.URL(to), Overwrite: true})
	if err == nil || !strings.Contains(err.Error(), "public.t") {
		t.Errorf("the restore ends with %v", err)
	}
	if file.early {
		t.Error("the file was closed while it was read")
	}
}
