package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
)

// arranger brings arguments into the one order that the parser understands:
//
//	chartkeep [global flags] COMMAND [its flags] -- [arguments]
//
// so that people may write flags wherever they like. Every flag gets its long
// name; "-lR" is taken apart, and "-oFILE" too.
type arranger struct {
	app     *cli.App
	command *cli.Command // the one reached so far, nil at the start

	global, path, own, rest []string
}

func arrange(app *cli.App, args []string) ([]string, error) {
	a := &arranger{app: app}
	for todo := args[1:]; len(todo) > 0; {
		word := todo[0]
		todo = todo[1:]
		if word == "--" {
			a.rest = append(a.rest, todo...)
			break
		}
		var err error
		if len(word) > 1 && word[0] == '-' {
			todo, err = a.flag(word, todo)
		} else {
			err = a.word(word)
		}
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(args[:1], a.global, a.path, a.own, []string{"--"}, a.rest), nil
}

// word takes a word that is no flag: a command as long as one is expected.
func (a *arranger) word(word string) error {
	expected := a.app.Commands
	if a.command != nil {
		expected = a.command.Subcommands
	}
	if len(expected) == 0 {
		a.rest = append(a.rest, word)
		return nil
	}
	if word == "help" {
		a.own = append(a.own, "--help")
		return nil
	}
	for _, c := range expected {
		if c.HasName(word) {
			a.command = c
			a.path = append(a.path, c.Name)
			return nil
		}
	}
	return a.wrong("unknown command %q%s", word, ui.Suggest(word, commandNames(expected)))
}

// flag takes a flag and its value, which may be one of the words after it, and
// returns the words that are left.
func (a *arranger) flag(word string, after []string) ([]string, error) {
	name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
	long := strings.HasPrefix(word, "--")
	f, own := a.find(name)
	if f == nil && !long && len(name) > 1 {
		return a.shorts(word[1:], after)
	}
	if f == nil {
		return nil, a.wrong("unknown flag %s%s", word, ui.Suggest(name, a.flagNames()))
	}
	if !given && takesValue(f) {
		if len(after) == 0 {
			return nil, a.wrong("%s needs a value", word)
		}
		value, after, given = after[0], after[1:], true
	}
	a.put(f, own, value, given)
	return after, nil
}

// shorts takes several one-letter flags in one word. The last one may have its
// value behind it.
func (a *arranger) shorts(letters string, after []string) ([]string, error) {
	for i, letter := range letters {
		f, own := a.find(string(letter))
		if f == nil {
			return nil, a.wrong("unknown flag -%c in -%s", letter, letters)
		}
		if !takesValue(f) {
			a.put(f, own, "", false)
			continue
		}
		value := letters[i+len(string(letter)):]
		if value == "" {
			return a.flag("-"+string(letter), after)
		}
		a.put(f, own, value, true)
		break
	}
	return after, nil
}

func (a *arranger) put(f cli.Flag, own bool, value string, given bool) {
	word := "--" + f.Names()[0]
	if given {
		word += "=" + value
	}
	if own {
		a.own = append(a.own, word)
	} else {
		a.global = append(a.global, word)
	}
}

// find looks a flag up, the command's own before the global ones.
func (a *arranger) find(name string) (f cli.Flag, own bool) {
	if slices.Contains(cli.HelpFlag.Names(), name) {
		return cli.HelpFlag, true
	}
	if a.command != nil {
		if f := named(a.command.Flags, name); f != nil {
			return f, true
		}
	}
	return named(a.app.Flags, name), false
}

func named(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

func (a *arranger) flagNames() (names []string) {
	flags := a.app.Flags
	if a.command != nil {
		flags = append(slices.Clone(flags), a.command.Flags...)
	}
	for _, f := range flags {
		names = append(names, f.Names()[0])
	}
	return names
}

func commandNames(commands []*cli.Command) (names []string) {
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

func (a *arranger) wrong(format string, args ...any) error {
	return &failure{exitFailed, fmt.Errorf(format, args...), "See: " + strings.Join(append([]string{"chartkeep help"}, a.path...), " ")}
}
