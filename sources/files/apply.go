package files

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"chartkeep/sources"
)

// SetMeta gives what stands at path its metadata: first the owner, as changing
// it clears bits of the mode, then attributes, which read-only files do not
// take, then the mode, and last the time of the last change. Attributes it has
// and should not have are removed, but for the labels of security modules.
//
// For a folder it comes after everything in it. The error is a *MetaError, and
// means that the rest was set. What the system lets only root do is an error
// the first time and then no more; see Refused.
func (t *Target) SetMeta(path string, m sources.Meta, attributes []sources.Attribute) error {
	return t.in("set metadata", path, func(h handle, name string) error {
		return t.apply(subjectAt(h, name), path, m, attributes)
	})
}

// Refused returns how often each thing was refused because only root may do
// it: "owner", or the namespace of an attribute.
func (t *Target) Refused() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := make(map[string]int, len(t.refused))
	for what, n := range t.refused {
		counts[what] = n
	}
	return counts
}

// refuse counts a refusal, and returns err the first time.
func (t *Target) refuse(what string, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[what]++
	if t.refused[what] > 1 {
		return nil
	}
	return err
}

// apply asks what is so already: a system call that changes an inode costs the
// file system's journal more than one that reads it.
func (t *Target) apply(s subject, path string, m sources.Meta, attributes []sources.Attribute) error {
	var now sources.Meta
	if err := s.stat(&now); err != nil {
		return &MetaError{path, []error{err}}
	}
	if now.Kind != m.Kind {
		return &MetaError{path, []error{ErrOccupied}}
	}
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	changed, owned, err := t.applyOwner(s, &now, &m)
	note(err)
	stirred, err := t.applyAttributes(s, attributes)
	note(err)
	mode := m.Mode
	if !owned {
		mode &^= sources.SetUID | sources.SetGID // not with somebody else's rights
	}
	if m.Kind != sources.Symlink && (changed || stirred || mode != now.Mode) {
		note(s.chmod(mode))
	}
	note(s.setTime(m.MTime))
	if len(errs) > 0 {
		return &MetaError{path, errs}
	}
	return nil
}

// applyOwner reports whether it changed the owner, and whether the owner is
// now the one it should be.
func (t *Target) applyOwner(s subject, now, m *sources.Meta) (changed, owned bool, err error) {
	if t.options.Owners == OwnersIgnored {
		return false, now.UID == m.UID && now.GID == m.GID, nil
	}
	uid, gid := m.UID, m.GID
	if t.options.Owners == OwnersByName {
		uid, gid = t.numbers.user(m), t.numbers.group(m)
	}
	if now.UID == uid && now.GID == gid {
		return false, true, nil
	}
	err = s.chown(uid, gid)
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		return err == nil, err == nil, nil
	}
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		err = t.refuse("owner", err)
	}
	return false, false, err
}

// applyAttributes makes the attributes those that are wanted, and reports
// whether it changed any, as that may change the mode.
func (t *Target) applyAttributes(s subject, wanted []sources.Attribute) (changed bool, err error) {
	names, err := s.attributes()
	if err != nil {
		return false, err
	}
	var errs []error
	for _, name := range names {
		if isLabel(name) || contains(wanted, name) {
			continue
		}
		changed = true
		errs = append(errs, t.excuse(name, s.removeAttribute(name)))
	}
	for _, a := range wanted {
		changed = true
		errs = append(errs, t.excuse(a.Name, s.setAttribute(a)))
	}
	return changed, errors.Join(errs...)
}

// isLabel reports whether a security module of this machine gave the attribute.
func isLabel(name string) bool {
	return strings.HasPrefix(name, "security.") && name != "security.capability"
}

func contains(list []sources.Attribute, name string) bool {
	for _, a := range list {
		if a.Name == name {
			return true
		}
	}
	return false
}

// excuse lets pass, but for the first time, that a namespace is root's own or
// not known to the file system.
func (t *Target) excuse(name string, err error) error {
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 || errors.Is(err, errors.ErrUnsupported) {
		namespace, _, _ := strings.Cut(name, ".")
		return t.refuse(namespace, pathError("attribute", name, err))
	}
	return pathError("attribute", name, err)
}
