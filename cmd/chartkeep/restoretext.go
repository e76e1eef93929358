package main

import (
	"context"
	_ "embed"
	"errors"
	"io/fs"
	"strings"
	"text/template"

	"chartkeep/repo"
)

//go:embed RESTORE.txt
var restoreText string

// putRestoreText leaves a note in the repository for whoever finds the drive:
// what it is, and how to restore from it on a new computer. It holds no secret.
func putRestoreText(ctx context.Context, r *repo.Repository) error {
	page, err := template.New("restore").Parse(restoreText)
	if err != nil {
		return err
	}
	config := r.Config()
	var text strings.Builder
	err = page.Execute(&text, map[string]any{
		"ID": config.ID.String(), "Created": config.Created.Format("2 January 2006"), "Version": versionName(), "Format": config.Version,
	})
	if err != nil {
		return err
	}
	err = r.Store().Put(ctx, "RESTORE.txt", []byte(strings.ReplaceAll(text.String(), "\n", "\r\n")))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
