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

// An Urgent is a Streamed that somebody waits for while it is not read, such as
// the writers of a table that is locked for a backup. Who reads several entries
// reads these first.
type Urgent interface {
	Streamed
	Urgent()
}

// IsUrgent reports whether c is Urgent.
func IsUrgent(c Content) bool {
	_, ok := c.(Urgent)
	return ok
}
