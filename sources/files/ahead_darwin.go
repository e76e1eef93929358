package files

// An ahead does not exist here: the page cache is what is read through.
type ahead struct{}

func readAhead(int, int64) *ahead { return nil }

func (*ahead) Read([]byte) (int, error) { panic("not reached") }
func (*ahead) stop()                    {}

func (*file) closed() {}
