package restore

import "chartkeep/snapshot"

// linked finds the path under which a file with several names was restored
// first.
func (x *run) linked(path string, n *snapshot.Node) (string, bool) {
	if n.Meta.Links <= 1 {
		return "", false
	}
	key := inode{n.Meta.Device, n.Meta.Inode}
	to, ok := x.links[key]
	if !ok {
		x.links[key] = path
	}
	return to, ok
}

func (x *run) link(l link) {
	if !x.o.DryRun {
		if err := x.sink.Link(l.path, l.to); err != nil {
			x.problem(l.path, err)
			return
		}
	}
	x.item(l.path, "restored", l.node)
}
