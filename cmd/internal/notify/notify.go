// Package notify is how a practice hears of its backups.
//
// # Nouns
//
//	Outcome    what became of a run of a plan, as plain data
//	Copy       a plan's snapshots at one destination: how old, how well proven, how much room is left
//	State      all copies of a practice, for the summary and the watch
//	Notice     what is said: a subject, plain words for an office manager, details for the IT provider
//	channel    a way to say it: mail, a chat service, a ping to a monitor, a file for Prometheus
//	Memory     what was said and when, and what is still to be sent; the caller stores it between runs
//
// # What is said, and when
//
//	failed, damaged, interrupted    at once; the same again once a day
//	incomplete, suspicious          at once; the same again once a day
//	done after one of these         at once, that it is well again; once a day
//	a warning ("full about …")      at once; the same again once a week, and in every summary
//	absent, skipped                 not, until the copy is overdue
//	overdue (nothing ran, no drive) once a day until a run is done
//	done                            in the summary only
//	summary                         every open day, or once a week: the age of every copy and of its last proof
//
// A day is a day of the practice, and a copy is overdue when so many of its
// open days have ended without a good snapshot (gc.Calendar). What is the same
// is decided by the result and by which steps and sources failed, not by the
// words of an error.
//
// # Guarantees
//
//   - Which notice follows from what is a pure function of the outcome, the
//     memory and the time. No clock is read but to wait between attempts.
//   - Every channel is tried, each within Settings.Limit; what fails is returned
//     for each channel, joined. A failed notice is no failed backup.
//   - A notice that no person got stays in the memory and is sent the next time.
//   - Passwords, tokens and the paths of chat and ping addresses are in no error.
//   - Chat services get the words without the details: the names of a patient's
//     files stay in the practice.
//
// # Example
//
//	n, err := notify.New(notify.Settings{
//		Email: []string{"manager@elm.example"},
//		SMTP:  notify.SMTP{Server: "mail.elm.example:587", User: "backup", Password: secret},
//	})
//	…
//	err = n.Finished(ctx, outcome, &memory) // then store memory
package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"chartkeep/gc"
)

// Settings say who hears of what. The zero value tells nobody.
type Settings struct {
	Host     string // this computer's name, for the sender of mail
	Calendar gc.Calendar

	Email []string // recipients; each gets a message of their own
	SMTP  SMTP

	URLs        []string // chat services, as shoutrrr writes them
	Healthcheck string   // base address of a check as at healthchecks.io
	Prometheus  string   // file for the text collector of node_exporter

	// Roots may vouch for the servers of mail and pings; nil: the system's.
	Roots *x509.CertPool

	// Proxy says which proxy a ping goes through; nil: none. Chat services are
	// reached as their library does it: through what HTTPS_PROXY says.
	Proxy func(*http.Request) (*url.URL, error)

	OverdueAfter int           // open days without a good snapshot; 0: 1
	Summary      Rhythm        // "": every open day
	SummaryAt    time.Duration // on the clock, not before this; 0: at any time

	Limit time.Duration // for one channel, with its attempts; 0: 30 seconds
	Pause time.Duration // before the second attempt, then twice as long each; 0: 2 seconds
}

// A Rhythm is how often there is a summary.
type Rhythm string

const (
	Daily  Rhythm = "daily"  // on every open day
	Weekly Rhythm = "weekly" // on the first open day of the ISO week
	Never  Rhythm = "never"
)

const (
	defaultLimit = 30 * time.Second
	defaultPause = 2 * time.Second
)

// A Notifier tells people and machines of backups. Its methods may not be
// called at the same time with the same Memory.
type Notifier struct {
	settings Settings
	people   []channel // mail and chat
	ping     *pinger   // nil: none
	metrics  string    // file; empty: none
}

// A channel brings a notice to people. send makes one attempt; its errors name
// no secret.
type channel interface {
	name() string
	send(ctx context.Context, n Notice) error
}

// New checks the settings. It connects to nothing.
func New(s Settings) (*Notifier, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	n := &Notifier{settings: s, metrics: s.Prometheus}
	for _, to := range s.Email {
		mail, err := newMailer(s, to)
		if err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
		n.people = append(n.people, mail)
	}
	for i, raw := range s.URLs {
		for _, address := range expand(raw) {
			chat, err := newChat(address)
			if err != nil {
				return nil, fmt.Errorf("chat service %d: %w", i+1, err)
			}
			n.people = append(n.people, chat)
		}
	}
	if s.Healthcheck != "" {
		ping, err := newPinger(s)
		if err != nil {
			return nil, fmt.Errorf("healthcheck: %w", err)
		}
		n.ping = ping
	}
	return n, nil
}

