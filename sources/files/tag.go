package files

import (
	"io"
	"strings"
)

// A tag is a file whose presence says that a folder's content is not worth a
// backup. The header, if any, is how the file must begin.
type tag struct {
	name, header string
}

// https://bford.info/cachedir/
var cacheTag = tag{name: "CACHEDIR.TAG", header: "Signature: 8a477f597d28d172789f06886806bc55"}

func newTags(o Options) []tag {
	var tags []tag
	for _, s := range o.ExcludeIfPresent {
		name, header, _ := strings.Cut(s, ":")
		tags = append(tags, tag{name, header})
	}
	if o.ExcludeCaches {
		tags = append(tags, cacheTag)
	}
	return tags
}

// in reports whether the folder h, which lists the names l, bears the tag, and
// where it stands in l.
func (t tag) in(h handle, l *listing) (int, bool) {
	i, found := l.find(t.name)
	if !found || t.header == "" {
		return i, found
	}
	f, err := h.openFile(t.name)
	if err != nil {
		return i, false
	}
	defer f.Close()
	head := make([]byte, len(t.header))
	if _, err := io.ReadFull(f, head); err != nil {
		return i, false
	}
	return i, string(head) == t.header
}
