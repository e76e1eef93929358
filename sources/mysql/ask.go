package mysql

import (
	"context"
	"slices"
)

// Ask returns the rows of a query as text; NULL is empty. The query is for the
// first database that is meant. It is for the few settings that a program keeps
// in its own database.
func Ask(ctx context.Context, o Options, query string) (rows [][]string, err error) {
	l, err := parseURL(o.URL, o.Password)
	if err != nil {
		return nil, err
	}
	c, err := l.connect(ctx, commonSession(defaultLockTimeout))
	if err != nil {
		return nil, err
	}
	defer c.close()
	if names, err := o.names(l); err == nil && len(names) > 0 {
		if err := c.exec(ctx, "USE "+quote(names[0])); err != nil {
			return nil, err
		}
	}
	err = c.each(ctx, query, func(v []string) error {
		rows = append(rows, slices.Clone(v))
		return nil
	})
	return rows, err
}
