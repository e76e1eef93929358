package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
)

// An SMTP is the server that takes mail.
type SMTP struct {
	Server   string // host or host:port; empty: this computer's own, always without TLS
	Security Security
	User     string // empty: no login
	Password string
	From     string // empty: chartkeep@ and Settings.Host
}

// Security is how the connection to the server is protected.
type Security string

const (
	StartTLS Security = "starttls" // the default: TLS or nothing is sent; port 587
	TLS      Security = "tls"      // from the first byte; port 465
	Plain    Security = "none"     // to this computer only; port 25
)

// A mailer sends mail to one person, so that one wrong address keeps nothing
// from the others.
type mailer struct {
	server SMTP
	host   string
	port   int
	helo   string
	to     string
	roots  *x509.CertPool
}

func newMailer(s Settings, to string) (*mailer, error) {
	m := &mailer{server: s.SMTP, to: to, helo: orElse(s.Host, "localhost"), roots: s.Roots}
	m.server.From = orElse(m.server.From, "chartkeep@"+m.helo)
	if err := m.locate(); err != nil {
		return nil, err
	}
	_, err := m.message(Notice{})
	return m, err
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// ports are those of each kind of security.
var ports = map[Security]int{StartTLS: 587, TLS: 465, Plain: 25}

// locate works out where the server is.
func (m *mailer) locate() error {
	s := &m.server
	if s.Server == "" {
		s.Server, s.Security = "localhost", Plain
	}
	s.Security = Security(orElse(string(s.Security), string(StartTLS)))
	port, known := ports[s.Security]
	if !known {
		return fmt.Errorf("a connection is protected by starttls, tls or none, not %q", s.Security)
	}
	m.host, m.port = s.Server, port
	if host, number, err := net.SplitHostPort(s.Server); err == nil {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is no port", number)
		}
		m.host, m.port = host, int(n)
	}
	if s.Security == Plain && !loopback(m.host) {
		return fmt.Errorf("mail goes to %s only over TLS; without it, to this computer alone", m.host)
	}
	return nil
}

// loopback reports whether a host is this computer.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (m *mailer) name() string { return "mail to " + m.to }

// send delivers one message. When it was taken, what goes wrong after that
// (the farewell) is no failure: the message must not be sent twice.
func (m *mailer) send(ctx context.Context, n Notice) error {
	msg, err := m.message(n)
	if err != nil {
		return final{err}
	}
	client, err := mail.NewClient(m.host, m.options(patience(ctx))...)
	if err != nil {
		return final{err}
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	return m.explain(err)
}

func (m *mailer) options(timeout time.Duration) []mail.Option {
	options := []mail.Option{
		mail.WithPort(m.port), mail.WithHELO(m.helo), mail.WithTLSConfig(m.tls()),
		mail.WithTimeout(timeout),
	}
	switch m.server.Security {
	case StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case TLS:
		options = append(options, mail.WithSSL())
	default:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.server.User != "" {
		options = append(options, mail.WithUsername(m.server.User), mail.WithPassword(m.server.Password),
			mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover))
	}
	return options
}

func (m *mailer) tls() *tls.Config {
	return &tls.Config{ServerName: m.host, RootCAs: m.roots, MinVersion: tls.VersionTLS12}
}

// patience is how long the library may wait. It sets a deadline when it connects
// and another when it sends, and minds the context only until the connection
// stands: so it gets half of the time that is left.
func patience(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return defaultLimit
	}
	return max(time.Until(deadline)/2, time.Millisecond) // the library knows no less than none
}

// explain says which server did not take a message, and whether another attempt
// may help: not with a wrong certificate or password, or an unknown recipient.
func (m *mailer) explain(err error) error {
	err = fmt.Errorf("%s:%d: %w", m.host, m.port, err)
	var certificate *tls.CertificateVerificationError
	var reply *textproto.Error
	var refused *mail.SendError
	switch {
	case errors.As(err, &certificate),
		errors.As(err, &reply) && reply.Code >= 500,
		errors.As(err, &refused) && refused.ErrorCode() >= 500:
		return final{err}
	}
	return err
}

// message is a notice as mail. Its ID is the same at every attempt.
func (m *mailer) message(n Notice) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.From(m.server.From); err != nil {
		return nil, fmt.Errorf("sender %q: %w", m.server.From, err)
	}
	if err := msg.To(m.to); err != nil {
		return nil, fmt.Errorf("recipient %q: %w", m.to, err)
	}
	msg.Subject(oneLine(n.Subject))
	msg.SetDateWithValue(n.Time)
	msg.SetMessageIDWithValue(n.id(m.to) + "@" + m.helo)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no replies by machines
	msg.SetGenHeader("X-Chartkeep-Result", string(n.Result))
	msg.SetGenHeader("X-Chartkeep-Plan", oneLine(n.Plan))
	msg.SetGenHeader("X-Chartkeep-Host", oneLine(n.Host))
	msg.SetBodyString(mail.TypeTextPlain, n.Text())
	return msg, nil
}
