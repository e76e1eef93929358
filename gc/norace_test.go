//go:build !race

package gc_test

// years are how many are simulated.
const years = 10
