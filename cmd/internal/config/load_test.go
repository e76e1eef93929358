package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestAFileThatOthersCouldChangeIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	token := "[notify]\nurls = [\"slack://hunter2@channel\"]\n"
	for name, c := range map[string]struct {
		text      string
		file, dir fs.FileMode
		want      string
	}{
		"its owner's":         {frame, 0o600, 0o755, ""},
		"read by all":         {frame, 0o644, 0o755, ""},
		"written by a group":  {frame, 0o620, 0o755, "others may write it"},
		"written by all":      {frame, 0o602, 0o755, "others may write it"},
		"replaced by all":     {frame, 0o600, 0o777, "everybody may write"},
		"in a sticky folder":  {frame, 0o600, 0o777 | fs.ModeSticky, ""},
		"a token of its own":  {frame + token, 0o600, 0o755, ""},
		"a token for all":     {frame + token, 0o604, 0o755, "10: notify.urls[1]: this address holds a token"},
		"a token for a group": {frame + token, 0o640, 0o755, "10: notify.urls[1]: this address holds a token"},
	} {
		dir := filepath.Join(t.TempDir(), "d")
		path := filepath.Join(dir, "chartkeep.toml")
		if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(path, []byte(c.text), 0o600), os.Chmod(path, c.file), os.Chmod(dir, c.dir)); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if c.want == "" && (err != nil || got.Path != path) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error holds the token", name)
		}
	}
}

func TestWhatIsNoConfigurationIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); err == nil {
		t.Error("a folder is read")
	}
	if _, err := Load(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Parse("f", make([]byte, largest+1)); !errors.Is(err, errTooLarge) {
		t.Errorf("a large file: %v", err)
	}
}

func TestATokenIsNotShown(t *testing.T) {
	c := read(t, frame+"[notify]\nurls = [\"slack://hunter2@channel\", \"keyring:chat\", \"generic://host/path\"]\n")
	text := string(c.TOML())
	if strings.Contains(text, "hunter2") || !strings.Contains(text, "'keyring:chat', 'generic://host/path'") {
		t.Errorf("shown as\n%s", text)
	}
}
