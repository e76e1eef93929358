package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
)

func (p *program) keyCommand() *cli.Command {
	return &cli.Command{
		Name:  "key",
		Usage: "passwords and recovery cards that open the repository",
		Description: `Every key opens the same repository with a password or recovery code of its
own. An owner key reads and adds; a writer key adds only, so that a server can
make backups that a thief of its password cannot read.

   chartkeep key list
   chartkeep key add --label "Dr. Reed"
   chartkeep key add --role writer --label server --new-password-file FILE
   chartkeep key passwd                  # change the password that is in use
   chartkeep key card card.html          # a recovery card, to be printed
   chartkeep key remove 3f9c0a11`,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list the keys", Action: p.keyList},
			{
				Name: "add", Usage: "add a password", Action: p.keyAdd,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "role", Value: "owner", Usage: "`ROLE` owner, or writer: may add but not read"},
					&cli.StringFlag{Name: "label", Usage: "`TEXT` that tells this key from others"},
					newPasswordFlag(),
				},
			},
			{Name: "remove", Usage: "remove a key", ArgsUsage: "ID", Action: p.keyRemove},
			{Name: "passwd", Usage: "change the password in use", Action: p.keyPasswd, Flags: []cli.Flag{newPasswordFlag()}},
			{
				Name: "card", Usage: "make a recovery card", ArgsUsage: "[FILE]", Action: p.keyCard,
				Description: `Makes a new recovery code and prints its card, or writes it to FILE: a page
for .html, the QR code for .png, else text. Cards made before open the
repository as well, unless --replace ends them.`,
				Flags: []cli.Flag{&cli.BoolFlag{Name: "replace", Usage: "end all cards made before"}},
			},
		},
	}
}

// keys is with for commands on key slots.
func (p *program) keys(c *cli.Context, arguments int, work func(ctx context.Context, r *repo.Repository) error) error {
	if c.NArg() > arguments {
		return usage(c, "too many arguments")
	}
	return p.with(c.Context, storage.Shared, func(r *repo.Repository) error { return work(c.Context, r) })
}

type keyObject struct {
	ID      string    `json:"id"`
	ShortID string    `json:"short_id"`
	Current bool      `json:"current"`
	Kind    string    `json:"kind"`
	Role    string    `json:"role"`
	Label   string    `json:"label"`
	Created time.Time `json:"created"`
}

func (p *program) keyList(c *cli.Context) error {
	return p.keys(c, 0, func(ctx context.Context, r *repo.Repository) error {
		slots, err := r.Slots(ctx)
		t := ui.NewTable(" ", "ID", "Kind", "Role", "Created", "Label")
		for _, s := range slots {
			p.Object(keyObject{s.ID, s.ID[:8], s.Current, s.Kind.String(), s.Role.String(), s.Label, s.Created})
			mark := ""
			if s.Current {
				mark = "*"
			}
			t.Row(mark, s.ID[:8], s.Kind.String(), s.Role.String(), ui.Time(s.Created), s.Label)
		}
		p.Table(t)
		return err
	})
}

func parseRole(s string) (crypt.Role, error) {
	for _, r := range []crypt.Role{crypt.Owner, crypt.Writer} {
		if r.String() == s {
			return r, nil
		}
	}
	return 0, fmt.Errorf("%q is neither owner nor writer", s)
}

func (p *program) keyAdd(c *cli.Context) error {
	role, err := parseRole(c.String("role"))
	if err != nil {
		return usage(c, "--role: %w", err)
	}
	return p.keys(c, 0, func(ctx context.Context, r *repo.Repository) error {
		password, err := p.newPassword(ctx, c.String("new-password-file"))
		if err != nil {
			return err
		}
		id, err := r.AddPassword(ctx, password, role, c.String("label"))
		if err == nil {
			p.keyChanged("added", id)
		}
		return err
	})
}

// keyChange says, for programs, what became of a key.
type keyChange struct {
	Type string `json:"message_type"`
	ID   string `json:"id"`
}

func (p *program) keyChanged(what, id string) {
	p.Say("key %.8s %s", id, what)
	p.Object(keyChange{"key_" + what, id})
}

func (p *program) keyRemove(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage(c, "the ID of one key is wanted")
	}
	return p.keys(c, 1, func(ctx context.Context, r *repo.Repository) error {
		id, err := findSlot(ctx, r, c.Args().First())
		if err != nil {
			return err
		}
		if err := r.RemoveSlot(ctx, id); err != nil {
			return fmt.Errorf("remove key %.8s: %w", id, err)
		}
		p.keyChanged("removed", id)
		return nil
	})
}

// findSlot finds a slot by the first digits of its ID.
func findSlot(ctx context.Context, r *repo.Repository, prefix string) (string, error) {
	slots, err := r.Slots(ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, s := range slots {
		if strings.HasPrefix(s.ID, prefix) {
			found = append(found, s.ID)
		}
	}
	if len(found) != 1 {
		return "", failed("To list them: chartkeep key list", "%s: %d keys begin so", prefix, len(found))
	}
	return found[0], nil
}

func (p *program) keyPasswd(c *cli.Context) error {
	return p.keys(c, 0, func(ctx context.Context, r *repo.Repository) error {
		password, err := p.newPassword(ctx, c.String("new-password-file"))
		if err != nil {
			return err
		}
		if err := r.ChangePassword(ctx, password); err != nil {
			return fmt.Errorf("change password: %w", err)
		}
		p.Say("password changed")
		p.Object(map[string]string{"message_type": "password_changed"})
		return nil
	})
}

func (p *program) keyCard(c *cli.Context) error {
	file := c.Args().First()
	if file == "" && p.JSON {
		return usage(c, "with --json, a FILE for the card is wanted")
	}
	return p.keys(c, 1, func(ctx context.Context, r *repo.Repository) error {
		if file != "" {
			if err := cardFits(file); err != nil {
				return err
			}
		}
		before, err := r.Slots(ctx)
		if err != nil {
			return err
		}
		text, err := p.newCard(ctx, r, file)
		if err != nil {
			return err
		}
		if text != "" {
			p.Print("%s", text)
		} else {
			p.Say("recovery card written to %s: print it, delete the file, keep the paper in a safe", file)
			p.Object(map[string]string{"message_type": "card_written", "file": file})
		}
		return p.olderCards(ctx, r, before, c.Bool("replace"))
	})
}

// olderCards ends the cards made before, or says that they are still good.
func (p *program) olderCards(ctx context.Context, r *repo.Repository, before []repo.Slot, end bool) error {
	cards := 0
	for _, s := range before {
		if s.Kind != crypt.Recovery {
			continue
		}
		cards++
		if end {
			if err := r.RemoveSlot(ctx, s.ID); err != nil {
				return fmt.Errorf("end card %.8s: %w", s.ID, err)
			}
			p.Remark("the card of key %.8s opens the repository no more", s.ID)
		}
	}
	if cards > 0 && !end {
		p.Remark("%s made before still good; to end them: chartkeep key card --replace", ui.Counted(cards, "card"))
	}
	return nil
}
