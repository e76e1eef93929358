package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode"

	"chartkeep/cmd/internal/secret"
	"chartkeep/gc"
)

// nameRule is how sources, plans and destinations may be called.
var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func (r *reader) checkName(t *table, name string) {
	if !nameRule.MatchString(name) {
		r.problem(t.place, "a name is small letters, digits, - and _, and begins with a letter or digit")
	}
}

func parseZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errors.New("want a time zone such as America/Chicago")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q; they are named like America/Chicago", name)
	}
	return zone, nil
}

func parseHolidays(code string) (string, error) {
	_, err := gc.Holidays(code)
	return code, err
}

// parseClock reads a time of day. TOML's own times have seconds.
func parseClock(text string) (time.Duration, error) {
	return gc.ParseClock(strings.TrimSuffix(text, ":00:00"))
}

func parseWeekday(text string) (time.Weekday, error) {
	word := strings.ToLower(text)
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); word == name || word == name[:3] {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%q is no day of the week: want mon, tue, wed, thu, fri, sat or sun", text)
}

// parsePercent reads a share such as 5% or 2.5%.
func parsePercent(text string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !strings.HasSuffix(text, "%") || !(n >= 0 && n <= 100) {
		return 0, fmt.Errorf("%q is no share: want one such as 5%%", text)
	}
	return n, nil
}

func parseAddress(text string) (string, error) {
	if _, err := mail.ParseAddress(text); err != nil {
		return "", fmt.Errorf("%q is no mail address", text)
	}
	return text, nil
}

func parseHostPort(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	n, bad := strconv.Atoi(port)
	if err != nil || bad != nil || host == "" || n < 1 || n > 65535 {
		return "", fmt.Errorf("%q is no server: want host:port, such as mail.example:587", text)
	}
	return text, nil
}

func checkTag(tag string) error {
	if tag == "" || strings.ContainsFunc(tag, func(r rune) bool { return r == ',' || unicode.IsControl(r) }) {
		return errors.New("a tag is not empty, and has no comma in it")
	}
	return nil
}

func parseTag(tag string) (string, error) { return tag, checkTag(tag) }

// path reads an absolute path; the empty one is none.
func (t *table) path(key string, to *string) {
	var text string
	if !t.text(key, &text) || text == "" {
		return
	}
	if clean, ok := t.cleanPath(t.at(key), text); ok {
		*to = clean
	}
}

// cleanPath checks a path of this computer. A configuration for Windows can be
// checked elsewhere.
func (t *table) cleanPath(place, text string) (string, bool) {
	if filepath.IsAbs(text) {
		return filepath.Clean(text), true
	}
	if runtime.GOOS != "windows" && drivePath.MatchString(text) {
		return text, true
	}
	t.problem(place, "%q is not an absolute path", text)
	return "", false
}

var drivePath = regexp.MustCompile(`^[A-Za-z]:[/\\]`)

// serviceURLs reads the addresses of chat services. Most hold a token.
func (r *reader) serviceURLs(t *table, n *Notify) {
	places, found := t.texts("urls")
	for i, text := range found {
		if secret.Check(text) == nil {
			n.URLs = append(n.URLs, text)
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" {
			r.problem(places[i], "want an address such as slack://… or a reference to one, keyring:NAME, file:PATH or env:NAME")
			continue
		}
		n.URLs = append(n.URLs, text)
		if holdsToken(u) {
			r.exposed = append(r.exposed, Problem{
				r.name, r.line(places[i]), places[i],
				"this address holds a token, and others may read this file: chmod 600, or write a reference such as keyring:NAME",
			})
		}
	}
}

// openServices are the services of shoutrrr whose addresses are no secrets
// unless a user stands in them.
var openServices = regexp.MustCompile(`^(generic(\+https?)?|logger|ntfy)$`)

func holdsToken(u *url.URL) bool { return u.User != nil || !openServices.MatchString(u.Scheme) }

// Hidden is an address without what may be a token in it.
func Hidden(address string) string {
	if secret.Check(address) == nil {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "(hidden)"
	}
	if !holdsToken(u) {
		return address
	}
	return u.Scheme + "://(hidden)"
}

func (r *reader) healthcheck(t *table, n *Notify) {
	var text string
	if !t.text("healthcheck", &text) || text == "" {
		return
	}
	u, err := url.Parse(text)
	if secret.Check(text) != nil && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		r.problem(t.at("healthcheck"), "want an address such as https://hc-ping.com/… or a reference to one")
		return
	}
	n.Healthcheck = text
}

// topName is the first element of a path: the folder of the snapshot's root
// that it lies in.
func topName(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(p, `\`, "/")), "/")
	first, _, _ := strings.Cut(p, "/")
	return strings.TrimSuffix(first, ":")
}
