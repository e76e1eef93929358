package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Target is what there is where a database is to be restored to, and what is
// about to come.
type Target struct {
	Server   string // version, as 15.18
	Database string
	Exists   bool
	Tables   int    // it holds
	Bytes    int64  // it takes on disk
	Sessions int    // of others, in it
	Folder   string // where the server keeps its data; empty when it does not say

	Saved       Place // what comes: Schema is empty
	SavedServer string
	Incoming    int64 // bytes of rows and large objects; on disk it may be two and a half times as much

	version int
}

// Look says what a restore with these options would find. It changes nothing.
func Look(ctx context.Context, o RestoreOptions) (Target, error) {
	r, err := newRestore(ctx, o)
	if err != nil {
		return Target{}, err
	}
	return r.found, nil
}

// maintenance connects to a database that is not the one to be made.
func (r *restore) maintenance(ctx context.Context) (conn *pgx.Conn, err error) {
	for _, name := range []string{"postgres", "template1"} {
		if name == r.target {
			continue
		}
		conn, err = r.address.connect(ctx, name)
		if !hasCode(err, codeUndefinedDatabase, codeInsufficientRights) {
			break
		}
	}
	return conn, err
}

func (r *restore) look(ctx context.Context) (Target, error) {
	t := Target{Database: r.target, Saved: Place{Name: r.server.Name}, Incoming: r.total()}
	conn, err := r.maintenance(ctx)
	if err != nil {
		return t, err
	}
	defer hangUp(conn)
	s := server{}
	if err := s.ask(ctx, conn); err != nil {
		return t, err
	}
	t.Server, t.version = s.release, s.version
	_ = conn.QueryRow(ctx, "SHOW data_directory").Scan(&t.Folder) // a superuser's to know
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1),
		(SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid())`, r.target).Scan(&t.Exists, &t.Sessions)
	if err == nil {
		err = r.lacking(ctx, conn)
	}
	if err != nil || !t.Exists {
		return t, err
	}
	return t, r.lookInside(ctx, &t)
}

// lacking compares the extensions with those that the server has.
func (r *restore) lacking(ctx context.Context, conn *pgx.Conn) error {
	if len(r.Tables) > 0 || r.DataOnly {
		return nil
	}
	rows, err := conn.Query(ctx, "SELECT name FROM pg_available_extensions")
	if err != nil {
		return err
	}
	have, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	var missing []string
	for _, e := range r.server.Extensions {
		if !slices.Contains(have, string(e.Name)) {
			missing = append(missing, string(e.Name))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrExtensions, strings.Join(missing, ", "))
	}
	return nil
}

func (r *restore) lookInside(ctx context.Context, t *Target) error {
	conn, err := r.address.connect(ctx, r.target)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	tables, err := listTables(ctx, conn)
	if err != nil {
		return err
	}
	t.Tables = len(tables)
	return conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&t.Bytes)
}

// leaveTime is how long sessions may take to end whose clients have left.
const leaveTime = 2 * time.Second

// awaitLeave counts the sessions anew until there are none, for a short time.
func (r *restore) awaitLeave(ctx context.Context, conn *pgx.Conn) error {
	for began := time.Now(); r.found.Sessions > 0 && time.Since(began) < leaveTime; time.Sleep(50 * time.Millisecond) {
		err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", r.target).Scan(&r.found.Sessions)
		if err != nil {
			return err
		}
	}
	return nil
}

// mayReplace says whether a whole database may take the target's place.
func (r *restore) mayReplace() error {
	switch {
	case !r.found.Exists && !r.Create:
		return fmt.Errorf("%w on the server", ErrNoDatabase)
	case r.found.Tables > 0 && !r.Overwrite:
		return fmt.Errorf("%w (%d)", ErrNotEmpty, r.found.Tables)
	case r.found.Sessions > 0:
		return fmt.Errorf("%w: %d others are connected", ErrInUse, r.found.Sessions)
	}
	return nil
}
