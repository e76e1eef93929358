package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"
)

// An address says how a server is reached: a URL or a keyword string, as libpq
// and pgx both read it, but without the password, which must not become a
// program's argument.
type address struct {
	info     string
	password []byte // nil: service file, .pgpass, environment, or none
}

// newAddress takes the password out of a connection string. given, if not nil,
// is asked for one in its place.
func newAddress(info string, given func() ([]byte, error)) (address, error) {
	a := address{info: info}
	var err error
	if isURL(info) {
		err = a.cleanURL()
	} else {
		err = a.cleanKeywords()
	}
	if err == nil && given != nil {
		if a.password, err = given(); err != nil {
			return address{}, fmt.Errorf("password of the database: %w", err)
		}
	}
	if err != nil {
		return address{}, err
	}
	_, err = pgx.ParseConfig(a.info)
	return a, err
}

func isURL(info string) bool {
	return strings.HasPrefix(info, "postgres://") || strings.HasPrefix(info, "postgresql://")
}

// errKeyPassword says that a connection string has a secret that no program of
// PostgreSQL takes in another way than as an argument.
var errKeyPassword = errors.New("sslpassword cannot be used: everybody on this computer could read it; use a key file without a password")

// A connURL is a URL in parts that are kept as they were written: the
// authority of a URL with several hosts is not one that net/url would parse.
type connURL struct {
	scheme, authority, database string
	params                      []string
}

func splitURL(info string) connURL {
	var u connURL
	var rest, query string
	u.scheme, rest, _ = strings.Cut(info, "://")
	rest, query, _ = strings.Cut(rest, "?")
	u.authority, u.database, _ = strings.Cut(rest, "/")
	if query != "" {
		u.params = strings.Split(query, "&")
	}
	return u
}

func (u connURL) String() string {
	s := u.scheme + "://" + u.authority + "/" + u.database
	if len(u.params) > 0 {
		s += "?" + strings.Join(u.params, "&")
	}
	return s
}

// without drops a parameter and returns its value.
func (u *connURL) without(name string) (value string, found bool, err error) {
	u.params = slices.DeleteFunc(slices.Clone(u.params), func(p string) bool {
		k, v, _ := strings.Cut(p, "=")
		if k != name {
			return false
		}
		found = true
		value, err = url.QueryUnescape(v)
		return true
	})
	return value, found, err
}

func (a *address) cleanURL() error {
	u := splitURL(a.info)
	if _, found, _ := u.without("sslpassword"); found {
		return errKeyPassword
	}
	if at := strings.LastIndexByte(u.authority, '@'); at >= 0 {
		user, secret, found := strings.Cut(u.authority[:at], ":")
		u.authority = user + u.authority[at:]
		if found {
			plain, err := url.PathUnescape(secret)
			if err != nil {
				return errors.New("the password in the database's URL is not well escaped")
			}
			a.password = []byte(plain)
		}
	}
	secret, found, err := u.without("password")
	if err != nil {
		return errors.New("the password in the database's URL is not well escaped")
	}
	if found {
		a.password = []byte(secret)
	}
	a.info = u.String()
	return nil
}

func (a *address) cleanKeywords() error {
	all, err := keywords(a.info)
	if err != nil {
		return err
	}
	var kept []string
	for _, kv := range all {
		switch kv[0] {
		case "password":
			a.password = []byte(kv[1])
		case "sslpassword":
			return errKeyPassword
		default:
			kept = append(kept, kv[0]+"="+quoteKeyword(kv[1]))
		}
	}
	a.info = strings.Join(kept, " ")
	return nil
}

func quoteKeyword(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

// keywords parses "host=/run dbname = 'a b'".
func keywords(s string) (all [][2]string, err error) {
	bad := errors.New(`a database's address is a URL (postgres://user@host/name) or words like "host=… dbname=…"`)
	for {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		if s == "" {
			return all, nil
		}
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			return nil, bad
		}
		value, rest, ok := keywordValue(strings.TrimLeftFunc(rest, unicode.IsSpace))
		if !ok {
			return nil, bad
		}
		all = append(all, [2]string{strings.TrimSpace(key), value})
		s = rest
	}
}

// keywordValue takes a value, in quotes or up to a space, off the front of s.
func keywordValue(s string) (value, rest string, ok bool) {
	quoted := strings.HasPrefix(s, "'")
	if quoted {
		s = s[1:]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case quoted && c == '\'':
			return b.String(), s[i+1:], true
		case !quoted && unicode.IsSpace(rune(c)):
			return b.String(), s[i:], true
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", !quoted
}

// of is the address of another database of the server; "" is the one it names.
func (a address) of(database string) string {
	switch {
	case database == "":
		return a.info
	case !isURL(a.info):
		return a.info + " dbname=" + quoteKeyword(database)
	}
	u := splitURL(a.info)
	_, _, _ = u.without("dbname")
	u.database = url.PathEscape(database)
	return u.String()
}

// named is of, for a program that is to be known by a name on the server.
func (a address) named(database, program string) string {
	info := a.of(database)
	if !isURL(info) {
		return info + " application_name=" + quoteKeyword(program)
	}
	u := splitURL(info)
	_, _, _ = u.without("application_name")
	u.params = append(u.params, "application_name="+url.PathEscape(program))
	return u.String()
}

// database is the name of the database that the address leads to.
func (a address) database() (string, error) {
	c, err := pgx.ParseConfig(a.info)
	if err != nil {
		return "", err
	}
	if c.Database == "" {
		return c.User, nil
	}
	return c.Database, nil
}
