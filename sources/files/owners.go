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
