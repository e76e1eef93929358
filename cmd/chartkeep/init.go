package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/repo/pack"
	"chartkeep/repo/storage"
)

func (p *program) initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "make a repository",
		Description: `Makes a repository in the folder that -r names, and the folder if need be.
The password is asked twice on a terminal. Without it nobody can read what is
in the repository: not a thief, and not you. A recovery card, printed and kept
in a safe, opens it too.

   chartkeep -r /mnt/red/chartkeep init --recovery-card card.html
   chartkeep -r /mnt/red/chartkeep init --parity 10     # for an old drive

With --like it is made a companion of another repository: data can be copied
between the two as it lies there, which is quick (chartkeep copy). Passwords,
cards and what is kept are each one's own.

   chartkeep -r /mnt/blue/chartkeep init --like /mnt/red/chartkeep`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "chunker", Value: "gear", Usage: "cut files with `ALGORITHM` gear or rabin"},
			compressionFlag("fastest"),
			&cli.IntFlag{Name: "parity", Value: 3, Usage: "spare `PERCENT`, 0 to 25, from which a failing drive's errors are mended"},
			&cli.StringFlag{Name: "recovery-card", Usage: "write a recovery card to `FILE`: .html, .png (the QR code), else text"},
			&cli.StringFlag{Name: "label", Usage: "`TEXT` that tells this key from others"},
			newPasswordFlag(),
			likeSide.locationFlag("cut and name data like the repository `REPO`"), likeSide.passwordFlag(),
		},
		Action: p.initialize,
	}
}

func compressionFlag(value string) cli.Flag {
	return &cli.StringFlag{Name: "compression", Value: value, Usage: "`LEVEL` fastest, default, better or best"}
}

func newPasswordFlag() cli.Flag {
	return &cli.StringFlag{Name: "new-password-file", Usage: "the first line of `FILE` is the new password (else it is asked twice)"}
}

func initOptions(c *cli.Context) (o repo.InitOptions, err error) {
	algorithm, err := chunk.ParseAlgorithm(c.String("chunker"))
	if err != nil {
		return o, usage(c, "--chunker: %w", err)
	}
	level, err := pack.ParseLevel(c.String("compression"))
	if err != nil {
		return o, usage(c, "--compression: %w", err)
	}
	parity := c.Int("parity")
	if parity < 0 || parity > 25 {
		return o, usage(c, "--parity %d: 0 to 25 percent are possible", parity)
	}
	return repo.InitOptions{Chunking: chunk.DefaultParams(algorithm), Parity: parity, Level: level, Label: c.String("label")}, nil
}

func (p *program) initialize(c *cli.Context) error {
	o, err := initOptions(c)
	if err != nil {
		return err
	}
	if !c.IsSet(likeSide.flag("")) {
		return p.initializeAs(c, o)
	}
	if c.IsSet("chunker") {
		return usage(c, "--like decides how data is cut, so --chunker cannot be given with it")
	}
	return p.other(c, likeSide).opened(c.Context, func(like *repo.Repository) error {
		o.Like = like
		return p.initializeAs(c, o)
	})
}

func (p *program) initializeAs(c *cli.Context, o repo.InitOptions) error {
	ctx := c.Context
	st, err := p.createStore()
	if err != nil {
		return err
	}
	defer storage.Close(st)
	if card := c.String("recovery-card"); card != "" {
		if err := cardFits(card); err != nil {
			return err
		}
	}
	o.KDF = p.kdf
	password, err := p.firstPassword(ctx, c.String("new-password-file"))
	if err != nil {
		return err
	}
	r, err := repo.Init(ctx, st, password, o, p.options())
	if errors.Is(err, fs.ErrExist) {
		return failed("Use it as it is, or name another folder.", "init %s: %w", p.location, err)
	}
	if err != nil {
		return fmt.Errorf("init %s: %w", p.location, err)
	}
	defer r.Close()
	if err := putRestoreText(ctx, r); err != nil {
		return err
	}
	p.keepReserve(ctx, r)
	return p.initialized(c, r)
}

// firstPassword is the new repository's: what opens it afterwards without being
// typed, or what is typed twice.
func (p *program) firstPassword(ctx context.Context, file string) ([]byte, error) {
	if file == "" && p.secrets == (secrets{}) && p.passwordFile == "" {
		return p.newPassword(ctx, "")
	}
	if file != "" {
		return p.newPassword(ctx, file)
	}
	password, _, err := p.password(ctx, "")
	return password, err
}

type initialized struct {
	Type       string `json:"message_type"`
	ID         string `json:"id"`
	Repository string `json:"repository"`
	Card       string `json:"recovery_card,omitempty"`
}

func (p *program) initialized(c *cli.Context, r *repo.Repository) error {
	id := r.Config().ID.String()
	p.Say("repository %.8s made at %s", id, p.location)
	card := c.String("recovery-card")
	if card != "" {
		if _, err := p.newCard(c.Context, r, card); err != nil {
			return err
		}
		p.Say("recovery card written to %s: print it, delete the file, keep the paper in a safe", card)
	}
	p.Object(initialized{"initialized", id, p.location, card})
	p.Say("A lost password and a lost recovery card mean lost data: nobody else can open this repository.")
	if card == "" {
		p.Say("There is no recovery card yet. To make one: chartkeep key card card.html")
	}
	return nil
}
