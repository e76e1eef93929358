package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// A side says which repository of a command's two is meant, and begins the names
// of the flags and variables that belong to it. "" is the one that -r names.
type side string

const (
	toSide   side = "to"   // where copies go
	likeSide side = "like" // what a new repository is like

	databaseSide side = "database" // no repository, but a server
)

// flag is the name of a flag of this side; "" stands for the place itself.
func (s side) flag(name string) string {
	return strings.Trim(string(s)+"-"+name, "-")
}

// variable is the name of an environment variable of this side.
func (s side) variable(name string) string {
	if s != "" {
		name = strings.ToUpper(string(s)) + "_" + name
	}
	return "CHARTKEEP_" + name
}

func otherSecrets() map[side]secrets {
	return map[side]secrets{toSide: takeSecrets(toSide), likeSide: takeSecrets(likeSide), databaseSide: takeSecrets(databaseSide)}
}

func (s side) locationFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: s.flag(""), Usage: usage}
}

func (s side) passwordFlag() cli.Flag {
	whose, otherwise := "that repository's", "the terminal is asked"
	if s == databaseSide {
		whose, otherwise = "the database's", "what the server's own programs would use"
	}
	return &cli.StringFlag{
		Name: s.flag("password-file"),
		Usage: fmt.Sprintf("the first line of `FILE` is %s password (else $%s, $%s, or %s)",
			whose, s.variable("PASSWORD"), s.variable("PASSWORD_COMMAND"), otherwise),
	}
}

// other is the program for the repository of another side.
func (p *program) other(c *cli.Context, s side) *program {
	o := *p
	o.side, o.secrets = s, p.others[s]
	o.location, o.passwordFile = c.String(s.flag("")), c.String(s.flag("password-file"))
	return &o
}
