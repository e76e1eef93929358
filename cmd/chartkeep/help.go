package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"
)

// Help is laid out by these templates of text/template, which urfave/cli fills
// with the application or the command.
const (
	appHelp = `chartkeep - {{.Usage}}

   {{.UsageText}}

{{.Description}}

Commands:
{{range .VisibleCommands}}   {{printf "%-12s" .Name}} {{.Usage}}
{{end}}
Global flags:{{range .VisibleFlags}}
   {{.}}{{end}}

chartkeep help COMMAND explains a command.
`
	commandHelp = `{{.HelpName}} - {{.Usage}}

   {{if .UsageText}}{{.UsageText}}{{else}}{{.HelpName}}{{if .VisibleCommands}} COMMAND{{end}} [flags] {{.ArgsUsage}}{{end}}
{{if .Description}}
{{.Description}}
{{end}}{{if .VisibleCommands}}
Commands:
{{range .VisibleCommands}}   {{printf "%-12s" .Name}} {{.Usage}}
{{end}}{{end}}
Flags:{{range .VisibleFlags}}
   {{.}}{{end}}

chartkeep help lists the global flags.
`
)

// placeholder is the word in a flag's usage that stands for its value.
var placeholder = regexp.MustCompile("`([^`]*)`")

// flagLine is a flag in the help:
//
//	-e, --exclude PATTERN    leave out what matches PATTERN
func flagLine(f cli.Flag) string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	long, short := "    --"+f.Names()[0], ""
	for _, name := range f.Names()[1:] {
		if len(name) == 1 {
			long, short = "--"+f.Names()[0], "-"+name+", "
		}
	}
	usage := d.GetUsage()
	if found := placeholder.FindStringSubmatch(usage); found != nil && d.TakesValue() {
		long += " " + found[1]
	}
	usage = placeholder.ReplaceAllString(usage, "$1")
	if value := strings.Trim(d.GetValue(), `"`); d.TakesValue() && value != "" && value != "0" && value != "[]" {
		usage += fmt.Sprintf(" (default %s)", value)
	}
	if env := d.GetEnvVars(); len(env) > 0 {
		usage += " [$" + env[0] + "]"
	}
	return short + long + "\t" + usage
}
