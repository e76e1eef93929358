// Package schedule says when plans run, and has the operating system run them.
package schedule
