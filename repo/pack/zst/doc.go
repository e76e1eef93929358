// Package zst writes blocks of zstd frames (RFC 8878), for one purpose: text and
// tables in pieces of half a megabyte, as fast as one core can. Any decoder of
// zstd reads them. Where the processor is not up to it, [Usable] says so.
//
// # The search
//
// What such a coder spends its time on is neither arithmetic nor memory, but
// branches that nobody can predict: where the next match begins, and how long it
// is. A dump has a match every ten bytes. So the work is cut into steps that
// decide without branching, and each step does more than a coder needs that
// decides as it goes:
//
//	find    every position's six bytes are looked up in a table of the positions
//	        seen last, and put into it: a candidate and a bit for each byte
//	parse   from bit to bit; lengths are counted 32 bytes at a time. Before a
//	        match is taken, the candidate three bytes before its end is tried,
//	        backwards too: it replaces the match if it covers all but two bytes of
//	        it and ends later. In text that joins words, and nearly every match
//	        of two words is found from their middle.
//	gather  literals are collected, codes and extra bits computed and counted
//	encode  the three interleaved states of FSE, two stores a sequence
//
// Parsing waits for memory and for itself; so it goes on in two stretches at a
// time, that know nothing of each other.
//
// Matches have at least six bytes. The table is not tied to a piece's size;
// offsets reach back to the beginning of the content. No block uses tables or
// offsets that another block left behind.
package zst
