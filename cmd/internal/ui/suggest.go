package ui

import "fmt"

// Suggest names what was probably meant, to be put behind what was typed:
// "; did you mean backup?". It is empty where nothing known is near.
func Suggest(typed string, known []string) string {
	best, least := "", 3 // more than two slips is a guess
	for _, k := range known {
		if d := distance(typed, k); d < least && d < len(typed) {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for i := range row {
		row[i] = i
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for k := range len(b) {
			cost := diagonal
			if a[i] != b[k] {
				cost++
			}
			diagonal = row[k+1]
			row[k+1] = min(cost, row[k]+1, row[k+1]+1)
		}
	}
	return row[len(b)]
}
