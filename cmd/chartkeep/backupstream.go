package main

import (
	"context"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/sources/stream"
)

// streamTask is a backup of standard input, or of a command's output. It is
// saved whole or not at all.
func (p *program) streamTask(c *cli.Context) (task, error) {
	name := c.String("stdin-filename")
	t := task{strict: true, paths: []string{path.Clean("/" + filepath.ToSlash(name))}}
	var err error
	switch args := c.Args().Slice(); {
	case c.Bool("stdin") && c.Bool("stdin-from-command"):
		return t, usage(c, "--stdin and --stdin-from-command are two sources; choose one")
	case c.Bool("stdin") && len(args) > 0:
		return t, usage(c, "--stdin takes no paths: the stream is all that is saved")
	case c.Bool("stdin"):
		t.name = "standard input"
		t.source, err = stream.NewReader(name, wakeful(c.Context, p.stdin))
	case len(args) == 0:
		return t, usage(c, "which command? Write it behind --")
	default:
		t.name = strings.Join(args, " ")
		t.source, err = stream.NewCommand(name, stream.Command{Args: args, Stderr: p.Aside()})
	}
	if err != nil {
		return t, usage(c, "%w", err)
	}
	return t, nil
}

// readAhead is the size of one read from standard input, bytes.
const readAhead = 1 << 20

// wakeful is in with a Read that returns when ctx ends. The read that waits for
// in then is left behind, because nothing can wake it; the program ends.
func wakeful(ctx context.Context, in io.Reader) io.Reader {
	out, pipe := io.Pipe()
	context.AfterFunc(ctx, func() { pipe.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{pipe}, in, make([]byte, readAhead))
		pipe.CloseWithError(err)
	}()
	return out
}
