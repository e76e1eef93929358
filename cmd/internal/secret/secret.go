// Package secret finds the secrets that a configuration only refers to: the
// passwords of repositories, databases and mail servers.
//
// A reference is one of
//
//	keyring:NAME   the entry NAME of the service "chartkeep" in the user's keyring:
//	               Keychain, Windows' credentials, or the Secret Service
//	file:PATH      the first line of a file that only its owner may read
//	env:NAME       an environment variable
//
// A secret never appears in an error.
package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"chartkeep/cmd/internal/text"
)

// service is under which name the keyring holds our entries.
const service = "chartkeep"

// longest is the size of the largest secret, in bytes: a file that is meant by
// mistake is not read to its end.
const longest = 64 << 10

var (
	// ErrReference says that a text is no reference to a secret.
	ErrReference = errors.New("no reference to a secret: want keyring:NAME, file:PATH or env:NAME")

	// ErrExposed says that others may read a secret's file.
	ErrExposed = errors.New("others may read it")

	errNoFile    = errors.New("it is no ordinary file")
	errEmpty     = errors.New("it is empty")
	errNoKeyring = errors.New("the keyring cannot be asked")
	errUnset     = errors.New("it is not set")
	errMissing   = errors.New("there is no such entry")
)

// elsewhere is what to do without a keyring: it belongs to a user who is logged
// on.
const elsewhere = "for runs without anybody logged on use file: or env:"

// A kind is a way to refer to a secret.
type kind struct {
	valid   func(name string) bool
	resolve func(name string) ([]byte, error)
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

var kinds = map[string]kind{
	"keyring": {func(name string) bool { return name != "" }, fromKeyring},
	"file":    {filepath.IsAbs, fromFile},
	"env":     {variable.MatchString, fromEnvironment},
}

// Check reports whether ref is a reference, without looking for the secret. It
// is the error's duty not to repeat ref: it may be the secret itself.
func Check(ref string) error {
	word, name, found := strings.Cut(ref, ":")
	k, known := kinds[word]
	if !found || !known {
		return ErrReference
	}
	if k.valid(name) {
		return nil
	}
	switch word {
	case "file":
		return errors.New("the path of file: must be absolute")
	case "env":
		return errors.New("the name of env: must be that of a variable")
	}
	return errors.New("keyring: without a name")
}

// Resolve finds the secret that ref refers to.
func Resolve(ref string) ([]byte, error) {
	if err := Check(ref); err != nil {
		return nil, err
	}
	word, name, _ := strings.Cut(ref, ":")
	found, err := kinds[word].resolve(name)
	if err == nil && len(found) == 0 {
		err = errEmpty
	}
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", ref, err)
	}
	return found, nil
}

// patience is how long the keyring may take. A locked one can wait for somebody
// to type its password, and at night there is nobody.
const patience = 30 * time.Second

func fromKeyring(name string) (value []byte, err error) {
	err = asked(func() error {
		text, err := keyring.Get(service, name)
		value = []byte(text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// Store puts a secret into the keyring, in place of what the entry held.
func Store(name string, value []byte) error {
	return changed(name, func() error { return keyring.Set(service, name, string(value)) })
}

// Remove takes an entry out of the keyring.
func Remove(name string) error {
	return changed(name, func() error { return keyring.Delete(service, name) })
}

func changed(name string, change func() error) error {
	if name == "" {
		return errors.New("keyring: without a name")
	}
	if err := asked(change); err != nil {
		return fmt.Errorf("secret keyring:%s: %w", name, err)
	}
	return nil
}

// asked waits for the keyring's answer.
func asked(ask func() error) error {
	answered := make(chan error, 1)
	// The library cannot be told to stop: past patience this goroutine is left to
	// itself.
	go func() { answered <- ask() }()
	select {
	case err := <-answered:
		if errors.Is(err, keyring.ErrNotFound) {
			return fmt.Errorf("%w of the service %s in the keyring", errMissing, service)
		}
		if err != nil {
			return fmt.Errorf("%w (%w); %s", errNoKeyring, err, elsewhere)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%w: no answer within %v; %s", errNoKeyring, patience, elsewhere)
	}
}

func fromEnvironment(name string) ([]byte, error) {
	text, set := os.LookupEnv(name)
	if !set {
		return nil, errUnset
	}
	return []byte(text), nil
}

// fromFile checks the file that it has opened, so that it cannot be another by
// the time it is read.
func fromFile(path string) ([]byte, error) {
	// Opening a pipe would wait for its writer.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	if exposed(info) {
		return nil, fmt.Errorf("%w; only its owner should: chmod 600", ErrExposed)
	}
	data, err := io.ReadAll(io.LimitReader(f, longest))
	if err != nil {
		return nil, withoutPath(err)
	}
	line, ended, err := text.FirstLine(data)
	if err == nil && !ended && len(data) == longest {
		err = fmt.Errorf("its first line is longer than %d bytes", longest)
	}
	return line, err
}

// withoutPath takes the path, which the reference says already, out of an error.
func withoutPath(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
