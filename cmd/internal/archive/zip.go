package archive

import (
	"archive/zip"
	"io"

	"github.com/klauspost/compress/flate"

	"chartkeep/snapshot"
	"chartkeep/sources"
)

// zipWriter writes zip, in its 64-bit form where sizes ask for it.
type zipWriter struct {
	*zip.Writer
	entry io.Writer
}

func (z *zipWriter) Write(p []byte) (int, error) { return z.entry.Write(p) }

func (z *zipWriter) begin(name string, n *snapshot.Node) (err error) {
	h := &zip.FileHeader{Name: name, Modified: n.Meta.MTime.Time(), Method: zip.Deflate}
	h.SetMode(fileMode(&n.Meta))
	if n.Meta.Kind == sources.Dir {
		h.Name += "/"
		h.Method = zip.Store
	}
	if z.entry, err = z.CreateHeader(h); err != nil {
		return err
	}
	if n.Meta.Kind == sources.Symlink {
		_, err = io.WriteString(z.entry, n.Meta.Target)
	}
	return err
}

func newZip(w io.Writer) *zipWriter {
	z := &zipWriter{Writer: zip.NewWriter(w)}
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestSpeed) // images, which there are many of, do not shrink anyway
	})
	return z
}
