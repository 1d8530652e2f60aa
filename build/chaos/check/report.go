package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Category is one kind of fault.
type Category string

const (
	Lost       Category = "lost"               // acknowledged but not in the log
	LostMiddle Category = "lost_middle"        // … though later ones are: the worst kind; counted in Lost as well
	Missed     Category = "missed"             // in the log but never shown by some consumer who may read it
	Duplicated Category = "duplicated"         // one send, two events
	Shown      Category = "duplicated_display" // one event shown twice by one consumer
	Repeated   Category = "repeated"           // delivered on a connection that had delivered it, or that began after it
	Reordered  Category = "reordered"          // delivered or logged after a later event of its room
	SeqGap     Category = "seq_gap"            // numbers skipped, in the log or on a connection
	Unexpected Category = "unexpected"         // an event that nobody sent, or that is not what the log holds
	Leaked     Category = "leaked"             // delivered to somebody who was not in the room then
	Clashed    Category = "clashed"            // something else under a known nonce was not refused as a conflict
	WasReset   Category = "reset"              // a consumer with a good cursor was told to begin again
)

// Categories are all of them.
var Categories = [...]Category{Lost, LostMiddle, Missed, Duplicated, Shown, Repeated, Reordered, SeqGap, Unexpected, Leaked, Clashed, WasReset}

// examples is how many faults of a category a Report describes.
const examples = 3

// A Report is what the checker found.
type Report struct {
	Attempted   int // sends
	Tries       int // of them; more than Attempted where answers were lost
	Acked       int // sends that were answered OK
	Refused     int // sends that were refused for good
	Unknown     int // sends that never had an answer
	LostAnswers int // tries that had none
	Recovered   int // sends without any OK that are in the log all the same
	Clashes     int // tries to send something else under a known nonce
	Strikes     map[string]int
	Rooms       int
	Consumers   int
	Follows     int // connections of consumers
	Logged      int // events in the logs that came after the beginning
	Delivered   int // events that consumers showed
	Dropped     int // duplicated_wire: events that came again, as a connection went on from an older place

	Faults   map[Category]int
	Examples map[Category][]string // the first few of each, as sentences
}

// OK reports whether nothing was wrong.
func (r *Report) OK() bool {
	for _, c := range Categories {
		if r.Faults[c] > 0 {
			return false
		}
	}
	return true
}

func (r *Report) fault(c Category, n int, format string, args ...any) {
	r.Faults[c] += n
	if len(r.Examples[c]) < examples {
		r.Examples[c] = append(r.Examples[c], fmt.Sprintf(format, args...))
	}
}

// String says it in one paragraph, and names the first faults, if any.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d sends (%d tries, %d answers lost): %d acknowledged, %d refused, %d unknown, %d recovered; %d clashes. "+
		"%d events in %d rooms, %d deliveries to %d consumers over %d connections, and %d duplicated_wire.",
		r.Attempted, r.Tries, r.LostAnswers, r.Acked, r.Refused, r.Unknown, r.Recovered, r.Clashes,
		r.Logged, r.Rooms, r.Delivered, r.Consumers, r.Follows, r.Dropped)
	sep, all := " Strikes: ", 0
	for _, kind := range slices.Sorted(maps.Keys(r.Strikes)) {
		fmt.Fprintf(&b, "%s%d %s", sep, r.Strikes[kind], kind)
		sep, all = ", ", all+r.Strikes[kind]
	}
	fmt.Fprintf(&b, "%s%d in all. Faults:", sep, all)
	sep = " "
	for _, c := range Categories {
		fmt.Fprintf(&b, "%s%d %s", sep, r.Faults[c], c)
		sep = ", "
	}
	b.WriteString(".")
	for _, c := range Categories {
		for _, s := range r.Examples[c] {
			fmt.Fprintf(&b, "\n  %s: %s", c, s)
		}
	}
	return b.String()
}
