package mysql

import (
	"context"
	"fmt"
	"time"
)

// A method is how a server is brought to hold still for a moment: statements
// that one session says, in this order.
type method struct {
	name string

	// definitions makes ALTER, DROP, TRUNCATE and their like wait. Where tells
	// that it makes writers of tables without transactions wait too.
	definitions []string
	writersToo  bool
	before      []string // waits for changes of definitions that run, before anybody else has to wait
	commits     []string // makes all that changes anything wait
	release     []string // ends that
	finish      []string // ends what release did not

	touch string // lock_wait_timeout, seconds, while snapshots are opened
}

// stages is MariaDB's since 10.4. It does not wait for queries that run, and so
// nobody queues behind it.
var stages = method{
	name:        "backup stages",
	definitions: []string{"BACKUP STAGE START", "BACKUP STAGE FLUSH", "BACKUP STAGE BLOCK_DDL"},
	writersToo:  true,
	commits:     []string{"BACKUP STAGE BLOCK_COMMIT"},
	release:     []string{"BACKUP STAGE END"},
	touch:       "0",
}

// instanceLock is MySQL's since 8.0. The lock of all tables waits for statements
// that run, and others queue behind it: hence the short timeout. The lock of the
// instance comes second: an ALTER that waits for it holds a part of the lock of
// all tables already, and would be ended as a deadlock.
var instanceLock = method{
	name:    "instance lock and a read lock of all tables",
	before:  []string{"LOCK INSTANCE FOR BACKUP", "UNLOCK INSTANCE"},
	commits: []string{"FLUSH TABLES WITH READ LOCK", "LOCK INSTANCE FOR BACKUP"},
	release: []string{"UNLOCK TABLES"},
	finish:  []string{"UNLOCK INSTANCE"},
	touch:   "1",
}

// readLock is for all older servers.
var readLock = method{
	name:    "read lock of all tables",
	commits: []string{"FLUSH TABLES WITH READ LOCK"},
	release: []string{"UNLOCK TABLES"},
	touch:   "1",
}

// methodOf returns what a server can do.
func methodOf(s server) method {
	switch {
	case s.maria && s.since(10, 5): // 10.4 has it too, but its first releases deadlock
		return stages
	case s.dictionary():
		return instanceLock
	}
	return readLock
}

// A block is the time during which the server holds still.
type block struct {
	method
	by      *session
	held    bool      // something is to be ended
	since   time.Time // when changes began to wait
	blocked time.Duration
}

// holdDefinitions makes changes of definitions wait.
func (b *block) holdDefinitions(ctx context.Context) error {
	b.held = true
	return b.say(ctx, b.definitions)
}

// holdCommits makes changes of anything wait.
func (b *block) holdCommits(ctx context.Context) error {
	b.held = true
	if err := b.say(ctx, b.before); err != nil {
		return err
	}
	b.since = time.Now()
	return b.say(ctx, b.commits)
}

// letGo lets writers go on, and says how long they may have waited.
func (b *block) letGo(ctx context.Context) error {
	err := b.say(ctx, b.release)
	b.blocked = time.Since(b.since)
	return err
}

// end ends all that is held. It may be called at any time, and again.
func (b *block) end(ctx context.Context) error {
	if !b.held {
		return nil
	}
	b.held = false
	return b.say(ctx, b.finish)
}

func (b *block) say(ctx context.Context, statements []string) error {
	for _, s := range statements {
		if err := b.by.exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}
