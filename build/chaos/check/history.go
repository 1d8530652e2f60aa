// Package check judges, after the fact, whether a server lost, repeated, reordered or leaked anything.
//
// # The words
//
// A history is a file of [Record] lines (JSON, one a line) that a driver wrote while it
// loaded a server and struck it. A send is one draft, named by its sender and nonce; it is
// tried (Invoke) until it has an outcome: OK, Fail (refused for good) or Unknown (the
// answer was lost: it may or may not have happened). A clash is a try to send something else under
// the nonce of a send, which must be refused as a conflict.
//
// A consumer is one reader of all rooms of one user, who begins somewhere (Begin) and follows, over one
// connection after another (Follow): each from a place that the consumer names, perhaps an older one than where it
// is. On a connection it is delivered events (Deliver): every one after that place that its
// user may read, once and in order. What it was shown before, over another connection, it drops, so
// that it shows each event once: that is judged apart, as what travels may be repeated and what is shown may not.
//
// The log is what a room holds when all is over (Log), read page by page from its first event to its
// last. It says who came and who left, so that it says who may read what: a user's consumers begin as members
// of every room, and read up to the event of their leaving and from the event of their coming back.
// Every send has a hash of its own, which names the send even when a server mixes up nonces.
//
// The package imports nothing but the standard library, and shares no code with what it judges.
package check

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Op is what a Record tells.
type Op string

const (
	Room    Op = "room"    // before the first send, Room stood at Seq
	Invoke  Op = "invoke"  // Who tries to send Nonce with body Hash to Room
	OK      Op = "ok"      // … was told that it is event Seq of Room, with body Hash
	Fail    Op = "fail"    // … was refused for good
	Unknown Op = "unknown" // … was not answered
	Clash   Op = "clash"   // Who tried to send body Hash under the Nonce of a send, and Note is what came of it
	Begin   Op = "begin"   // consumer Who, of User, begins in Room after Seq
	Follow  Op = "follow"  // consumer Who begins its connection Wire, which is to go on from Heads
	Deliver Op = "deliver" // consumer Who was given event Seq of Room on Wire, and showed it unless Dropped
	Reset   Op = "reset"   // consumer Who was told to begin again
	Strike  Op = "strike"  // the driver did Kind of damage
	Log     Op = "log"     // at the end, event Seq of Room, in the order of reading: User has Left or come, if it is of a membership
)

// Conflict is the Note of a Clash that was refused as it must be.
const Conflict = "conflict"

// A Record is one line of a history. Order in the file is the order in which
// its writer learned of things; of one sender or consumer it is the true order.
type Record struct {
	Op      Op               `json:"op"`
	At      int64            `json:"at"` // nanoseconds since the history began; decides nothing
	Kind    string           `json:"kind,omitempty"`
	Who     string           `json:"who,omitempty"`
	User    string           `json:"user,omitempty"`
	Left    bool             `json:"left,omitempty"`
	Wire    int              `json:"wire,omitempty"`
	Heads   map[string]int64 `json:"heads,omitempty"` // the newest event of each room that came before
	Room    string           `json:"room,omitempty"`
	Seq     int64            `json:"seq,omitempty"`
	Nonce   string           `json:"nonce,omitempty"`
	Hash    string           `json:"hash,omitempty"`
	Dropped bool             `json:"dropped,omitempty"`
	Note    string           `json:"note,omitempty"` // for a person who reads the file
}

// Read yields the records of a history. It ends after the first error; a
// history whose last line is cut is an error, for what it did not tell may be what was wrong.
func Read(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		b := bufio.NewReaderSize(r, 1<<16)
		for n := 1; ; n++ {
			line, err := b.ReadBytes('\n')
			if errors.Is(err, io.EOF) && len(line) == 0 {
				return
			}
			var rec Record
			if err == nil {
				err = json.Unmarshal(line, &rec)
			}
			if err != nil {
				yield(Record{}, fmt.Errorf("history line %d: %w", n, err))
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}
