//go:build unix

package notify

import (
	"bufio"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// mailTo are settings that send over a server, in a hurry.
func mailTo(e *exim, people ...string) Settings {
	s := elm()
	for _, p := range people {
		s.Email = append(s.Email, p+"@elm.example")
	}
	s.SMTP = SMTP{Server: e.server(), User: mailUser, Password: mailPassword}
	s.Roots = e.cert.pool
	s.Limit, s.Pause = 10*time.Second, 10*time.Millisecond
	return s
}

func readLetter(t *testing.T, path string) letter {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	message, err := mail.ReadMessage(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	body := message.Body
	if message.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return letter{message.Header, strings.ReplaceAll(string(text), "\r\n", "\n")}
}

func (l letter) subject() string {
	text, _ := new(mime.WordDecoder).DecodeHeader(l.Get("Subject"))
	return text
}

func TestMailArrivesOverStartTLSWithALogin(t *testing.T) {
	e := startExim(t, false)
	n := mustNew(t, mailTo(e, "manager", "provider"))
	o := ran(on(20, 19, 30), Failed)
	o.Practice, o.Error = "Zahnärzte an der Elm Street", "drive “red”: no space left"
	if err := n.Finished(context.Background(), o, &Memory{}); err != nil {
		t.Fatal(err)
	}
	want := n.settings.runNotice(o)
	var ids []string
	for _, box := range []string{"manager", "provider"} {
		l := e.letters(t, box, 1)[0]
		for header, value := range map[string]string{
			"X-Chartkeep-Result": "failed", "X-Chartkeep-Plan": "nightly", "X-Chartkeep-Host": "server1",
			"Auto-Submitted": "auto-generated", "From": "<chartkeep@server1>", "To": "<" + box + "@elm.example>",
			"Content-Type": "text/plain; charset=UTF-8",
		} {
			if got := l.Get(header); got != value {
				t.Errorf("%s: %q, not %q", header, got, value)
			}
		}
		if l.subject() != want.Subject || strings.TrimSpace(l.text) != strings.TrimSpace(want.Text()) {
			t.Errorf("%s got %q:\n%s", box, l.subject(), l.text)
		}
		if date, err := l.Date(); err != nil || !date.Equal(o.end()) {
			t.Errorf("it is dated %v, %v", date, err)
		}
		ids = append(ids, l.Get("Message-ID"))
	}
	if ids[0] == ids[1] || !strings.HasSuffix(ids[0], "@server1>") {
		t.Errorf("the messages are called %q", ids)
	}
	if log := e.log(); !strings.Contains(log, "A=plain:backup") || !strings.Contains(log, "TLS1.") {
		t.Errorf("the server saw no login over TLS: %s", log)
	}
}

func TestMailArrivesOverTLSFromTheFirstByte(t *testing.T) {
	e := startExim(t, false)
	s := mailTo(e, "manager")
	s.SMTP.Server, s.SMTP.Security = fmt.Sprintf("127.0.0.1:%d", e.tlsPort), TLS
	if err := mustNew(t, s).Test(context.Background(), ran(on(20, 19, 30), Done).Run); err != nil {
		t.Fatal(err)
	}
	e.letters(t, "manager", 1)
}

func TestMailWithoutTLSGoesToThisComputerOnly(t *testing.T) {
	e := startExim(t, true)
	s := mailTo(e, "manager")
	s.SMTP.User, s.SMTP.Security = "", Plain
	if err := mustNew(t, s).Test(context.Background(), ran(on(20, 19, 30), Done).Run); err != nil {
		t.Fatal(err)
	}
	e.letters(t, "manager", 1)

	s.SMTP.Server = "mail.elm.example:25"
	if _, err := New(s); err == nil {
		t.Error("mail may go over the network without TLS")
	}
}

func TestNothingIsSentToAServerWithoutTLS(t *testing.T) {
	e := startExim(t, true)
	err := mustNew(t, mailTo(e, "manager")).Test(context.Background(), ran(on(20, 19, 30), Done).Run)
	if err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("a server without STARTTLS: %v", err)
	}
	if strings.Contains(e.log(), "<=") {
		t.Errorf("it took a message: %s", e.log())
	}
}

func TestAWrongCertificateIsRefused(t *testing.T) {
	e := startExim(t, false)
	for name, pool := range map[string]*x509.CertPool{"another's": selfSigned(t).pool, "the system's": nil} {
		s := mailTo(e, "manager")
		s.Roots = pool
		err := mustNew(t, s).Test(context.Background(), ran(on(20, 19, 30), Done).Run)
		if err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("with %s roots: %v", name, err)
		}
	}
}

