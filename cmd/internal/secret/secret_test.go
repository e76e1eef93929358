package secret

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"
)

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASecretIsFound(t *testing.T) {
	keyring.MockInit()
	if err := keyring.Set("chartkeep", "s3", "from the keyring"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CHARTKEEP_TEST_SECRET", "from: the environment ")
	for ref, want := range map[string]string{
		"keyring:s3":                "from the keyring",
		"env:CHARTKEEP_TEST_SECRET": "from: the environment ",
		"file:" + write(t, "first line\r\nsecond\n", 0o600):         "first line",
		"file:" + write(t, "\xff\xfep\x00w\x00\r\x00\n\x00", 0o600): "pw",
		"file:" + write(t, "alone", 0o400):                          "alone",
	} {
		if got, err := Resolve(ref); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", ref, got, err)
		}
	}
}

func TestASecretThatIsNotThereIsAnError(t *testing.T) {
	keyring.MockInit()
	t.Setenv("CHARTKEEP_TEST_EMPTY", "")
	for ref, want := range map[string]string{
		"keyring:none":                        "secret keyring:none: there is no such entry of the service chartkeep in the keyring",
		"env:CHARTKEEP_TEST_UNSET":            "it is not set",
		"env:CHARTKEEP_TEST_EMPTY":            "it is empty",
		"file:" + write(t, "\nsecond", 0o600): "it is empty",
		"file:" + t.TempDir():                 "it is no ordinary file",
		"file:/nowhere/secret":                "no such file or directory",
	} {
		if got, err := Resolve(ref); err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%s: %q, %v", ref, got, err)
		}
	}
}

func TestAKeyringThatIsNotThereIsSaid(t *testing.T) {
	keyring.MockInitWithError(errors.New("no session bus"))
	_, err := Resolve("keyring:s3")
	if want := "secret keyring:s3: the keyring cannot be asked (no session bus); for runs without anybody logged on use file: or env:"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAFileThatOthersMayReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	for _, mode := range []os.FileMode{0o604, 0o640, 0o644, 0o602} {
		if _, err := Resolve("file:" + write(t, "hunter2", mode)); !errors.Is(err, ErrExposed) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestWhatIsNoReferenceIsNotRepeated(t *testing.T) {
	for _, ref := range []string{"hunter2", "", "hunter2:", "pass:hunter2", "env:hunter 2", "file:hunter2", "keyring:"} {
		for _, err := range []error{Check(ref), func() error { _, err := Resolve(ref); return err }()} {
			if err == nil || strings.Contains(err.Error(), "hunter") {
				t.Errorf("%q: %v", ref, err)
			}
		}
	}
}

func TestAnEndlessFileIsNotReadToItsEnd(t *testing.T) {
	got, err := Resolve("file:" + write(t, strings.Repeat("x", 2*longest), 0o600))
	if err == nil || got != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
