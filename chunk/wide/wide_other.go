//go:build !amd64

package wide

// Available reports that the processor does not have what Sum needs.
const Available = false

func sixteen(*byte, *[lanes]uint64, int, *[8]uint32, *[lanes]uint32, uint32, uint32, uint32, *[8][lanes]uint32) {
	panic("wide: not available")
}
