package crypt

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// RecoveryCode opens a repository when every password is lost: 256 random bits,
// to be kept on paper.
//
// As text it is 13 groups of five characters in Crockford's base 32, which has
// no I, L, O and U. The first four of a group carry the code, the fifth is its
// check: it tells any one wrong character, and any two that changed places, in
// the group, and also a group in another's place. 52 characters have four bits
// more than the code; they hold the low bits of the first byte of its SHA-256.
//
//	NB4X7-0G2KW-…-QZ3C9
type RecoveryCode [32]byte

const (
	codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeGroups   = 13
	groupSize    = 5
	codeLength   = codeGroups * groupSize
	foreign      = 0xff     // a character outside the alphabet
	wholeMask    = 1<<4 - 1 // the bits of the last character that check the whole
)

var codeEncoding = base32.NewEncoding(codeAlphabet).WithPadding(base32.NoPadding)

// NewRecoveryCode draws a code.
func NewRecoveryCode() (c RecoveryCode) {
	rand.Read(c[:])
	return c
}

// String is the code as it is printed and typed, and what the QR code holds.
func (c RecoveryCode) String() string {
	return strings.Join(c.groups(), "-")
}

func (c RecoveryCode) groups() []string {
	symbols := c.symbols()
	groups := make([]string, codeGroups)
	for g := range groups {
		four := symbols[4*g : 4*g+4]
		for _, v := range append(four[:4:4], groupCheck(g, four)) {
			groups[g] += codeAlphabet[v : v+1]
		}
	}
	return groups
}

// symbols are the 52 values that carry the code and the check of the whole.
func (c RecoveryCode) symbols() []byte {
	symbols := []byte(codeEncoding.EncodeToString(c[:]))
	for i, letter := range symbols {
		symbols[i] = symbolOf(rune(letter))
	}
	symbols[len(symbols)-1] |= c.wholeCheck()
	return symbols
}

func (c RecoveryCode) wholeCheck() byte {
	sum := sha256.Sum256(c[:])
	return sum[0] & wholeMask
}

// groupCheck is the value that makes a group's sum zero, where the sum weighs
// every place with another power of x in GF(2)[x] / (x⁵ + x² + 1): two places
// with equal weights could change places unnoticed.
func groupCheck(group int, four []byte) byte {
	sum := byte(group)
	for _, v := range four {
		sum = (sum ^ v) << 1
		if sum > 31 {
			sum ^= 0b100101
		}
	}
	return sum
}

// CodeError says where a recovery code was mistyped.
type CodeError struct {
	Groups []int // numbers of the groups to look at, from 1; none: any
	Typed  int   // characters typed, without spaces and dashes; 65 are right
}

func (e *CodeError) Error() string {
	what := "recovery code is mistyped"
	if e.Typed != codeLength {
		what = fmt.Sprintf("recovery code has %d characters instead of %d", e.Typed, codeLength)
	}
	switch len(e.Groups) {
	case 0:
		return what + ": compare every group"
	case 1:
		return fmt.Sprintf("%s: look at group %d", what, e.Groups[0])
	}
	return fmt.Sprintf("%s: look at groups %s", what, strings.Trim(fmt.Sprint(e.Groups), "[]"))
}

var errNoCode = errors.New("this is not a recovery code")

// ParseRecoveryCode reads a code as a person types it: in either case, with any
// spaces and dashes or none, with O for 0 and I or L for 1. When most groups are
// right and some are not, the error is a *CodeError; else the text is taken for
// something other than a recovery code.
func ParseRecoveryCode(text string) (c RecoveryCode, err error) {
	typed := typedSymbols(text)
	if wrong := wrongGroups(typed); len(wrong) > codeGroups/2 {
		return c, errNoCode
	} else if len(wrong) > 0 || len(typed) != codeLength {
		return c, &CodeError{Groups: wrong, Typed: len(typed)}
	}
	c, check := joinGroups(typed)
	if check != c.wholeCheck() {
		return RecoveryCode{}, &CodeError{Typed: len(typed)}
	}
	return c, nil
}

func typedSymbols(text string) []byte {
	var symbols []byte
	for _, r := range text {
		if !unicode.IsSpace(r) && !unicode.Is(unicode.Pd, r) && r != '\u2212' {
			symbols = append(symbols, symbolOf(r))
		}
	}
	return symbols
}

func symbolOf(r rune) byte {
	switch r = unicode.ToUpper(r); r {
	case 'O':
		r = '0'
	case 'I', 'L':
		r = '1'
	}
	if i := strings.IndexRune(codeAlphabet, r); i >= 0 {
		return byte(i)
	}
	return foreign
}

// wrongGroups returns the numbers of the groups that do not add up. When
// characters are missing or too many, the groups are counted from both ends, so
// that only those around the gap are named.
func wrongGroups(typed []byte) (wrong []int) {
	shift := len(typed) - codeLength
	for g := range codeGroups {
		if !groupHolds(g, typed, g*groupSize) && (shift == 0 || !groupHolds(g, typed, g*groupSize+shift)) {
			wrong = append(wrong, g+1)
		}
	}
	return wrong
}

func groupHolds(group int, typed []byte, at int) bool {
	if at < 0 || at+groupSize > len(typed) {
		return false
	}
	five := typed[at : at+groupSize]
	return !slices.Contains(five, foreign) && groupCheck(group, five[:4]) == five[4]
}

// joinGroups returns the code that 13 good groups carry, and its check.
func joinGroups(typed []byte) (c RecoveryCode, check byte) {
	var letters []byte
	for i, v := range typed {
		if i%groupSize < 4 {
			letters = append(letters, codeAlphabet[v])
		}
	}
	last := typed[codeLength-2]
	letters[len(letters)-1] = codeAlphabet[last&^wholeMask]
	copy(c[:], must(codeEncoding.DecodeString(string(letters))))
	return c, last & wholeMask
}
