package power

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

func sortByBegin(all []Call) {
	slices.SortStableFunc(all, func(a, b Call) int { return a.Begin - b.Begin })
}

// nonces are what a run names its messages: easy to find in bytes, and never in one another.
var nonces = regexp.MustCompile(`power-[0-9]{6}-[0-9a-f]{8}`)

// The layout of SQLite's write-ahead log (https://sqlite.org/fileformat2.html, section 4).
const (
	walSuffix   = "-wal"
	walHeader   = 32
	frameHeader = 24
)

// never is a line that no trace has.
const never = math.MaxInt

// A commit is one transaction in the write-ahead log.
type commit struct {
	end    int      // the line at which its last write had returned
	named  []string // the nonces in it that were in no commit before
	synced int      // the line at which a sync that began after that had returned; never if none did
}

// commits reads the transactions out of the writes to the write-ahead log, in their order.
func commits(trace []Call) ([]commit, int, error) {
	var all []commit
	known := map[string]bool{}
	var now commit
	syncs, last := 0, false
	for _, c := range trace {
		if !strings.HasSuffix(c.File, walSuffix) || c.Result < 0 {
			continue
		}
		switch c.Name {
		case "fsync", "fdatasync":
			syncs++
			for i := len(all) - 1; i >= 0 && all[i].synced == never; i-- {
				if c.Begin > all[i].end {
					all[i].synced = c.End
				}
			}
		case "pwrite64":
			if len(c.Num) != 3 || c.Result != int64(len(c.Data)) {
				return nil, 0, fmt.Errorf("line %d: a write to the log is cut short", c.Begin+1)
			}
			now.end = c.End
			switch len(c.Data) {
			case walHeader:
				now, last = commit{}, false
			case frameHeader:
				// The size of the database, in the last frame of a transaction only.
				last = binary.BigEndian.Uint32(c.Data[4:]) > 0
			default:
				for _, n := range nonces.FindAll(c.Data, -1) {
					if !known[string(n)] {
						known[string(n)] = true
						now.named = append(now.named, string(n))
					}
				}
				if last {
					now.synced = never
					all = append(all, now)
					now, last = commit{}, false
				}
			}
		}
	}
	return all, syncs, nil
}

// An Order is what a trace says about when things were flushed and when they were said.
type Order struct {
	Messages    int // whose first word to anybody is in the trace
	Commits     int // transactions in the write-ahead log
	Syncs       int // of that log
	Checkpoints int // between two commits of one life
	Early       []string
}

func (o Order) String() string {
	return fmt.Sprintf("%d messages in %d commits with %d syncs and %d checkpoints between: %d were told of before they were on disk",
		o.Messages, o.Commits, o.Syncs, o.Checkpoints, len(o.Early))
}

// spoken finds the line at which the server began to tell anybody of each message: an answer, or a
// delivery, whichever was first.
func spoken(trace []Call) map[string]int {
	first := map[string]int{}
	for _, c := range trace {
		if !strings.HasPrefix(c.File, "socket:") && !strings.HasPrefix(c.File, "TCP") {
			continue
		}
		for _, n := range nonces.FindAll(c.Data, -1) {
			if _, ok := first[string(n)]; !ok {
				first[string(n)] = c.Begin
			}
		}
	}
	return first
}

// checkpoints counts those after which the same log goes on: one at the end of a life removes it.
func checkpoints(trace []Call) int {
	n, written, copied := 0, false, false
	for _, c := range trace {
		switch {
		case c.Name == "unlink" && strings.HasSuffix(c.Paths[0], walSuffix):
			written, copied = false, false
		case c.Name == "fsync" && strings.HasSuffix(c.File, ".db"):
			copied = written
		case c.Name == "pwrite64" && strings.HasSuffix(c.File, walSuffix):
			if copied {
				n++
			}
			written, copied = true, false
		}
	}
	return n
}

// CheckOrder holds that nobody hears of a message before a sync of the write-ahead log that began after the
// last write of its transaction has returned.
func CheckOrder(trace []Call) (Order, error) {
	all, syncs, err := commits(trace)
	if err != nil {
		return Order{}, err
	}
	o := Order{Commits: len(all), Syncs: syncs, Checkpoints: checkpoints(trace)}
	in := map[string]commit{}
	for _, c := range all {
		for _, n := range c.named {
			in[n] = c
		}
	}
	for n, at := range spoken(trace) {
		o.Messages++
		switch c, ok := in[n]; {
		case !ok:
			o.Early = append(o.Early, fmt.Sprintf("%s was told of in line %d and never written", n, at+1))
		case at <= c.end:
			o.Early = append(o.Early, fmt.Sprintf("%s was told of in line %d and written by line %d", n, at+1, c.end+1))
		case at <= c.synced:
			o.Early = append(o.Early, fmt.Sprintf("%s was told of in line %d; a sync after line %d had not returned by then", n, at+1, c.end+1))
		}
	}
	slices.Sort(o.Early)
	return o, nil
}
