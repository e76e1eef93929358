package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// A pool bounds the connections that read rows, whatever database they are for.
type pool struct {
	address address
	slots   chan struct{} // one for each worker in use

	mu   sync.Mutex
	idle []*worker
}

// A worker is a connection that sees what a moment sees.
type worker struct {
	conn   *pgx.Conn
	moment *moment
	inside bool // in a transaction of the moment's snapshot
}

func newPool(a address, size int) *pool {
	return &pool{address: a, slots: make(chan struct{}, size)}
}

// take waits for a worker and puts it into the moment's snapshot.
func (p *pool) take(ctx context.Context, m *moment) (*worker, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w, other := p.fromIdle(m)
	if other != nil {
		hangUp(other.conn)
	}
	if w == nil {
		conn, err := p.address.connect(ctx, string(m.Name))
		if err != nil {
			<-p.slots
			return nil, err
		}
		w = &worker{conn: conn, moment: m}
	}
	if err := w.enter(ctx); err != nil {
		p.drop(w)
		return nil, err
	}
	return w, nil
}

// fromIdle returns an idle worker of the moment, or else one to be closed in
// favour of a new one.
func (p *pool) fromIdle(m *moment) (w, other *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.idle {
		if w.moment == m {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return w, nil
		}
	}
	if n := len(p.idle); n > 0 {
		other, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	return nil, other
}

// enter begins a transaction that sees the moment. Several large objects are
// read in one; a table's ends with it, so that locks do not pile up.
func (w *worker) enter(ctx context.Context) error {
	if w.inside {
		return nil
	}
	err := execute(ctx, w.conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT "+literal(w.moment.snapshot))
	if err != nil {
		return fmt.Errorf("join the database's moment: %w", err)
	}
	w.inside = true
	return nil
}

func (w *worker) leave(ctx context.Context) error {
	w.inside = false
	return execute(ctx, w.conn, "ROLLBACK")
}

// give takes a worker back.
func (p *pool) give(w *worker) {
	p.mu.Lock()
	p.idle = append(p.idle, w)
	p.mu.Unlock()
	<-p.slots
}

// drop ends a worker in whatever state it is.
func (p *pool) drop(w *worker) {
	abort(w.conn)
	<-p.slots
}

// close ends the idle workers.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.idle {
		hangUp(w.conn)
	}
	p.idle = nil
}
