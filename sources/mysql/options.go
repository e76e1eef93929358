package mysql

import (
	"crypto/tls"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// Options say what is read. The zero value of all but Name and URL means the
// default.
type Options struct {
	Name string // of the source: the folder its entries lie in

	// URL is mysql://user@host:port/database, or mysql://user@/database with
	// socket=/path, and perhaps tls=true, skip-verify, preferred or false (the
	// default).
	URL       string
	Password  func() ([]byte, error) // nil: the one in URL, or none
	Databases []string               // none: the one that URL names
	All       bool                   // all databases but the server's own

	Workers int // connections that read rows; 0: 2

	// LockTimeout is how long one try to begin waits for one lock, and so how
	// long writers may have to wait behind it; 0: 2 s. Tries are repeated.
	LockTimeout time.Duration

	Programs string       // folder of mariadb-dump or mysqldump; empty: they are sought
	Log      func(string) // told what is worth knowing and no error; nil: nobody
}

const (
	defaultWorkers     = 2
	defaultLockTimeout = 2 * time.Second
	dialTimeout        = 20 * time.Second
	largestPacket      = 1 << 30 // bytes, the protocol's own limit
)

// plainName is what a source may be called.
var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// names are the databases that are meant; nil stands for all.
func (o Options) names(l login) ([]string, error) {
	switch {
	case o.All && len(o.Databases) > 0:
		return nil, errors.New("all databases and named ones exclude each other")
	case o.All:
		return nil, nil
	case len(o.Databases) > 0:
		return o.Databases, nil
	case l.database == "":
		return nil, errors.New("no database is named")
	}
	return []string{l.database}, nil
}

// A login is how a server is reached.
type login struct {
	user, password string
	host, port     string
	socket         string // "": TCP
	tls            string
	database       string
}

// parseURL reads a URL. Its errors do not repeat it, since it may hold a
// password.
func parseURL(text string, password func() ([]byte, error)) (login, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" {
		return login{}, errors.New("the address of a MySQL server is mysql://user@host:port/database or mysql://user@/database?socket=/path")
	}
	l := login{user: u.User.Username(), host: u.Hostname(), port: u.Port(), database: strings.TrimPrefix(u.Path, "/")}
	l.password, _ = u.User.Password()
	if password != nil {
		p, err := password()
		if err != nil {
			return login{}, fmt.Errorf("the password of the MySQL server: %w", err)
		}
		l.password = string(p)
	}
	for key, values := range u.Query() {
		switch key {
		case "socket":
			l.socket = values[0]
		case "tls":
			l.tls = values[0]
		default:
			return login{}, fmt.Errorf("the address of a MySQL server has no %q", key)
		}
	}
	if l.socket != "" && l.host != "" && l.host != "localhost" {
		return login{}, errors.New("a MySQL server is reached by its host or by its socket, not both")
	}
	if l.host == "" {
		l.host = "localhost"
	}
	if l.port == "" {
		l.port = "3306"
	}
	return l, nil
}

// where names the server for messages.
func (l login) where() string {
	if l.socket != "" {
		return l.socket
	}
	return net.JoinHostPort(l.host, l.port)
}

// connector makes connections.
func (l login) connector() (sqldriver.Connector, error) {
	c := driver.NewConfig()
	c.User, c.Passwd = l.user, l.password
	c.Net, c.Addr = "tcp", net.JoinHostPort(l.host, l.port)
	if l.socket != "" {
		c.Net, c.Addr = "unix", l.socket
	}
	c.Timeout, c.MaxAllowedPacket = dialTimeout, largestPacket
	c.Logger = silent{}
	switch l.tls {
	case "", "false":
	case "true":
		c.TLS = &tls.Config{ServerName: l.host, MinVersion: tls.VersionTLS12}
	case "skip-verify", "preferred":
		c.TLSConfig = l.tls
	default:
		return nil, errors.New("tls is true, skip-verify, preferred or false")
	}
	return driver.NewConnector(c)
}

// silent keeps the driver from printing: its errors are returned too.
type silent struct{}

func (silent) Print(...any) {}
