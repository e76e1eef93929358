package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// A pinger tells a monitor in the manner of healthchecks.io that a run began
// and how it ended. The monitor raises the alarm when nothing comes.
type pinger struct {
	base   *url.URL
	client *http.Client
}

// maxPing bounds what is sent as the log of a run; healthchecks.io keeps 100 kB.
const maxPing = 100_000

func newPinger(s Settings) (*pinger, error) {
	base, err := url.Parse(s.Healthcheck)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("its address must begin with https:// or http://")
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = s.Proxy
	transport.TLSClientConfig = &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	return &pinger{base, &http.Client{Transport: transport}}, nil
}

func (p *pinger) started(ctx context.Context, r Run) error { return p.ping(ctx, "start", r, "") }

// noted leaves a line in the monitor's log that is neither success nor failure.
func (p *pinger) noted(ctx context.Context, r Run, text string) error {
	return p.ping(ctx, "log", r, text)
}

// finished says how a run ended. A drive that is absent is no failure yet: the
// monitor knows by itself when a success is overdue.
func (p *pinger) finished(ctx context.Context, o Outcome, n Notice) error {
	switch result := o.worst(); {
	case result.well():
		return p.ping(ctx, "", o.Run, n.Text())
	case result.quiet():
		return p.noted(ctx, o.Run, n.Text())
	default:
		return p.ping(ctx, "fail", o.Run, n.Text())
	}
}

// ping makes one request. Its errors do not name the address, which is all that
// one needs to call a failed run a success.
func (p *pinger) ping(ctx context.Context, what string, r Run, log string) error {
	address := *p.base
	if what != "" {
		address.Path += "/" + what
		address.RawPath = ""
	}
	if r.ID != "" {
		query := address.Query()
		query.Set("rid", r.ID)
		address.RawQuery = query.Encode()
	}
	method := http.MethodPost
	if log == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), strings.NewReader(cut(log, maxPing)))
	if err != nil {
		return final{errors.New("its address cannot be used")}
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	answer, err := p.client.Do(request)
	if err != nil {
		return withoutAddress(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxPing)) // so that the connection is used again
	return judge(answer.StatusCode)
}

// judge tells which answers are worth another attempt.
func judge(status int) error {
	err := fmt.Errorf("the server answered %d %s", status, http.StatusText(status))
	switch {
	case status < 300:
		return nil
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return err
	}
	return final{err}
}
