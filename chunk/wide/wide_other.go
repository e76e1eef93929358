//go:build !amd64

package wide

// Available reports that the processor does not have what Sum needs.
const Available = false

func sixteen(*job) { panic("wide: not available") }
