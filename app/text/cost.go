package text

import "strings"

// What costly allows. Each bound is far above what people write and far below
// where goldmark's time grows with the square of the length.
const (
	maxMarkers = 24    // containers (quotes, lists) opened on one line
	maxLinks   = 256   // "](", each of which may look for its end through all that follows
	maxOpen    = 4_096 // "[", which may all wait for their "]"
	maxRuns    = 6_000 // "*", "_" and "~", which may all wait for their twin
)

// costly reports whether md is built to be expensive: piles of the marks
// that a parser must look back from.
func costly(md string) bool {
	if strings.Count(md, "](") > maxLinks || strings.Count(md, "[") > maxOpen ||
		strings.Count(md, "*")+strings.Count(md, "_")+strings.Count(md, "~") > maxRuns {
		return true
	}
	for line := range strings.SplitSeq(md, "\n") {
		if markers(line) > maxMarkers {
			return true
		}
	}
	return false
}

// markers counts the marks that open a quote or a list at the beginning of line.
func markers(line string) int {
	n := 0
	for i, c := range []byte(line) {
		switch {
		case c == '>':
			n++
		case c == ' ', c == '\t', c >= '0' && c <= '9':
		case strings.IndexByte("-+*.)", c) >= 0 && i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t'):
			n++
		default:
			return n
		}
	}
	return n
}
