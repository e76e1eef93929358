package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A monitor is an HTTP server that writes down what it is asked.
type monitor struct {
	*httptest.Server
	mutex  sync.Mutex
	asked  []string // method and address
	bodies []string
	answer func(count int) int // status of the n-th request; nil: 200
}

func newMonitor(t *testing.T, secure bool) *monitor {
	m := &monitor{}
	m.Server = httptest.NewUnstartedServer(http.HandlerFunc(m.serve))
	m.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	if secure {
		m.StartTLS()
	} else {
		m.Start()
	}
	t.Cleanup(m.Close)
	return m
}

func (m *monitor) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mutex.Lock()
	m.asked, m.bodies = append(m.asked, r.Method+" "+r.URL.String()), append(m.bodies, string(body))
	count := len(m.asked)
	m.mutex.Unlock()
	if m.answer != nil {
		w.WriteHeader(m.answer(count))
	}
}

// pinging are settings that ping an address, in a hurry.
func pinging(address string) Settings {
	s := elm()
	s.Healthcheck, s.Limit, s.Pause = address, 5*time.Second, 10*time.Millisecond
	return s
}

func TestAMonitorHearsOfEveryRun(t *testing.T) {
	m := newMonitor(t, false)
	n := mustNew(t, pinging(m.URL+"/ping/3f2a?create=0"))
	ctx, memory := context.Background(), &Memory{}
	run := ran(on(20, 19, 30), Done).Run
	for _, err := range []error{
		n.Started(ctx, run),
		n.Finished(ctx, savedRun(run.Start, Done), memory),
		n.Finished(ctx, ran(run.Start, Failed), memory),
		n.Finished(ctx, ran(run.Start, Absent), memory),
		n.Finished(ctx, ran(run.Start, Skipped), memory),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"GET /ping/3f2a/start?create=0&rid=0b7e", "POST /ping/3f2a?create=0&rid=0b7e", "POST /ping/3f2a/fail?create=0&rid=0b7e",
		"POST /ping/3f2a/log?create=0&rid=0b7e", "POST /ping/3f2a/log?create=0&rid=0b7e",
	}
	if diff := cmp.Diff(want, m.asked); diff != "" {
		t.Error(diff)
	}
	if m.bodies[0] != "" || m.bodies[2] != n.settings.runNotice(ran(run.Start, Failed)).Text() {
		t.Errorf("it was told:\n%s", strings.Join(m.bodies, "\n--\n"))
	}
}

func TestAMonitorOverTLS(t *testing.T) {
	m := newMonitor(t, true)
	s := pinging(m.URL + "/3f2a")
	s.Roots = selfSigned(t).pool
	if err := mustNew(t, s).Started(context.Background(), Run{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("with another's certificate: %v", err)
	}
	s.Roots = m.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if err := mustNew(t, s).Started(context.Background(), Run{}); err != nil {
		t.Error(err)
	}
}

func TestAPingIsTriedAgainWhileItMayHelp(t *testing.T) {
	for _, c := range []struct {
		status int
		asked  int
	}{{503, 3}, {429, 3}, {404, 1}, {400, 1}} {
		m := newMonitor(t, false)
		m.answer = func(int) int { return c.status }
		err := mustNew(t, pinging(m.URL+"/secret-check")).Started(context.Background(), Run{})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(c.status)) || len(m.asked) != c.asked {
			t.Errorf("%d: asked %d times: %v", c.status, len(m.asked), err)
		}
	}
	m := newMonitor(t, false)
	m.answer = func(count int) int { return map[bool]int{true: 502, false: 200}[count < 3] }
	if err := mustNew(t, pinging(m.URL)).Started(context.Background(), Run{}); err != nil || len(m.asked) != 3 {
		t.Errorf("asked %d times: %v", len(m.asked), err)
	}
}

