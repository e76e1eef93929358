package mysql

import (
	"context"
	"fmt"
)

// dataOnly writes rows into tables that exist and are empty. If it fails they
// are emptied again.
func (r *restore) dataOnly(ctx context.Context) error {
	if !r.found.Exists {
		return fmt.Errorf("%w on the server", ErrNoDatabase)
	}
	v, err := r.admin.row(ctx, "SELECT COUNT(*), IFNULL(MIN(TRIGGER_NAME),'') FROM information_schema.TRIGGERS WHERE EVENT_MANIPULATION='INSERT' AND EVENT_OBJECT_SCHEMA="+text(r.target))
	if err != nil {
		return err
	}
	if v[0] != "0" {
		return fmt.Errorf("the database has triggers, such as %s, which would run for every row", v[1])
	}
	for _, t := range r.tables {
		if t.File == "" || t.sequence() {
			continue
		}
		name := quote(r.target) + "." + quote(t.Name)
		v, err := r.admin.row(ctx, "SELECT EXISTS(SELECT 1 FROM "+name+")")
		if err != nil {
			return err
		}
		if v[0] != "0" {
			return fmt.Errorf("%w, and %s has rows", ErrNotEmpty, t.Name)
		}
		if err := r.mayEmpty(ctx, name); err != nil {
			return err
		}
	}
	if err := r.loadTables(ctx, r.target); err != nil {
		return err
	}
	r.undo = nil
	return nil
}

// mayEmpty lets a table be emptied if the restore fails.
func (r *restore) mayEmpty(ctx context.Context, name string) error {
	r.onError("TRUNCATE TABLE " + name)
	return ctx.Err()
}
