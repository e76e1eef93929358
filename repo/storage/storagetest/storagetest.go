// Package storagetest tests stores, and what is built on them.
//
// Run is the contract of storage.Store as a test: every store passes it.
//
// The other stores of this package are worse than real ones on purpose. Three of
// them stand before any store: Faulty fails the calls it is told to and damages
// what is read, Slow has the rate and the latency of a bad line, Recorder
// remembers which call came before which. The fourth, Crash, is the store of
// package local on a simulated file system, CrashFS, that can be cut off its
// power at any moment:
//
//	st := storagetest.NewCrash()
//	st.Put(ctx, "config", b)
//	after := st.Clone(rand.New(rand.NewPCG(1, 2)))
//	// after holds what a drive may hold after a power cut
package storagetest