func TestASilentMonitorCostsNoMoreThanTheLimit(t *testing.T) {
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	defer server.Close()
	defer close(end)
	s := pinging(server.URL + "/secret-check")
	s.URLs = []string{"generic+" + server.URL + "/secret-room"}
	s.Limit = 300 * time.Millisecond
	start := time.Now()
	err := mustNew(t, s).Test(context.Background(), Run{})
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if err == nil || strings.Count(err.Error(), "no answer within 300ms") != 2 || strings.Contains(err.Error(), "secret") {
		t.Errorf("a silent server: %v", err)
	}
}

func TestAFailedNoticeSaysWhichChannelFailed(t *testing.T) {
	m := newMonitor(t, false)
	dead := httptest.NewServer(nil)
	dead.Close()
	s := pinging(dead.URL + "/secret-check")
	s.URLs = []string{"generic+" + dead.URL + "/secret-room?@Authorization=secret-token", "generic+" + m.URL + "/room"}
	s.Prometheus = filepath.Join(t.TempDir(), "no", "folder.prom")
	memory := &Memory{}
	err := mustNew(t, s).Finished(context.Background(), ran(on(20, 19, 30), Failed), memory)
	for _, want := range []string{"chat generic: ", "healthcheck: ", "metrics: "} {
		if strings.Count(fmt.Sprint(err), want) != 1 {
			t.Errorf("%q stands not once in %v", want, err)
		}
	}
	if strings.Contains(fmt.Sprint(err), "secret") {
		t.Errorf("the error tells a secret: %v", err)
	}
	if len(m.asked) != 1 || len(memory.Unsent) != 0 || memory.Plans["nightly"].Result != Failed {
		t.Errorf("the working channel was asked %d times, %d notices wait, memory %+v", len(m.asked), len(memory.Unsent), memory)
	}
}

