package files

import (
	"os/user"
	"strconv"
	"sync"

	"chartkeep/sources"
)

// owners remembers the names of users and groups: asking the system may go
// over a network, and a tree has few of them.
type owners struct {
	mu            sync.RWMutex
	users, groups map[uint32]string
}

func newOwners() *owners {
	return &owners{users: map[uint32]string{}, groups: map[uint32]string{}}
}

// name fills in the names that belong to m's numbers.
func (o *owners) name(m *sources.Meta) {
	m.User = o.look(o.users, m.UID, userName)
	m.Group = o.look(o.groups, m.GID, groupName)
}

func (o *owners) look(known map[uint32]string, id uint32, ask func(string) string) string {
	o.mu.RLock()
	name, ok := known[id]
	o.mu.RUnlock()
	if ok {
		return name
	}
	name = ask(strconv.FormatUint(uint64(id), 10))
	o.mu.Lock()
	known[id] = name
	o.mu.Unlock()
	return name
}

func userName(id string) string {
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return ""
}

func groupName(id string) string {
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return ""
}

// numbers remembers this machine's numbers for names of owners.
type numbers struct {
	mu            sync.Mutex
	users, groups map[string]int64 // -1 where there is no such name
}

func newNumbers() numbers {
	return numbers{users: map[string]int64{}, groups: map[string]int64{}}
}

func (n *numbers) user(m *sources.Meta) uint32 {
	return n.look(n.users, m.User, m.UID, func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	})
}

func (n *numbers) group(m *sources.Meta) uint32 {
	return n.look(n.groups, m.Group, m.GID, func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})
}

func (n *numbers) look(known map[string]int64, name string, otherwise uint32, ask func(string) (string, error)) uint32 {
	if name == "" {
		return otherwise
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	id, ok := known[name]
	if !ok {
		id = -1
		if text, err := ask(name); err == nil {
			if v, err := strconv.ParseUint(text, 10, 32); err == nil {
				id = int64(v)
			}
		}
		known[name] = id
	}
	if id < 0 {
		return otherwise
	}
	return uint32(id)
}