func TestAWrongPasswordIsTriedOnceAndNotSaid(t *testing.T) {
	e := startExim(t, false)
	s := mailTo(e, "manager")
	s.SMTP.Password = "battery staple"
	err := mustNew(t, s).Test(context.Background(), ran(on(20, 19, 30), Done).Run)
	if err == nil || !strings.Contains(err.Error(), "535") || !strings.Contains(err.Error(), e.server()) {
		t.Errorf("a wrong password: %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "staple") {
		t.Errorf("the error tells the password: %v", err)
	}
	if tries := strings.Count(e.log(), "plain authenticator failed"); tries != 2 { // in two logs
		t.Errorf("the server logged %d tries: %s", tries, e.log())
	}
}

func TestOneWrongRecipientKeepsNothingFromTheOthers(t *testing.T) {
	e := startExim(t, false)
	m := &Memory{}
	err := mustNew(t, mailTo(e, "nobody", "manager")).Finished(context.Background(), ran(on(20, 19, 30), Failed), m)
	if err == nil || !strings.Contains(err.Error(), "mail to nobody@elm.example") || strings.Contains(err.Error(), "manager") {
		t.Errorf("one wrong recipient: %v", err)
	}
	e.letters(t, "manager", 1)
	if len(m.Unsent) != 0 {
		t.Errorf("what one person got is kept for later: %v", subjects(m.Unsent))
	}
}

// dropping forwards connections to a server, but ends the first few at once.
func dropping(t *testing.T, server string, first int32) (address string, seen *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	seen = new(atomic.Int32)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if seen.Add(1) <= first {
				conn.Close()
				continue
			}
			go forward(conn, server)
		}
	}()
	return l.Addr().String(), seen
}

func forward(conn net.Conn, server string) {
	defer conn.Close()
	to, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer to.Close()
	go func() { _, _ = io.Copy(to, conn) }()
	_, _ = io.Copy(conn, to)
}

func TestMailIsTriedAgain(t *testing.T) {
	e := startExim(t, false)
	address, seen := dropping(t, e.server(), 2)
	s := mailTo(e, "manager")
	s.SMTP.Server = address
	if err := mustNew(t, s).Test(context.Background(), ran(on(20, 19, 30), Done).Run); err != nil {
		t.Error(err)
	}
	if seen.Load() != 3 {
		t.Errorf("%d connections", seen.Load())
	}
	e.letters(t, "manager", 1)
}

func TestASilentServerCostsNoMoreThanTheLimit(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // connections are made, and nobody speaks
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := elm()
	s.Email, s.SMTP = []string{"manager@elm.example"}, SMTP{Server: l.Addr().String()}
	s.Limit = 300 * time.Millisecond
	start := time.Now()
	err = mustNew(t, s).Test(context.Background(), Run{Start: start})
	if err == nil || !strings.Contains(err.Error(), "i/o timeout") {
		t.Errorf("a silent server: %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestWhatReachedNobodyIsSentTheNextTime(t *testing.T) {
	e := startExim(t, false)
	ctx, m := context.Background(), &Memory{}
	down := mailTo(e, "manager", "provider")
	down.SMTP.Server = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	if err := mustNew(t, down).Finished(ctx, ran(on(19, 19, 30), Failed), m); err == nil {
		t.Fatal("nothing was said of a server that is not there")
	}
	m = stored(t, m)
	up := mustNew(t, mailTo(e, "manager", "provider"))
	if err := up.Finished(ctx, savedRun(on(20, 19, 30), Done), m); err != nil {
		t.Fatal(err)
	}
	letters := e.letters(t, "manager", 2)
	late, recovered := letters[0], letters[1]
	if late.Get("X-Chartkeep-Result") == "recovered" {
		late, recovered = recovered, late
	}
	if late.Get("X-Chartkeep-Result") != "failed" || !strings.Contains(late.text, "could not\nbe sent then") {
		t.Errorf("the late message: %v\n%s", late.Header, late.text)
	}
	if recovered.Get("X-Chartkeep-Result") != "recovered" || len(m.Unsent) != 0 {
		t.Errorf("then comes %v, and %d wait", recovered.Header, len(m.Unsent))
	}
}

func TestWrongMailSettingsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"recipient": func(s *Settings) { s.Email = []string{"manager"} },
		"sender":    func(s *Settings) { s.SMTP.From = "a@b@c" },
		"security":  func(s *Settings) { s.SMTP.Security = "ssl3" },
		"port":      func(s *Settings) { s.SMTP.Server = "mail.elm.example:smtp" },
		"plain":     func(s *Settings) { s.SMTP.Security = Plain },
	} {
		s := elm()
		s.Email, s.SMTP = []string{"manager@elm.example"}, SMTP{Server: "mail.elm.example"}
		if _, err := New(s); err != nil {
			t.Fatal(err)
		}
		change(&s)
		if _, err := New(s); err == nil || !strings.HasPrefix(err.Error(), "mail: ") {
			t.Errorf("a wrong %s: %v", name, err)
		}
	}
}

func TestAHeadHoldsNoSecondLine(t *testing.T) {
	e := startExim(t, false)
	o := ran(on(20, 19, 30), Failed)
	o.Practice, o.Plan, o.Host = "Elm\r\nBcc: thief@example.org", "nightly\nX-A: b", "server1\r\n\r\nHello"
	if err := mustNew(t, mailTo(e, "manager")).Finished(context.Background(), o, &Memory{}); err != nil {
		t.Fatal(err)
	}
	l := e.letters(t, "manager", 1)[0]
	if l.Get("Bcc") != "" || l.Get("X-A") != "" || l.Get("X-Chartkeep-Host") != "server1 Hello" {
		t.Errorf("a second line came into the head: %v", l.Header)
	}
}
