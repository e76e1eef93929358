//go:build race

package gc_test

// years are how many are simulated. The race detector makes them long, and
// Decide starts no goroutines.
const years = 1
