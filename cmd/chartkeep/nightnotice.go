package main

import (
	"context"
	"net/http"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/secret"
)

// notifier is who tells of what happens, as the configuration says.
func (p *program) notifier(c *config.Config) (*notify.Notifier, error) {
	o := c.Notify
	s := notify.Settings{
		Host: hostName(c), Calendar: c.Calendar(), Email: o.Email, Prometheus: o.Prometheus, Proxy: http.ProxyFromEnvironment,
		OverdueAfter: o.OverdueAfter, Summary: notify.Rhythm(o.Summary), SummaryAt: o.SummaryAt,
		SMTP: notify.SMTP{Server: o.SMTP, Security: notify.Security(o.SMTPTLS), User: o.SMTPUser, From: o.From},
	}
	if o.SMTPPassword != "" {
		b, err := secret.Resolve(o.SMTPPassword)
		if err != nil {
			return nil, err
		}
		s.SMTP.Password = string(b)
	}
	var err error
	for _, u := range o.URLs {
		if u, err = resolved(u); err != nil {
			return nil, err
		}
		s.URLs = append(s.URLs, u)
	}
	if s.Healthcheck, err = resolved(o.Healthcheck); err != nil {
		return nil, err
	}
	return notify.New(s)
}

// resolved is an address, or what a reference to one stands for.
func resolved(address string) (string, error) {
	if secret.Check(address) != nil {
		return address, nil
	}
	b, err := secret.Resolve(address)
	return string(b), err
}

// begin tells monitors that a run has begun.
func (n *night) begin(ctx context.Context) {
	to, err := n.notifier(n.config)
	if err == nil {
		err = to.Started(ctx, n.out.Run)
	}
	if err != nil {
		n.Warn("notices: %s", oneLine(err))
	}
}

// tell tells people and machines what became of the run. What goes wrong with
// that is no failure of the run.
func (n *night) tell(ctx context.Context) {
	n.memory = n.noticeMemory() // status --alert may have said something meanwhile
	to, err := n.notifier(n.config)
	if err == nil {
		err = to.Finished(ctx, n.out, n.memory)
	}
	if err != nil {
		n.Warn("notices: %s", oneLine(err))
	}
	if err := n.remember(n.memory); err != nil {
		n.Warn("%s", oneLine(err))
	}
}

// runObject is a run for programs.
type runObject struct {
	Type     string         `json:"message_type"`
	ID       string         `json:"run_id"`
	Plan     string         `json:"plan"`
	Result   notify.Result  `json:"result"`
	Snapshot string         `json:"snapshot_id"`
	To       string         `json:"destination"`
	Start    time.Time      `json:"start"`
	Duration float64        `json:"total_duration"` // seconds
	Error    string         `json:"error,omitempty"`
	Steps    []stepObject   `json:"steps"`
	Doubts   []string       `json:"suspicion,omitempty"`
	Absent   []string       `json:"absent,omitempty"`
	Sources  []sourceObject `json:"sources"`
}

type sourceObject struct {
	Name   string        `json:"name"`
	Kind   string        `json:"kind"`
	Result notify.Result `json:"result"`
	Error  string        `json:"error,omitempty"`
}

type stepObject struct {
	Name     string        `json:"name"`
	To       string        `json:"destination,omitempty"`
	Result   notify.Result `json:"result"`
	Duration float64       `json:"duration"` // seconds
	Note     string        `json:"note,omitempty"`
	Error    string        `json:"error,omitempty"`
}

func runObjectOf(n *night) runObject {
	o := runObject{
		Type: "run", ID: n.out.ID, Plan: n.plan.Name, Result: n.out.Result, To: n.out.To, Start: n.out.Start,
		Duration: n.out.Duration.Seconds(), Error: n.out.Error, Steps: []stepObject{}, Doubts: n.out.Doubts, Sources: []sourceObject{},
	}
	if n.saved != nil {
		o.Snapshot = string(n.saved.ID)
	}
	for _, s := range n.out.Steps {
		o.Steps = append(o.Steps, stepObject{s.Name, s.To, s.Result, s.Duration.Seconds(), s.Note, s.Error})
	}
	for _, s := range n.out.Sources {
		o.Sources = append(o.Sources, sourceObject{s.Name, s.Kind, s.Result, s.Error})
	}
	for _, s := range n.absent {
		o.Absent = append(o.Absent, s.Name)
	}
	return o
}
