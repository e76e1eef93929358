package schedule

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// booted runs this test binary's own test under a systemd that is the first
// process of namespaces of its own. It sees no unit of the machine's, only empty
// targets and the one that runs the test; the machine's folders are read-only
// but for $2, and so is /proc/sys. Nothing outside changes. Where the kernel's
// control groups are of the first version, systemd needs its own hierarchy.
const booted = `
self=$1 dir=$2
mount -t tmpfs none /run
mkdir -p /run/systemd/system
mount -t tmpfs none /etc/systemd/system
mount -t tmpfs none /usr/lib/systemd/system
mount -t tmpfs none /var/lib/systemd
for folder in /usr/lib/systemd/system-generators /usr/local/lib/systemd /etc/systemd/system-generators /etc/init.d; do
	[ ! -d $folder ] || mount -t tmpfs none $folder
done
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount --bind "$dir" "$dir"
mount -o remount,bind,ro /
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
	mount -t tmpfs none /sys/fs/cgroup
	mkdir /sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd,xattr none /sys/fs/cgroup/systemd
else
	mount -t cgroup2 none /sys/fs/cgroup
fi
cd /usr/lib/systemd/system
for target in sysinit basic timers shutdown network-online local-fs time-set time-sync; do
	printf '[Unit]\nDefaultDependencies=no\n' >$target.target
done
cat >test.service <<EOF
[Unit]
DefaultDependencies=no
Requires=timers.target
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
Environment=CHARTKEEP_TEST_SYSTEMD=inside TMPDIR=$dir
StandardOutput=file:$dir/output
StandardError=inherit
ExecStart=$self -test.run ^TestSystemdRunsWhatIsInstalled\$\$ -test.v
EOF
exec env -i container=other PATH=/usr/bin:/bin:/usr/sbin:/sbin /lib/systemd/systemd --system --unit=test.service --log-target=console --log-level=warning --show-status=false
`

func TestSystemdRunsWhatIsInstalled(t *testing.T) {
	if os.Getenv("CHARTKEEP_TEST_SYSTEMD") == "inside" {
		insideSystemd(t)
		return
	}
	if testing.Short() {
		t.Skip("the timer goes off once a minute")
	}
	self := withNamespaces(t, "systemctl", "systemd")
	dir := t.TempDir()
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--cgroup", "--ipc", "--uts", "sh", "-ec", booted, "sh", self, dir)
	said, err := cmd.CombinedOutput()
	out, _ := os.ReadFile(filepath.Join(dir, "output"))
	if err != nil || !strings.Contains(string(out), "--- PASS: TestSystemdRunsWhatIsInstalled") {
		t.Errorf("%v\n%s\n%s", err, said, out)
	}
}

// insideSystemd installs a job, and waits for its timer to start it; then takes
// it away.
func insideSystemd(t *testing.T) {
	dir := t.TempDir()
	program, started := filepath.Join(dir, "a program"), filepath.Join(dir, "started")
	script := "#!/bin/sh\necho \"$@\" >>'" + started + "'\nexit 4\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, h := t.Context(), host(t, "UTC", "UTC")
	h.Program, h.Practice, h.Local, h.Now = program, time.UTC, time.UTC, time.Now()
	found, err := Find(ctx)
	s, ok := found.(Systemd)
	if err != nil || !ok || s.User || s.Dir != systemUnits {
		t.Fatalf("found %+v, %v", found, err)
	}
	if lines, err := s.Install(ctx, h, []Job{job("nightly", Times{Cron: "* * * * *"}), job("later", Times{At: clocks("19:30")})}); err != nil || len(lines) != 4 {
		t.Fatalf("%q, %v", lines, err)
	}
	lines, err := s.List(ctx, h)
	if err != nil || len(lines) != 2 || !strings.Contains(lines[0], "19:30:00 UTC") {
		t.Errorf("installed: %q, %v", lines, err)
	}
	const want = "--config /etc/chartkeep/100% own.toml run nightly\n"
	for deadline := time.Now().Add(130 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		text, _ := os.ReadFile(started)
		if string(text) == want {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("systemd started %q", text)
		}
	}
	// That a drive is away is no failure of the service.
	if out, err := s.systemctl(ctx, "show", "chartkeep-run-nightly.service", "--property=Result", "--value"); err != nil || strings.TrimSpace(out) != "success" {
		t.Errorf("%q, %v", out, err)
	}
	if lines, err := s.Remove(ctx, h); err != nil || len(lines) != 4 {
		t.Errorf("removed %q, %v", lines, err)
	}
	if out, err := s.systemctl(ctx, "list-timers", "--all", "--no-legend"); err != nil || strings.Contains(out, "chartkeep") {
		t.Errorf("timers that are left: %q, %v", out, err)
	}
	if lines, err := s.List(ctx, h); err != nil || len(lines) > 0 {
		t.Errorf("at the end: %q, %v", lines, err)
	}
}
