package pack

import "golang.org/x/sys/cpu"

// splitMany splits the first samples of src, as many as it says: a multiple of 32,
// or none where the processor has no AVX2. Another sample stands in memory before
// src.
func splitMany(low, high, src []byte) (n int) {
	n = min(len(src)/2, len(low), len(high)) &^ 31
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	splitSamples(&low[0], &high[0], &src[0], n)
	return n
}

// joinMany is the inverse, for the first samples of a block: a multiple of 16.
func joinMany(dst, low, high []byte) (n int) {
	n = min(len(dst)/2, len(low), len(high)) &^ 15
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	joinSamples(&dst[0], &low[0], &high[0], n)
	return n
}

//go:noescape
func splitSamples(low, high, samples *byte, n int)

//go:noescape
func joinSamples(samples, low, high *byte, n int)
