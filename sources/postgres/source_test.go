package postgres

import (
	"testing"
)

func TestX(t *testing.T) {
	db := "traps"
	all, facts := copyOf(t, source(t, nil, db))
	files, _ := all.Files(t.Context())
	for _, f := range files {
		t.Log(f)
	}
	for k, v := range facts {
		t.Logf("%s = %s", k, v)
	}
	t.Logf("%s\n%s\n%s", all["database.json"][:3000], all["roles.sql"], all[db+"/blobs.tsv"])
}
