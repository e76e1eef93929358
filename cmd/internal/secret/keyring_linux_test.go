package secret

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// session starts a keyring of its own on a bus of its own, puts an entry into it
// as an office would, and runs this test binary's own test there.
const session = `
printf login | gnome-keyring-daemon --unlock --components=secrets >/dev/null
printf sesame | secret-tool store --label 'the red drive' service chartkeep username red
CHARTKEEP_TEST_KEYRING=inside "$1" -test.run '^TestTheKeyringOfALoggedOnUser$' -test.v
`

func TestTheKeyringOfALoggedOnUser(t *testing.T) {
	if os.Getenv("CHARTKEEP_TEST_KEYRING") == "inside" {
		insideSession(t)
		return
	}
	for _, program := range []string{"dbus-run-session", "gnome-keyring-daemon", "secret-tool"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("testdata/install-needs installs %s: %v", program, err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-run-session", "--", "sh", "-ec", session, "sh", self)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home, "XDG_RUNTIME_DIR="+t.TempDir(), "DISPLAY=")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestTheKeyringOfALoggedOnUser") {
		t.Errorf("%v\n%s", err, out)
	}
}

func insideSession(t *testing.T) {
	if got, err := Resolve("keyring:red"); err != nil || string(got) != "sesame" {
		t.Errorf("%q, %v", got, err)
	}
	if err := Store("blue", []byte("öpen")); err != nil {
		t.Error(err)
	}
	if got, err := Resolve("keyring:blue"); err != nil || string(got) != "öpen" {
		t.Errorf("stored: %q, %v", got, err)
	}
	if err := Remove("blue"); err != nil {
		t.Error(err)
	}
	if err := Remove("blue"); err == nil || !strings.Contains(err.Error(), errMissing.Error()) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := Resolve("keyring:blue"); err == nil || !strings.Contains(err.Error(), errMissing.Error()) {
		t.Error(err)
	}
}
