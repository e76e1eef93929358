// Package gc says which snapshots of a repository stay, and frees the space of
// those that went.
//
// # Retention
//
// Retention is a pure function, Decide: from the snapshots of one group, the
// policy, the practice's calendar and the present time to one decision for
// each snapshot, with its reasons in words. It reads no clock and touches no
// repository.
//
//	group     snapshots that are judged together: of one host, plan, set of paths (GroupBy)
//	day       a day of the practice, in its time zone; it ends at Calendar.DayEndsAt, so
//	          that a run at 01:30 belongs to the day before, and to its month and year
//	period    an hour on the wall clock, or a day, open day, ISO week, month, quarter,
//	          year or fiscal year made of such days; two units never share periods
//	rule      so many periods of one unit, or a span back from the newest snapshot
//	sound     complete, and not under suspicion
//
// A rule with a count keeps, for each of the newest periods that have a
// snapshot, the last sound one of that period. Periods without a snapshot are
// not counted, so a long closure removes nothing. While a rule has counts
// left, it keeps the oldest snapshot as well, so that the history begins to
// grow from its first day. Hours, days, weeks, months, years, "last" and
// "within" give what restic gives for the same times in the same zone.
//
// Business days are the open days of the calendar without its holidays. A
// snapshot of a closed day never takes the place of an open day's; while it is
// the newest of all it stays nevertheless.
//
// # Doubt
//
// Some snapshots must not push out others: one whose run could not read
// everything, one whose time was typed in, one that was saved while the clock
// was wrong. Therefore every rule is applied to several views of the group,
// and what any view keeps, stays:
//
//	rising    sound snapshots, none of which was saved after one with a later time;
//	          right as long as wrong clocks were slow
//	falling   sound snapshots, none of which was saved before one with an earlier
//	          time; right as long as wrong clocks were fast
//	sound     all sound ones, those with a typed time among them
//	whole     all there are; an incomplete one stands for its period only when the
//	          period has no sound one
//
// So a doubtful snapshot can add to what stays, and never takes away from it.
// In most groups the four views are the same.
//
// A snapshot from the future (more than Tolerance after now) is in no view and
// stays until its time has come. The newest incomplete one stays until a
// sound one is newer. A snapshot with a later time than one that was saved
// after it stays as long as that one, because it shows that a clock was wrong.
//
// # Guarantees
//
//   - The sound snapshots that stay are at least those that would stay if the
//     doubtful ones did not exist. For wrong clocks this needs Sequence, that
//     all of a group's wrong clocks erred to the same side, and that a wrong
//     time contradicts the order of writing or the present: one that fits
//     between its neighbours cannot be told from a right one.
//   - A group keeps at least one snapshot, and a sound one if it has any.
//   - What Decide keeps, it keeps again when asked about what it kept, unless
//     nothing but a doubt about a clock had kept it and the doubt is gone.
//   - A greater count, with everything else the same, never removes more.
//   - Suspicion, until a person ends it, stops the removal of everything of
//     the same plan and host.
//
// # Pruning
//
// PlanPrune marks every chunk that a snapshot needs, be it listed or in the bin
// with time left, and divides the packs:
//
//	dead       nothing in it is needed: it is deleted
//	victim     little in it is needed, or it is one of many small ones, or it is
//	           scattered, or damaged and all that is needed of it can be read: what
//	           is needed is stored again, and then it is deleted
//	relied on  every other; what the marks need lies in these and the victims
//
// A pack is scattered when a restore of the newest snapshot has to open more blocks
// for what it needs in it than is reasonable, because what older snapshots need lies
// between. Whatever is rewritten, for whatever reason, is parted into blocks of what
// the newest snapshots need and blocks of what only older ones do. So a restore after
// years of nights opens little more than one after the first night.
//
// The plan is a guess about a repository that others go on writing to and
// pruning. Run acts on it only as far as it can prove it, alone with the
// repository and for as long as that takes:
//
//	take the exclusive lock
//	remove the entries of the bin that were over when the plan was made
//	bring the index up to date; mark what snapshots need that were made since,
//	    and what is in the bin
//	stop unless every pack that is relied on is there
//	spare each doomed pack that holds a marked chunk of which no undamaged copy
//	    lies outside of the doomed packs
//	delete the others
//
// Dead packs go before anything is rewritten. Victims are rewritten in as many
// goes as the free space asks for, none that could not be ended, each giving room
// to the next; the repository's reserve is given up when there is not enough.
//
// So nothing that a snapshot needs is deleted, whatever other backups and
// prunes have done since the plan was made, and wherever a prune is cut off.
// When something that is needed is missing already, packs that no index names
// are not taken for rubbish: they may be what is missing.
package gc
