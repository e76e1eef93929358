// Package wide computes BLAKE3 (the specification of 2020) of long inputs,
// sixteen pieces of a KiB at a time, where the processor has AVX-512. The usual
// library has eight; what both say is compared in the tests.
package wide
