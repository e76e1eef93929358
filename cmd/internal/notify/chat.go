package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// A chat is a chat or push service.
type chat struct {
	service types.Service
	scheme  string
	secrets *strings.Replacer
}

// maxChat bounds a message in bytes; the services take 2,000 and more.
const maxChat = 1500

func newChat(raw string) (*chat, error) {
	address, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("its address cannot be read") // the error holds the address
	}
	c := &chat{secrets: hide(address)}
	c.scheme, _, _ = strings.Cut(address.Scheme, "+") // generic+https
	switch c.scheme {
	case "logger":
		return nil, errors.New("logger reaches nobody")
	case "smtp":
		return nil, errors.New("mail has settings of its own")
	}
	if c.service, err = new(router.ServiceRouter).Locate(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", c.scheme, c.clean(err))
	}
	return c, nil
}

func (c *chat) name() string { return "chat " + c.scheme }

// send hands the notice to the service's library, which knows no context: when
// time runs out its goroutine is left to end by itself. It is not tried again
// then, because the message may have arrived.
func (c *chat) send(ctx context.Context, n Notice) error {
	sent := make(chan error, 1)
	go func() { sent <- c.service.Send(n.Brief(maxChat), &types.Params{}) }()
	select {
	case err := <-sent:
		return c.clean(err)
	case <-ctx.Done():
		return final{context.Cause(ctx)}
	}
}

// clean takes addresses and their parts out of an error.
func (c *chat) clean(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(c.secrets.Replace(anyAddress.ReplaceAllLiteralString(withoutAddress(err).Error(), "…")))
}

// anyAddress is an address in an error's text: what the service made of the one
// that was configured holds the same secrets in another order.
var anyAddress = regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s"]+`)

// withoutAddress is what went wrong with a request, without where it went.
func withoutAddress(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}

// hide replaces what may be secret in an address: all but the service's name.
func hide(address *url.URL) *strings.Replacer {
	parts := []string{address.String(), address.Redacted(), address.User.String(), address.Host, address.Hostname()}
	if address.User != nil {
		password, _ := address.User.Password()
		parts = append(parts, address.User.Username(), password)
	}
	parts = append(parts, address.Path, address.EscapedPath(), address.RawQuery, address.Opaque, address.Fragment)
	parts = append(parts, strings.Split(address.Path, "/")...)
	for _, values := range address.Query() {
		parts = append(parts, values...)
	}
	var pairs []string
	for _, part := range parts {
		if len(part) > 3 {
			pairs = append(pairs, part, "…", url.QueryEscape(part), "…", url.PathEscape(part), "…")
		}
	}
	return strings.NewReplacer(pairs...)
}
