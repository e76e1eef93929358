// Chartkeep keeps backups of practice data: deduplicated, encrypted, and
// restorable piece by piece.
//
//	chartkeep init                     make a repository
//	chartkeep backup /srv/practice     save a snapshot
//	chartkeep find 'smith*.jpg'        which snapshots hold a file
//	chartkeep restore latest:/srv/practice/x.jpg --target .
//
// Run without arguments it lists its commands, and `chartkeep help COMMAND`
// explains one with examples.
//
// # How this package reads
//
// One file a command: flags in, calls, words out. What the commands share
// stands beside them: the order of arguments (arguments.go), how errors become
// words and exit codes (exit.go), how a repository is opened (open.go) and
// unlocked (password.go), how snapshots are chosen (choose.go). Nothing below
// this folder reads flags or the environment, or prints.
package main

import (
	"context"
	"os"
	"runtime"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo/crypt"
)

// perProcessor is how many threads run Go code for each processor. One that waits
// for a drive keeps its place until the runtime notices, and with a place for
// each processor only, small files are read and hashed by turns.
const perProcessor = 2

func main() {
	mindCollector()
	runtime.GOMAXPROCS(perProcessor * runtime.GOMAXPROCS(0))
	os.Exit(run(os.Args, crypt.KDF{}))
}

// run is main with an exit code. The key of a repository that it makes is
// derived as kdf says, which is what tests make cheap.
func run(args []string, kdf crypt.KDF) int {
	p := &program{UI: ui.New(os.Stdout, os.Stderr), stdin: os.Stdin, secrets: takeSecrets(""), kdf: kdf, others: otherSecrets()}
	ctx, stop := interruptible(context.Background())
	defer stop()
	err := p.run(ctx, args)
	if closed := p.Close(); err == nil {
		err = closed
	}
	return p.exit(ctx, err)
}
