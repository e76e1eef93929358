// Package runlog is what a computer itself keeps of its runs, where it can be
// read while the drives are away:
//
//	<log>/runs.jsonl                a line for each run, the newest last; rotated
//	<state>/run.lock                locked by the one run that goes on
//	<state>/run.holder              who that is, for those who wait
//	<state>/state/<plan>.<destination>.json
//	                                when a destination was last seen, tried and served
//
// A line of the log is a repo.Record as JSON, the same that the repository keeps
// sealed. It holds no secrets, but names of plans, paths and computers; every
// file is for its owner only.
//
// # Guarantees
//
//   - A state file is replaced in one step and durable when Save returns.
//   - A line that was torn by a crash costs that line.
//   - Locks belong to the operating system and die with their holder.
package runlog
