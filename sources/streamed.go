package sources

// A Streamed is a Content that can be read once only and whose size is not known
// before it has been: a pipe, a command's output.
type Streamed interface {
	Streamed()
}

// Stream reports whether c is Streamed.
func Stream(c Content) bool {
	_, ok := c.(Streamed)
	return ok
}
