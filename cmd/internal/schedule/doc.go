// Package schedule says when plans run, and writes what has the operating system
// run them.
//
// # Times
//
// Times are told on the practice's wall clock: times of day on all or some days,
// or a cron expression, single moments, and dates to skip. Next, Coming and
// Missed turn them into instants. Where the clock is put forward over a time,
// the plan runs at the end of the gap; where a time comes twice, at the first.
//
//	      01:59 ─┐ spring              autumn ┌─ 02:59
//	             │                            │  02:00 … 02:59 again
//	at 02:30     └► 03:00  runs here          │
//	                          runs here, once ▼ (the first 02:30)
//
// # Jobs
//
// A Job is a command line with its times. A Host writes jobs in the language of
// a scheduler:
//
//	Systemd   a service and a timer each; it makes up for missed runs by itself
//	Crontab   a marked block in a user's table; other lines stay as they are
//	Launchd   a property list each, for macOS
//	Windows   a task each, as XML
//
// No scheduler can say everything that Times can. What one cannot say becomes
// more times than are meant, and at each the job's other command line, which
// runs a plan only if it is due. So every run that is meant is started, within a
// quarter of an hour where the computer's clock is not the practice's, and no
// other.
//
// Cron and launchd forget what they missed while the computer was off. For plans
// that catch up they also start every hour what is due.
package schedule
