package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// errMoved says that what was listed is not what is there: try again.
var errMoved = errors.New("tables, views or routines changed while the backup began")

// A hold is a moment of the server that is held: sessions with snapshots of it,
// and sessions that keep locked the tables which have no snapshots.
type hold struct {
	login  login
	server server
	desc   *Description

	code string // what listCode said before

	all       []*session // to be closed
	plain     *session   // neither snapshot nor lock
	block     *block
	snapshots []*session
	locks     []*session
	lockedAt  time.Time
	lockedFor time.Duration // set when the tables were unlocked

	at       time.Time // the moment, by the server's clock
	position []string  // where the server's logs were then, in words
}

// take brings the server to hold still, opens the snapshots, and lets it go on.
// An error leaves nothing held once close was called.
func (h *hold) take(ctx context.Context, plain *session, o Options, names []string, m method) (err error) {
	h.plain = plain
	if h.desc, err = list(ctx, h.plain, h.server, names, true); err != nil {
		return err
	}
	if h.code, err = h.listCode(ctx, h.plain); err != nil {
		return err
	}
	if err := checkGrants(ctx, h.plain, h.server, h.desc); err != nil {
		return err
	}
	if err := h.openSessions(ctx, o, m); err != nil {
		return err
	}
	if err := h.warm(ctx); err != nil {
		return err
	}
	if err := h.still(ctx); err != nil {
		return err
	}
	again, err := list(ctx, h.witness(), h.server, names, false) // held tables cannot change any more
	if err != nil {
		return err
	}
	return h.desc.agrees(again)
}

func (h *hold) connect(ctx context.Context, settings []string) (*session, error) {
	s, err := h.login.connect(ctx, settings)
	if err == nil {
		h.all = append(h.all, s)
	}
	return s, err
}

// openSessions connects before anything is blocked.
func (h *hold) openSessions(ctx context.Context, o Options, m method) error {
	by, err := h.connect(ctx, commonSession(o.LockTimeout))
	if err != nil {
		return err
	}
	h.block = &block{method: m, by: by}
	snapshots, locks := h.desc.count()
	for range min(o.Workers, snapshots) {
		s, err := h.connect(ctx, append(readingSession(o.LockTimeout), "SET SESSION lock_wait_timeout="+m.touch))
		if err != nil {
			return err
		}
		h.snapshots = append(h.snapshots, s)
	}
	for range min(o.Workers, locks) {
		s, err := h.connect(ctx, readingSession(o.LockTimeout))
		if err != nil {
			return err
		}
		h.locks = append(h.locks, s)
	}
	return nil
}

// warm has the server open the tables before anybody waits for that.
func (h *hold) warm(ctx context.Context) error {
	for _, s := range h.snapshots {
		for _, t := range h.desc.touches() {
			if err := s.each(ctx, t, func([]string) error { return nil }); err != nil && !errorIs(err, lockWait) {
				return err
			}
		}
	}
	return nil
}

// still is the moment. What is done between holdCommits and letGo keeps writers
// waiting.
func (h *hold) still(ctx context.Context) error {
	b := h.block
	if err := b.holdDefinitions(ctx); err != nil {
		return err
	}
	if b.writersToo {
		if err := h.lock(ctx); err != nil {
			return err
		}
	}
	if len(b.definitions) > 0 {
		if err := h.sameNames(ctx); err != nil {
			return err
		}
	}
	if err := b.holdCommits(ctx); err != nil {
		return err
	}
	if len(b.definitions) == 0 {
		if err := h.sameNames(ctx); err != nil {
			return err
		}
	}
	if !b.writersToo {
		if err := h.lock(ctx); err != nil {
			return err
		}
	}
	if err := h.snapshot(ctx); err != nil {
		return err
	}
	return b.letGo(ctx)
}

