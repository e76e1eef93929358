package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// sameNames fails if tables or views came or went since the list was made.
func (h *hold) sameNames(ctx context.Context) error {
	if len(h.desc.Databases) == 0 {
		return nil
	}
	var in []string
	for i := range h.desc.Databases {
		in = append(in, h.desc.Databases[i].Name)
	}
	there := 0
	// Names only: that is a look into folders, and opens no table.
	err := h.plain.each(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ("+texts(in)+")", func(v []string) error {
		there++
		if !h.desc.names[[2]string{v[0], v[1]}] {
			return errMoved
		}
		return nil
	})
	if err == nil && there != len(h.desc.names) {
		err = errMoved
	}
	return err
}

// witness is the session that looks at definitions while the moment is held. The
// server lets one that holds tables pass over others that are being changed; it
// would make another wait, perhaps for a change that waits for us.
func (h *hold) witness() *session {
	for _, s := range slices.Concat(h.snapshots, h.locks) {
		return s
	}
	return h.plain
}

// listCode describes views, routines, triggers and events: what a dump of the
// definitions holds beside tables.
func (h *hold) listCode(ctx context.Context, by *session) (string, error) {
	var all strings.Builder
	for i := range h.desc.Databases {
		name := text(h.desc.Databases[i].Name)
		for _, q := range []string{
			"SELECT TABLE_NAME, SHA2(CONCAT_WS(',',VIEW_DEFINITION,DEFINER,SECURITY_TYPE),256) FROM information_schema.VIEWS WHERE TABLE_SCHEMA=" + name,
			"SELECT ROUTINE_TYPE, ROUTINE_NAME, LAST_ALTERED, SHA2(CONCAT_WS(',',ROUTINE_DEFINITION,DTD_IDENTIFIER,DEFINER),256) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA=" + name,
			"SELECT TRIGGER_NAME, SHA2(CONCAT_WS(',',ACTION_STATEMENT,DEFINER),256) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA=" + name,
			"SELECT EVENT_NAME, LAST_ALTERED, SHA2(CONCAT_WS(',',EVENT_DEFINITION,STATUS,DEFINER),256) FROM information_schema.EVENTS WHERE EVENT_SCHEMA=" + name,
		} {
			err := by.each(ctx, q+" ORDER BY 1,2", func(v []string) error {
				fmt.Fprintf(&all, "%q\n", v)
				return nil
			})
			if err != nil {
				return "", fmt.Errorf("list views, routines, triggers and events: %w", err)
			}
		}
	}
	return all.String(), nil
}

// sameCode fails if views, routines, triggers or events changed since the moment
// was begun.
func (h *hold) sameCode(ctx context.Context) error {
	now, err := h.listCode(ctx, h.witness())
	if err == nil && now != h.code {
		err = errMoved
	}
	return err
}
