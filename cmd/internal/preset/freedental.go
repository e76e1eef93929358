package preset

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"chartkeep/cmd/internal/config"
)

// usualOpenDental is where Open Dental's settings usually are: beside its
// program, on this computer or in a Windows volume that is mounted here.
var usualOpenDental = []string{
	`C:\Program Files (x86)\Open Dental\FreeDentalConfig.xml`,
	`C:\Program Files\Open Dental\FreeDentalConfig.xml`,
	`C:\OpenDental\FreeDentalConfig.xml`,
	"/mnt/c/Program Files (x86)/Open Dental/FreeDentalConfig.xml",
	"/etc/opendental/config.xml",
}

// A connection is what FreeDentalConfig.xml says of the database.
type connection struct {
	ComputerName  string
	Database      string
	User          string
	Password      string
	MySQLPassHash string
}

// errors of settings that name no database.
var (
	errMiddleTier = errors.New("it connects through a middle tier, and not to a database")
	errOtherKind  = errors.New("its database is no MySQL or MariaDB")
	errNoSettings = errors.New("it names no database")
)

// largestSettings bounds what is read of a file of settings, bytes.
const largestSettings = 1 << 20

// readFreeDental reads a FreeDentalConfig.xml. An error does not hold what the
// file says: that may be a password.
func readFreeDental(name string) (connection, error) {
	file, err := os.Open(name)
	if err != nil {
		return connection{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, largestSettings))
	if err != nil {
		return connection{}, err
	}
	in := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF"))))
	in.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	c, err := findConnection(in)
	if err != nil {
		return connection{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// findConnection looks for the first element that says how to connect, wherever
// it is.
func findConnection(in *xml.Decoder) (c connection, err error) {
	for {
		token, err := in.Token()
		if err == io.EOF {
			return c, errNoSettings
		}
		if err != nil {
			return c, errors.New("it is no XML that can be read")
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "DatabaseType":
			var kind string
			if in.DecodeElement(&kind, &start) == nil && strings.EqualFold(strings.TrimSpace(kind), "Oracle") {
				return c, errOtherKind
			}
		case "ServerConnection":
			return c, errMiddleTier
		case "ConnectionString":
			return c, errors.New("it has a connection string, which is not taken apart")
		case "DatabaseConnection":
			if in.DecodeElement(&c, &start) != nil {
				return c, errors.New("its DatabaseConnection cannot be read")
			}
			return c.trimmed()
		}
	}
}

func (c connection) trimmed() (connection, error) {
	c.ComputerName, c.Database, c.User = strings.TrimSpace(c.ComputerName), strings.TrimSpace(c.Database), strings.TrimSpace(c.User)
	if c.Database == "" {
		return c, errNoSettings
	}
	if c.ComputerName == "" {
		c.ComputerName = "localhost"
	}
	return c, nil
}

// address is the database's, without the password.
func (c connection) address() string {
	host := c.ComputerName
	if name, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			host = net.JoinHostPort(name, port)
		}
	}
	u := url.URL{Scheme: "mysql", Host: host, Path: "/" + c.Database}
	if c.User != "" {
		u.User = url.User(c.User)
	}
	return u.String()
}

// settings reads the file that the source names, or the first of the usual ones
// that is there.
func settings(s config.Source, places []string) (c connection, from string, err error) {
	if s.Config != "" {
		places = []string{s.Config}
	}
	for _, from := range places {
		c, err := readFreeDental(from)
		if errors.Is(err, fs.ErrNotExist) && s.Config == "" {
			continue
		}
		return c, from, err
	}
	return c, "", errors.New("no FreeDentalConfig.xml is in any of the usual places")
}
