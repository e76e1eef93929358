package postgres

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// An object is a large object's line, with the grants that follow it.
type object struct {
	oid     uint32
	owner   Name
	comment *string
	grants  []Grant // nil: the usual ones
}

// loadObjects brings the large objects back under their numbers, several at a
// time.
func (r *restore) loadObjects(ctx context.Context, name string) error {
	if !r.server.Objects {
		return nil
	}
	list, err := r.Saved.Open(ctx, r.at(objectsFile))
	if err != nil {
		return err
	}
	defer list.Close()
	queue := make(chan object)
	g, all := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(queue)
		for o, err := range objects(list) {
			if err != nil {
				return fmt.Errorf("%s: %w", objectsFile, err)
			}
			select {
			case queue <- o:
			case <-all.Done():
				return nil
			}
		}
		return nil
	})
	for range r.Workers {
		g.Go(func() error {
			conn, err := r.address.connect(all, name)
			if err != nil {
				return err
			}
			defer hangUp(conn)
			return r.takeObjects(all, conn, queue)
		})
	}
	return g.Wait()
}

func (r *restore) takeObjects(ctx context.Context, conn *pgx.Conn, queue <-chan object) error {
	for o := range queue {
		if err := r.loadObject(ctx, conn, o); err != nil {
			return fmt.Errorf("large object %d: %w", o.oid, err)
		}
	}
	return nil
}

// objects reads the list of large objects.
func objects(list io.Reader) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		var o object
		for f, err := range lines(list, 6) {
			if err == nil && *f[0] == "grant" {
				if err = o.addGrant(f); err == nil {
					continue
				}
			}
			if err == nil && o.oid != 0 && !yield(o, nil) {
				return
			}
			if err == nil {
				o, err = newObject(f)
			}
			if err != nil {
				yield(o, err)
				return
			}
		}
		if o.oid != 0 {
			yield(o, nil)
		}
	}
}

func newObject(f []field) (object, error) {
	v, err := texts(f[:4])
	if err != nil {
		return object{}, err
	}
	oid, err := strconv.ParseUint(v[1], 10, 32)
	o := object{oid: uint32(oid), owner: Name(v[2]), comment: f[4]}
	if v[3] != "true" {
		o.grants = []Grant{}
	}
	return o, err
}

func (o *object) addGrant(f []field) error {
	v, err := texts(f)
	if err == nil {
		o.grants = append(o.grants, Grant{Grantor: Name(v[2]), Grantee: Name(v[3]), Privilege: v[4], Grantable: v[5] == "true"})
	}
	return err
}

// loadObject makes one large object in one transaction.
func (r *restore) loadObject(ctx context.Context, conn *pgx.Conn, o object) error {
	in, err := r.Saved.Open(ctx, r.at(fmt.Sprintf("%s/%d", objectsFolder, o.oid)))
	if err != nil {
		return err
	}
	defer in.Close()
	if err := execute(ctx, conn, "BEGIN"); err != nil {
		return err
	}
	if err := r.putObject(ctx, conn, o.oid, in); err != nil {
		return err
	}
	sql := []string{}
	at := fmt.Sprintf("LARGE OBJECT %d", o.oid)
	if o.comment != nil {
		sql = append(sql, "COMMENT ON "+at+" IS "+literal(*o.comment))
	}
	if !r.NoOwner {
		sql = append(sql, "ALTER "+at+" OWNER TO "+quote(string(o.owner)))
		sql = append(sql, grantStatements(at, o.owner, o.grants)...)
	}
	r.mu.Lock()
	r.report.Objects++
	r.mu.Unlock()
	return execute(ctx, conn, strings.Join(append(sql, "COMMIT"), "; "))
}

func (r *restore) putObject(ctx context.Context, conn *pgx.Conn, oid uint32, in io.Reader) error {
	if _, err := conn.Exec(ctx, fmt.Sprintf("SELECT lo_create(%d)", oid)); err != nil {
		return err
	}
	buf := make([]byte, objectStep)
	for at := int64(0); ; {
		n, err := io.ReadFull(in, buf)
		if n > 0 {
			if _, err := conn.Exec(ctx, fmt.Sprintf("SELECT lo_put(%d, %d, $1)", oid, at), buf[:n]); err != nil {
				return err
			}
			at += int64(n)
			r.mu.Lock()
			r.report.Bytes += int64(n)
			r.mu.Unlock()
			r.tell(func(p *Progress) { p.Done += int64(n) })
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
