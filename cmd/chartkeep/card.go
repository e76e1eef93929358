package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
)

// qrScale is the size of a module in the PNG, pixels: a card of 5 cm at 200 dpi.
const qrScale = 10

// cardFits refuses a file that is there already, before a key is made for it.
func cardFits(file string) error {
	_, err := os.Lstat(file)
	if err == nil {
		return failed("Name another file, or move that one away.", "recovery card: %s is there already", file)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("recovery card: %w", err)
	}
	return nil
}

// newCard makes a recovery code, writes its card to file, and only then lets
// the code open the repository: a code that nobody has is of no use. Without a
// file the text is returned.
func (p *program) newCard(ctx context.Context, r *repo.Repository, file string) (text string, err error) {
	code := crypt.NewRecoveryCode()
	card := crypt.Card{Name: filepath.Base(p.location), Repository: r.Config().ID, Created: time.Now(), Code: code}
	if file == "" {
		text = card.Text()
	} else if err := writeCard(file, card); err != nil {
		return "", fmt.Errorf("recovery card: %w", err)
	}
	if _, err := r.AddRecovery(ctx, code, "recovery card of "+card.Date()); err != nil {
		if file != "" {
			err = errors.Join(err, os.Remove(file))
		}
		return "", err
	}
	return text, nil
}

// writeCard writes a card for its owner's eyes only.
func writeCard(file string, card crypt.Card) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(cardAs(filepath.Ext(file), card))
	return errors.Join(err, f.Sync(), f.Close())
}

func cardAs(extension string, card crypt.Card) []byte {
	switch strings.ToLower(extension) {
	case ".html", ".htm":
		return []byte(card.HTML())
	case ".png":
		return card.Code.QRPNG(qrScale)
	}
	return []byte(card.Text())
}
