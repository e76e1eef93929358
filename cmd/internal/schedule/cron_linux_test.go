package schedule

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// privately runs this test binary's own test in a mount namespace in which
// cron's tables, and all that cron would start of the machine's own, are
// replaced by empty folders. Nothing outside of it changes.
const privately = `
mount -t tmpfs none /run
mount -t tmpfs -o mode=1730,gid=crontab none /var/spool/cron/crontabs
mount -t tmpfs none /etc/cron.d
mount --bind /dev/null /etc/crontab
cron -f >/dev/null 2>&1 &
daemon=$!
trap 'kill $daemon' EXIT
sleep 1.1 # cron compares times of change in whole seconds, also with that of its start
CHARTKEEP_TEST_CRON=inside "$1" -test.run '^TestCronRunsWhatIsInstalled$' -test.v
`

func TestCronRunsWhatIsInstalled(t *testing.T) {
	if os.Getenv("CHARTKEEP_TEST_CRON") == "inside" {
		insideCron(t)
		return
	}
	if testing.Short() {
		t.Skip("cron starts things once a minute")
	}
	self := withNamespaces(t, "cron", "cron")
	out, err := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-ec", privately, "sh", self).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestCronRunsWhatIsInstalled") {
		t.Errorf("%v\n%s", err, out)
	}
}

// withNamespaces lets a test go on that starts a daemon in namespaces of its own,
// beside the others, and gives this test binary, which is to run there.
func withNamespaces(t *testing.T, daemon, from string) (self string) {
	t.Parallel()
	requireProgram(t, daemon, from)
	requireProgram(t, "unshare", "util-linux")
	if os.Geteuid() != 0 {
		t.Skip("only root can run a daemon of its own; other tests check what it is told")
	}
	if out, err := exec.Command("unshare", "--mount", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		t.Skipf("nothing can be mounted here: %s", out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

// insideCron installs a job into the empty table, and waits for cron to start it.
func insideCron(t *testing.T) {
	dir := t.TempDir()
	program, started := filepath.Join(dir, "a program"), filepath.Join(dir, "started")
	script := "#!/bin/sh\necho \"$@\" >>'" + started + "'\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, h := t.Context(), host(t, "UTC", "UTC")
	h.Program, h.Practice, h.Local, h.Now = program, time.Local, time.Local, time.Now()
	if !(Cron{}).Runs() {
		t.Error("cron runs, and is not seen")
	}
	if lines, err := (Cron{}).List(ctx, h); err != nil || len(lines) > 0 {
		t.Fatalf("at first: %q, %v", lines, err)
	}
	if lines, err := (Cron{}).Install(ctx, h, []Job{job("nightly", Times{Cron: "* * * * *"})}); err != nil || len(lines) != 2 {
		t.Fatalf("%q, %v", lines, err)
	}
	if lines, err := (Cron{}).List(ctx, h); err != nil || len(lines) != 2 {
		t.Errorf("installed: %q, %v", lines, err)
	}
	const want = "--config /etc/chartkeep/100% own.toml run nightly --quiet\n"
	for deadline := time.Now().Add(130 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		text, _ := os.ReadFile(started)
		if strings.Contains(string(text), want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("cron started %q", text)
		}
	}
	if lines, err := (Cron{}).Remove(ctx, h); err != nil || len(lines) != 2 {
		t.Errorf("removed %q, %v", lines, err)
	}
	if lines, err := (Cron{}).List(ctx, h); err != nil || len(lines) > 0 {
		t.Errorf("at the end: %q, %v", lines, err)
	}
}
