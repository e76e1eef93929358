package main

import (
	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/secret"
)

func (p *program) configSecretCommand() *cli.Command {
	return &cli.Command{
		Name:      "secret",
		Usage:     "put a secret into your keyring, or take it away",
		ArgsUsage: "NAME",
		Description: `Asks for a password and keeps it in the keyring of the user who is logged on, where
the configuration finds it as "keyring:NAME". One that is there is replaced. At
night nobody is logged on: what runs then wants "file:PATH" instead.

   chartkeep config secret red
   chartkeep config secret opendental --from /root/password
   chartkeep config secret red --remove`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "take the first line of `FILE` instead of asking"},
			&cli.BoolFlag{Name: "remove", Usage: "take the entry away"},
		},
		Action: p.configSecret,
	}
}

func (p *program) configSecret(c *cli.Context) error {
	if c.NArg() != 1 {
		return failed("For instance: chartkeep config secret red", "want the name of one entry")
	}
	name := c.Args().First()
	if c.Bool("remove") {
		if err := secret.Remove(name); err != nil {
			return err
		}
		p.Say("keyring:%s is gone from the keyring", name)
		return nil
	}
	value, err := p.newPassword(c.Context, c.String("from"))
	if err != nil {
		return err
	}
	if err := secret.Store(name, value); err != nil {
		return err
	}
	p.Say("in the keyring; the configuration refers to it as \"keyring:%s\"", name)
	return nil
}