func TestAChatIsToldInWords(t *testing.T) {
	m := newMonitor(t, false)
	s := pinging("")
	s.URLs = []string{"generic+" + m.URL + "/room?template=json&messagekey=text&$chat_id=17"}
	o := ran(on(20, 19, 30), Failed)
	if err := mustNew(t, s).Finished(context.Background(), o, &Memory{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"nightly backup failed", "Nothing was saved.", `"chat_id":"17"`, `"text":`} {
		if !strings.Contains(m.bodies[0], want) {
			t.Errorf("%q is missing in %s", want, m.bodies[0])
		}
	}
}

func TestTelegramIsReachedByItsPlainInterface(t *testing.T) {
	got := expand("telegram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw@telegram?chats=@elm,-1001:7")
	want := []string{
		"generic://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage?%24chat_id=%40elm&messagekey=text&template=json",
		"generic://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage?%24chat_id=-1001&%24message_thread_id=7&messagekey=text&template=json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := newChat(got[0]); err != nil {
		t.Error(err)
	}
}

func TestWrongAddressesAreRefusedWithoutSayingThem(t *testing.T) {
	for _, address := range []string{
		"nosuch://secret-token@room", "discord://secret-token@", "slack://secret token@%zz", "logger://secret", "smtp://me:secret@host/?from=a@b.c&to=d@e.f", "secret",
	} {
		s := elm()
		s.URLs = []string{address}
		if _, err := New(s); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"secret", "ftp://secret", "https:///secret", "https://secret:%zz"} {
		if _, err := New(pinging(address)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAnErrorHoldsNoPartOfAnAddress(t *testing.T) {
	c, err := newChat("slack://hook:AAAAAAAAA-BBBBBBBBB-123456789123456789123456@webhook")
	if err != nil {
		t.Fatal(err)
	}
	const address = "https://hooks.slack.com/services/AAAAAAAAA/BBBBBBBBB/123456789123456789123456"
	for _, err := range []error{
		fmt.Errorf("invoke: %w", &url.Error{Op: "Post", URL: address, Err: errors.New("connection refused")}),
		fmt.Errorf("invoke: Post %q: connection refused", address),
		errors.New("connection refused: no token AAAAAAAAA-BBBBBBBBB-123456789123456789123456"),
	} {
		got := c.clean(err).Error()
		if strings.Contains(got, "AAA") || strings.Contains(got, "123456789") || !strings.Contains(got, "connection refused") {
			t.Errorf("%v becomes %s", err, got)
		}
	}
}

func TestMetricsAreReadByPrometheus(t *testing.T) {
	s := elm()
	s.Prometheus = filepath.Join(t.TempDir(), "chartkeep.prom")
	n, m := mustNew(t, s), &Memory{}
	ctx := context.Background()
	o := savedRun(on(20, 19, 30), Incomplete)
	o.Plan = `quo"te\d`
	unknown := Copy{Plan: o.Plan, Destination: "blue", Size: -1, Free: -1}
	o.Copies = []Copy{seen("red", on(20, 19, 42)), unknown}
	if err := n.Finished(ctx, o, m); err != nil {
		t.Fatal(err)
	}
	if err := n.Finished(ctx, savedRun(on(20, 20, 30), Done), m); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(s.Prometheus)
	if err != nil || info.Mode().Perm()&0o444 != 0o444 {
		t.Errorf("the file cannot be read by all: %v, %v", info.Mode(), err)
	}
	got := exposed(t, s.Prometheus)
	ended := float64(on(20, 19, 42).Unix() + 7)
	for series, want := range map[string]float64{
		`chartkeep_last_run_timestamp_seconds{host="server1",plan="quo\"te\\d"}`:        ended,
		`chartkeep_last_run_result{host="server1",plan="quo\"te\\d"}`:                   2,
		`chartkeep_last_run_duration_seconds{host="server1",plan="quo\"te\\d"}`:         727,
		`chartkeep_last_run_added_bytes{host="server1",plan="quo\"te\\d"}`:              81e6,
		`chartkeep_last_success_timestamp_seconds{host="server1",plan="nightly"}`:       ended + 3600,
		`chartkeep_last_run_result{host="server1",plan="nightly"}`:                      0,
		`chartkeep_overdue{host="server1",plan="nightly"}`:                              0,
		`chartkeep_repository_bytes{destination="red",plan="nightly"}`:                  41e9,
		`chartkeep_free_bytes{destination="red",plan="nightly"}`:                        212e9,
		`chartkeep_oldest_verified_timestamp_seconds{destination="red",plan="nightly"}`: float64(on(9, 20, 0).Unix()),
		`chartkeep_last_drill_timestamp_seconds{destination="red",plan="nightly"}`:      float64(on(2, 21, 30).Unix()),
	} {
		if value, ok := got[series]; !ok || value != want {
			t.Errorf("%s is %v, %v; not %v", series, value, ok, want)
		}
	}
	for _, series := range []string{
		`chartkeep_last_success_timestamp_seconds{host="server1",plan="quo\"te\\d"}`,
		`chartkeep_repository_bytes{destination="blue",plan="quo\"te\\d"}`,
		`chartkeep_last_drill_timestamp_seconds{destination="blue",plan="quo\"te\\d"}`,
	} {
		if value, ok := got[series]; ok {
			t.Errorf("%s is %v; it should not be there", series, value)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(filepath.Dir(s.Prometheus), "*")); len(files) != 1 {
		t.Errorf("files: %v", files)
	}

	m.Copies = nil
	if err := n.Watch(ctx, state(seen("red", on(10, 19, 42))), m, on(20, 12, 0)); err != nil {
		t.Fatal(err)
	}
	got = exposed(t, s.Prometheus)
	if got[`chartkeep_overdue{host="server1",plan="nightly"}`] != 1 || got[`chartkeep_copy_overdue{destination="red",plan="nightly"}`] != 1 {
		t.Errorf("what is overdue is not shown: %v", got)
	}
}

// exposed reads a file as Prometheus does.
func exposed(t *testing.T, path string) map[string]float64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for name, family := range families {
		if family.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
		for _, metric := range family.GetMetric() {
			set := model.Metric{"__name__": model.LabelValue(name)}
			for _, l := range metric.GetLabel() {
				set[model.LabelName(l.GetName())] = model.LabelValue(l.GetValue())
			}
			values[strings.ReplaceAll(set.String(), `", `, `",`)] = metric.GetGauge().GetValue()
		}
	}
	return values
}
