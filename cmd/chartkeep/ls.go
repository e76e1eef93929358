package main

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

func (p *program) lsCommand() *cli.Command {
	return &cli.Command{
		Name:      "ls",
		Usage:     "list what is in a folder of a snapshot",
		ArgsUsage: "SNAPSHOT[:PATH]",
		Description: `Lists a folder of a snapshot, with whole paths.

   chartkeep ls latest
   chartkeep ls latest:/srv/OpenDentImages -l
   chartkeep ls 3f9c0a11:/srv -R --json`,
		Flags: append(filterFlags(),
			&cli.BoolFlag{Name: "long", Aliases: []string{"l"}, Usage: "with mode, owner, size and time"},
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"R"}, Usage: "and what is in the folders below"},
		),
		Action: p.ls,
	}
}

func (p *program) ls(c *cli.Context) error {
	arg, err := oneOrTwo(c)
	if err != nil {
		return err
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		at, err := p.place(c.Context, r, filterOf(c), arg)
		if err != nil {
			return err
		}
		return p.listFolder(c.Context, r, at, c.Bool("long"), c.Bool("recursive"))
	})
}

func (p *program) listFolder(ctx context.Context, r *repo.Repository, at place, long, deep bool) error {
	return snapshot.Walk(ctx, r, at.node, at.path, func(path string, n *snapshot.Node, err error) error {
		if err != nil {
			return fmt.Errorf("list %s: %w", path, err)
		}
		if n == at.node && n.Meta.Kind == sources.Dir {
			return nil // what is in it, not itself
		}
		p.Object(nodeOf(path, n))
		p.printNode(path, n, long)
		if !deep && n.Meta.Kind == sources.Dir {
			return snapshot.SkipFolder
		}
		return nil
	})
}

// nodeObject is a node for programs.
type nodeObject struct {
	Type        string    `json:"message_type"`
	Name        string    `json:"name"`
	Kind        string    `json:"type"`
	Path        string    `json:"path"`
	Size        int64     `json:"size"`
	Mode        uint32    `json:"mode"` // permission bits, with 07000 for set-user-ID, set-group-ID and sticky
	Permissions string    `json:"permissions"`
	MTime       time.Time `json:"mtime"`
	UID         uint32    `json:"uid"`
	GID         uint32    `json:"gid"`
	User        string    `json:"user,omitempty"`
	Group       string    `json:"group,omitempty"`
	Target      string    `json:"linktarget,omitempty"`
	Links       uint64    `json:"links,omitempty"`
	State       []string  `json:"state,omitempty"` // changed, unreadable
}

func nodeOf(at string, n *snapshot.Node) nodeObject {
	m := &n.Meta
	o := nodeObject{
		Type: "node", Name: path.Base(at), Kind: m.Kind.String(), Path: at, Size: m.Size, Mode: m.Mode, Permissions: permissions(m),
		MTime: m.MTime.Time(), UID: m.UID, GID: m.GID, User: m.User, Group: m.Group, Target: m.Target, State: states(n),
	}
	if m.Links > 1 && m.Kind != sources.Dir {
		o.Links = m.Links
	}
	return o
}

// states says what the reader could not vouch for.
func states(n *snapshot.Node) (s []string) {
	if n.State&snapshot.Changed != 0 {
		s = append(s, "changed")
	}
	if n.State&snapshot.Unreadable != 0 {
		s = append(s, "unreadable")
	}
	return s
}

func (p *program) printNode(at string, n *snapshot.Node, long bool) {
	if !long {
		p.Print("%s", p.Path(at))
		return
	}
	line := longLine(n) + " " + p.Path(at)
	if n.Meta.Kind == sources.Symlink {
		line += " -> " + p.Path(n.Meta.Target)
	}
	for _, s := range states(n) {
		line += " (" + s + ")"
	}
	p.Print("%s", line)
}

// longLine is a node's metadata in columns.
func longLine(n *snapshot.Node) string {
	m := &n.Meta
	return fmt.Sprintf("%s %-8s %-8s %10s %s", permissions(m), owner(m.User, m.UID), owner(m.Group, m.GID), ui.Size(m.Size), ui.Time(m.MTime.Time()))
}

func owner(name string, id uint32) string {
	if name == "" {
		return strconv.FormatUint(uint64(id), 10)
	}
	return name
}

var kindLetters = map[sources.Kind]byte{
	sources.Regular: '-', sources.Dir: 'd', sources.Symlink: 'l', sources.FIFO: 'p', sources.Socket: 's', sources.CharDevice: 'c', sources.BlockDevice: 'b',
}

// permissions is the mode as ls shows it.
func permissions(m *sources.Meta) string {
	b := []byte("?rwxrwxrwx")
	if letter, ok := kindLetters[m.Kind]; ok {
		b[0] = letter
	}
	for i := range 9 {
		if m.Mode&(1<<(8-i)) == 0 {
			b[1+i] = '-'
		}
	}
	for _, s := range []struct {
		bit    uint32
		at     int
		letter byte
	}{{sources.SetUID, 3, 's'}, {sources.SetGID, 6, 's'}, {sources.Sticky, 9, 't'}} {
		if m.Mode&s.bit == 0 {
			continue
		}
		if b[s.at] == '-' {
			s.letter -= 'a' - 'A'
		}
		b[s.at] = s.letter
	}
	return string(b)
}
