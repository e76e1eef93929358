package main

import (
	"embed"
	"strings"

	"github.com/urfave/cli/v2"
)

//go:embed completion
var completionScripts embed.FS

func (p *program) completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script with which a shell completes commands and flags",
		ArgsUsage: "bash|zsh|fish|powershell",
		Description: `   source <(chartkeep completion bash)
   chartkeep completion fish | source`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage(c, "the name of a shell is wanted")
			}
			script, err := completionScripts.ReadFile("completion/" + c.Args().First())
			if err != nil {
				return usage(c, "no completion for %s; there is one for bash, zsh, fish and powershell", c.Args().First())
			}
			_, err = p.Bytes().Write(script)
			return err
		},
	}
}

// completeWord is the hidden command that the scripts call:
//
//	chartkeep __complete word=TYPED WORDS…
//
// It prints what the word may become, each with an explanation behind a tab.
// Nothing printed means a file.
const completeWord = "__complete"

func (p *program) complete(app *cli.App, args []string) {
	if len(args) == 0 {
		return
	}
	typed := strings.TrimPrefix(args[0], "word=")
	a := &arranger{app: app}
	if !a.follow(args[1:]) {
		return
	}
	if strings.HasPrefix(typed, "-") {
		p.offerFlags(a, typed)
		return
	}
	expected := app.Commands
	if a.command != nil {
		expected = a.command.Subcommands
	}
	for _, c := range expected {
		p.offer(typed, c.Name, c.Usage)
	}
}

// follow goes through the words before the one to complete. It returns false
// when that one is a flag's value, or an argument in any case.
func (a *arranger) follow(words []string) bool {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--" {
			return false
		}
		if !strings.HasPrefix(word, "-") || word == "-" {
			_ = a.word(word) // an unknown command has no completions, and says so when it is run
			continue
		}
		f, _ := a.find(strings.TrimLeft(word, "-"))
		if f != nil && takesValue(f) {
			if len(words) == 0 {
				return false
			}
			words = words[1:]
		}
	}
	return true
}

func (p *program) offerFlags(a *arranger, typed string) {
	flags := a.app.Flags
	if a.command != nil {
		flags = append(append([]cli.Flag(nil), a.command.Flags...), flags...)
	}
	for _, f := range flags {
		if d, ok := f.(cli.DocGenerationFlag); ok {
			p.offer(typed, "--"+f.Names()[0], strings.ReplaceAll(d.GetUsage(), "`", ""))
		}
	}
}

func (p *program) offer(typed, word, about string) {
	if strings.HasPrefix(word, typed) {
		p.Print("%s\t%s", word, about)
	}
}