// complete fills in the defaults and reports what is impossible.
func (s *Settings) complete() error {
	if s.Summary == "" {
		s.Summary = Daily
	}
	if s.OverdueAfter == 0 {
		s.OverdueAfter = 1
	}
	if s.Limit == 0 {
		s.Limit = defaultLimit
	}
	if s.Pause == 0 {
		s.Pause = defaultPause
	}
	switch {
	case s.Summary != Daily && s.Summary != Weekly && s.Summary != Never:
		return fmt.Errorf("a summary is daily, weekly or never, not %q", s.Summary)
	case s.OverdueAfter < 0:
		return fmt.Errorf("a copy cannot be overdue after %d days", s.OverdueAfter)
	case s.SummaryAt < 0 || s.SummaryAt >= 24*time.Hour:
		return fmt.Errorf("a summary cannot be sent at %v", s.SummaryAt)
	}
	return s.Calendar.Validate()
}

// Started pings the monitor: a run has begun in earnest, with its lock held and
// its drive there. (A run that is absent or skipped is not started: the monitor
// would wait for its end.)
func (n *Notifier) Started(ctx context.Context, r Run) error {
	if n.ping == nil {
		return nil
	}
	return n.try(ctx, "healthcheck", func(ctx context.Context) error { return n.ping.started(ctx, r) })
}

// Finished notes the outcome of a run in m and tells who needs to know. After an
// interruption ctx must be one that is not cancelled with the run.
func (n *Notifier) Finished(ctx context.Context, o Outcome, m *Memory) error {
	o = o.settled()
	notices := n.settings.afterRun(o, m)
	m.note(o)
	jobs := []job{n.writeMetrics(m)}
	if n.ping != nil {
		jobs = append(jobs, job{"healthcheck", func(ctx context.Context) error { return n.ping.finished(ctx, o, n.settings.runNotice(o)) }})
	}
	return errors.Join(n.tell(ctx, m, notices), n.all(ctx, jobs))
}

// Watch is the dead man's alert: it tells of copies that are overdue, because
// nothing ran or a drive was not there. It is meant to be called every hour or
// day by something else than the runs.
func (n *Notifier) Watch(ctx context.Context, s State, m *Memory, now time.Time) error {
	m.noteState(s)
	notices := n.settings.watch(s, m, now)
	return errors.Join(n.tell(ctx, m, notices), n.all(ctx, []job{n.writeMetrics(m)}))
}

// Summary sends the summary when it is due.
func (n *Notifier) Summary(ctx context.Context, s State, m *Memory, now time.Time) error {
	m.noteState(s)
	if !n.settings.summaryDue(m, now) {
		return n.tell(ctx, m, nil)
	}
	m.Summary = now
	return n.tell(ctx, m, []Notice{n.settings.summaryNotice(s, now)})
}

// Test sends a notice that says that notices arrive.
func (n *Notifier) Test(ctx context.Context, r Run) error {
	jobs := n.send(n.settings.testNotice(r), make([]error, len(n.people)))
	if n.ping != nil {
		jobs = append(jobs, job{"healthcheck", func(ctx context.Context) error { return n.ping.noted(ctx, r, "A test.") }})
	}
	return n.all(ctx, jobs)
}

// tell sends what waits in the memory and then the notices. What reached nobody
// waits in the memory.
func (n *Notifier) tell(ctx context.Context, m *Memory, notices []Notice) error {
	waiting := append(m.Unsent, notices...)
	m.Unsent = nil
	if len(n.people) == 0 {
		return nil
	}
	var failed []error
	for i, notice := range waiting {
		results := make([]error, len(n.people))
		err := n.all(ctx, n.send(notice, results))
		failed = append(failed, err)
		if !delivered(results) {
			m.keepUnsent(waiting[i:]) // the rest will not get through either
			break
		}
	}
	return errors.Join(failed...)
}

func delivered(results []error) bool {
	for _, err := range results {
		if err == nil {
			return true
		}
	}
	return false
}

// send is one notice over every channel to people; results gets what became of each.
func (n *Notifier) send(notice Notice, results []error) []job {
	jobs := make([]job, len(n.people))
	for i, c := range n.people {
		jobs[i] = job{c.name(), func(ctx context.Context) error {
			results[i] = c.send(ctx, notice)
			return results[i]
		}}
	}
	return jobs
}

// A job is one thing to do over one channel.
type job struct {
	channel string
	do      func(context.Context) error
}

// all does jobs at the same time and returns what failed, in their order.
func (n *Notifier) all(ctx context.Context, jobs []job) error {
	failed := make([]error, len(jobs))
	var wait sync.WaitGroup
	for i, j := range jobs {
		wait.Go(func() { failed[i] = n.try(ctx, j.channel, j.do) })
	}
	wait.Wait()
	return errors.Join(failed...)
}
