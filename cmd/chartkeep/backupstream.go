package main

import "github.com/urfave/cli/v2"

func (p *program) streamTask(c *cli.Context) (task, error) {
	return task{}, usage(c, "no streams yet")
}