// snapshot opens the snapshots and notes the position meanwhile.
func (h *hold) snapshot(ctx context.Context) error {
	touches := h.desc.touches()
	g, gctx := errgroup.WithContext(ctx)
	for _, s := range h.snapshots {
		g.Go(func() error {
			if err := s.exec(gctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT"); err != nil {
				return fmt.Errorf("open a snapshot: %w", err)
			}
			for _, t := range touches {
				if err := s.each(gctx, t, func([]string) error { return nil }); err != nil {
					return fmt.Errorf("hold the tables of the snapshot: %w", err)
				}
			}
			return nil
		})
	}
	g.Go(func() error { return h.note(ctx) })
	return g.Wait()
}

// lock locks the tables that have no snapshots, for each session that is to
// read them: one that did not lock them would queue behind a writer that waits
// for the lock's end.
func (h *hold) lock(ctx context.Context) error {
	if len(h.locks) == 0 {
		return nil
	}
	var names []string
	for d, t := range h.desc.tables() {
		if t.locked() {
			names = append(names, quote(d.Name)+"."+quote(t.Name)+" READ")
		}
	}
	h.lockedAt = time.Now()
	for _, s := range h.locks {
		if err := s.exec(ctx, "LOCK TABLES "+strings.Join(names, ", ")); err != nil {
			return fmt.Errorf("lock the tables without transactions: %w", err)
		}
	}
	return nil
}

// unlock lets writers of the locked tables go on.
func (h *hold) unlock(ctx context.Context) error {
	if h.lockedAt.IsZero() || h.lockedFor != 0 {
		return nil
	}
	var errs []error
	for _, s := range h.locks {
		if err := s.exec(ctx, "UNLOCK TABLES"); err != nil {
			s.close() // which unlocks as well
			errs = append(errs, fmt.Errorf("unlock the tables: %w", err))
		}
	}
	h.lockedFor = time.Since(h.lockedAt)
	return errors.Join(errs...)
}

// close gives back all that is held.
func (h *hold) close() {
	if h.block != nil && h.block.held {
		h.block.by.close()
	}
	for _, s := range h.all {
		s.close()
	}
	if !h.lockedAt.IsZero() && h.lockedFor == 0 {
		h.lockedFor = time.Since(h.lockedAt)
	}
}

// touchAtOnce is how many tables one statement touches.
const touchAtOnce = 50

// touches are statements that touch every table that is read from a snapshot.
// A session that touched a table in its transaction keeps its definition: a
// TRUNCATE waits, where it would break the reading later with error 1412.
func (c *Description) touches() []string {
	var one []string
	for d, t := range c.tables() {
		if t.File != "" && t.transactional() && !t.sequence() {
			one = append(one, "(SELECT 1 FROM "+quote(d.Name)+"."+quote(t.Name)+" LIMIT 0)")
		}
	}
	var all []string
	for part := range slices.Chunk(one, touchAtOnce) {
		all = append(all, strings.Join(part, " UNION ALL "))
	}
	return all
}

// note asks for the time and for the position in the server's logs. A server
// without logs, or a user without the right to know, is no failure.
func (h *hold) note(ctx context.Context) error {
	v, err := h.block.by.row(ctx, "SELECT UTC_TIMESTAMP(6)")
	if err != nil {
		return fmt.Errorf("ask for the time: %w", err)
	}
	if h.at, err = time.Parse("2006-01-02 15:04:05.999999", v[0]); err != nil {
		return fmt.Errorf("ask for the time: %w", err)
	}
	binlog := "SHOW MASTER STATUS"
	if !h.server.maria && h.server.since(8, 2) {
		binlog = "SHOW BINARY LOG STATUS"
	}
	v, err = h.block.by.row(ctx, binlog)
	if err == nil && len(v) >= 2 {
		h.position = append(h.position, "binlog "+v[0]+":"+v[1])
		if len(v) >= 5 && v[4] != "" {
			h.position = append(h.position, "GTID "+strings.ReplaceAll(v[4], "\n", ""))
		}
	} else if !errors.Is(err, errNoRow) && !errorIs(err, needsPrivilege) {
		return fmt.Errorf("ask for the position in the binary log: %w", err)
	}
	if h.server.maria {
		if v, err = h.block.by.row(ctx, "SELECT @@GLOBAL.gtid_binlog_pos"); err == nil && v[0] != "" {
			h.position = append(h.position, "GTID "+v[0])
		}
	}
	return nil
}
