package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Target is what there is where a database is to be restored to, and what is
// about to come.
type Target struct {
	Server   string // "MariaDB 10.11.19-MariaDB"
	Database string
	Exists   bool
	Tables   int    // it holds, and views
	Bytes    int64  // its tables take on disk, as the server estimates
	Sessions int    // of others, in it
	Folder   string // where the server keeps its data

	Saved       string // name of the database that comes
	SavedServer string
	Incoming    int64 // bytes of rows; on disk it may be two and a half times as much
}

// Look says what a restore with these options would find. It changes nothing.
func Look(ctx context.Context, o RestoreOptions) (Target, error) {
	r, err := newRestore(ctx, o)
	if err != nil {
		return Target{}, err
	}
	r.admin.close()
	return r.found, nil
}

// look fills in what is found, and refuses what cannot work.
func (r *restore) look(ctx context.Context) (err error) {
	if r.server, err = r.admin.meet(ctx); err != nil {
		return err
	}
	t := &r.found
	*t = Target{Server: r.server.String(), Database: r.target, Saved: r.saved.Name, SavedServer: r.from.Server}
	for file, size := range r.sizes {
		if strings.HasPrefix(file, tablesFolder+"/") {
			t.Incoming += size
		}
	}
	v, err := r.admin.row(ctx, "SELECT @@datadir, @@local_infile, @@max_allowed_packet") // alone: beside an aggregate MariaDB says that the second is off
	if err != nil {
		return err
	}
	if r.packet, err = strconv.Atoi(v[2]); err != nil {
		return err
	}
	t.Folder = v[0]
	r.inserts = r.Inserts || v[1] == "0" || v[1] == "OFF"
	v, err = r.admin.row(ctx, "SELECT (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME="+text(r.target)+"),"+
		" COUNT(*), IFNULL(SUM(DATA_LENGTH+INDEX_LENGTH),0) FROM information_schema.TABLES WHERE TABLE_SCHEMA="+text(r.target))
	if err != nil {
		return err
	}
	t.Exists = v[0] == "1"
	var errTables, errBytes error
	t.Tables, errTables = strconv.Atoi(v[1])
	t.Bytes, errBytes = strconv.ParseInt(v[2], 10, 64)
	if err := errors.Join(errTables, errBytes); err != nil {
		return err
	}
	v, err = r.admin.row(ctx, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB="+text(r.target)+" AND ID<>CONNECTION_ID()")
	if err != nil {
		return err
	}
	if t.Sessions, err = strconv.Atoi(v[0]); err != nil {
		return err
	}
	return r.fits()
}

// fits compares the servers.
func (r *restore) fits() error {
	kind, version, _ := strings.Cut(r.from.Server, " ")
	was, err := parseVersion(version)
	if err != nil {
		return err
	}
	was.maria = kind == "MariaDB"
	if was.maria != r.server.maria {
		return fmt.Errorf("%w: saved was %s, and here is %s", ErrOtherKind, was, r.server)
	}
	if !r.server.since(was.major, was.minor) {
		r.Log(fmt.Sprintf("the server is %s, older than the one that was saved, %s: it may not know all that was used", r.server, was))
	}
	for _, t := range r.tables {
		if t.History && !r.server.since(10, 11) && !r.SchemaOnly {
			return fmt.Errorf("table %s has a history, which a server takes from MariaDB 10.11 on, and this is %s", t.Name, r.server)
		}
	}
	return nil
}

// refuse fails if something would be overwritten.
func (r *restore) refuse(ctx context.Context) error {
	if r.Overwrite || r.found.Tables == 0 {
		return nil
	}
	if len(r.Tables) == 0 {
		return fmt.Errorf("%w: %d in database %s", ErrNotEmpty, r.found.Tables, r.target)
	}
	v, err := r.admin.row(ctx, "SELECT COUNT(*), IFNULL(MIN(TABLE_NAME),'') FROM information_schema.TABLES WHERE TABLE_SCHEMA="+text(r.target)+
		" AND TABLE_NAME IN ("+texts(r.Tables)+")")
	if err == nil && v[0] != "0" {
		err = fmt.Errorf("%w: %s in database %s", ErrNotEmpty, v[1], r.target)
	}
	return err
}
