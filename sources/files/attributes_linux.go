package files

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// maxAttribute is the kernel's limit for a value, and for a list of names.
const maxAttribute = 64 << 10

// Linux 6.13 can list attributes by folder handle and name, so that a file
// without any, as most are, costs one short call. Before it the way is by path,
// and /proc turns a handle into one.
var attributesAt = sync.OnceValue(func() bool {
	_, err := listAttributesAt(unix.AT_FDCWD, "/", nil)
	return !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM)
})

var attributeBuffers = sync.Pool{New: func() any { return new([maxAttribute]byte) }}

// attributes returns the extended attributes of a name, and none where the
// file system has none. One that goes away meanwhile was never there.
func (h handle) attributes(name string, _ sources.Kind) ([]sources.Attribute, error) {
	buf := attributeBuffers.Get().(*[maxAttribute]byte)
	defer attributeBuffers.Put(buf)
	n, err := h.listAttributes(name, buf[:])
	if errors.Is(err, unix.ENOTSUP) || n == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00")
	slices.Sort(names)
	list := make([]sources.Attribute, 0, len(names))
	for _, attribute := range names {
		n, err := h.getAttribute(name, attribute, buf[:])
		if errors.Is(err, unix.ENODATA) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, sources.Attribute{Name: attribute, Value: slices.Clone(buf[:n])})
	}
	return list, nil
}

func (h handle) listAttributes(name string, buf []byte) (int, error) {
	if attributesAt() {
		return listAttributesAt(int(h), name, buf)
	}
	return retry(func() (int, error) { return unix.Llistxattr(h.procPath(name), buf) })
}

// getAttribute goes by path, as few files have attributes.
func (h handle) getAttribute(name, attribute string, buf []byte) (int, error) {
	return retry(func() (int, error) { return unix.Lgetxattr(h.procPath(name), attribute, buf) })
}

// procPath is a path by which the kernel finds name in h without passing the
// folders above it.
func (h handle) procPath(name string) string {
	return "/proc/self/fd/" + strconv.Itoa(int(h)) + "/" + name
}

func listAttributesAt(dir int, name string, buf []byte) (int, error) {
	var b nameBuffer
	p, err := b.pointer(name)
	if err != nil {
		return 0, err
	}
	n, _, errno := unix.Syscall6(unix.SYS_LISTXATTRAT, uintptr(dir), uintptr(unsafe.Pointer(p)), unix.AT_SYMLINK_NOFOLLOW,
		uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
