package hub

import (
	"encoding/json"
	"fmt"
	"sort"
	"sync/atomic"
	"time"

	"parley/app/chat"
)

// An Entry is an event, or a signal, on its way to readers. It is shared by all
// of them and never changes.
type Entry struct {
	Pos   Pos // for a signal, of the event before it
	Event chat.Event
	JSON  []byte // Event, encoded once

	place  place
	cursor chat.Cursor
	since  Pos       // of a member event of a new room: where the room begins
	made   time.Time // of a signal: it goes stale
	frames [4]atomic.Pointer[[]byte]
}

// Cursor is the cursor past e, the same for every reader.
func (e *Entry) Cursor() chat.Cursor { return e.cursor }

// Frame returns e in the form of one kind of carrier, built at most a few times
// and kept. Kinds are 0 to 3; which is which is the carriers' agreement.
func (e *Entry) Frame(kind int, build func(*Entry) []byte) []byte {
	if b := e.frames[kind].Load(); b != nil {
		return *b
	}
	b := build(e)
	e.frames[kind].Store(&b)
	return b
}

func (h *Hub) entry(l Logged) (*Entry, error) {
	j, err := json.Marshal(l.Event)
	if err != nil {
		return nil, fmt.Errorf("hub: encoding event %d: %w", l.Pos, err)
	}
	return &Entry{Pos: l.Pos, Event: l.Event, JSON: j}, nil
}

// A tail is the recent log in memory: a ring of entries numbered by ord from
// first to next-1, in log order, with the signals between the events where they
// happened. The hub's mu guards it.
type tail struct {
	ring     []*Entry
	first    int64 // ord of the oldest entry kept; 2 at first, so that the place before it has one too
	next     int64 // ord of the entry to come
	floor    Pos   // every event after floor, and up to the head, is in the ring
	bytes    int
	maxBytes int
}

func newTail(size, maxBytes int, floor Pos) *tail {
	return &tail{ring: make([]*Entry, size), first: 2, next: 2, floor: floor, maxBytes: maxBytes}
}

func (t *tail) at(ord int64) *Entry { return t.ring[ord%int64(len(t.ring))] }

// push appends e, whose place is t.next, and drops the oldest beyond the bounds.
func (t *tail) push(e *Entry) {
	for t.next-t.first == int64(len(t.ring)) || t.bytes+len(e.JSON) > t.maxBytes && t.first < t.next {
		old := t.at(t.first)
		t.ring[t.first%int64(len(t.ring))] = nil
		t.bytes -= len(old.JSON)
		t.floor = old.Pos
		t.first++
	}
	t.ring[t.next%int64(len(t.ring))] = e
	t.bytes += len(e.JSON)
	t.next++
}

// after returns the ord of the first entry after p; false when the ring
// does not reach back to p. Where the ord of p is not known, or not kept any more, signals may have been missed: then it is not exact,
// and begins with those that followed the event at p.
func (t *tail) after(p place) (ord int64, exact, ok bool) {
	if p.ord > 0 && p.ord >= t.first-1 && p.ord < t.next {
		return p.ord + 1, true, true
	}
	if p.pos < t.floor {
		return 0, false, false
	}
	return t.seek(func(e *Entry) bool { return e.Pos > p.pos || e.Pos == p.pos && e.Event.Signal() }), false, true
}

// seek returns the ord of the first entry that is so, as are all that follow it; next where none is.
func (t *tail) seek(so func(*Entry) bool) int64 {
	n := sort.Search(int(t.next-t.first), func(i int) bool { return so(t.at(t.first + int64(i))) })
	return t.first + int64(n)
}

// end is the place past the event at pos and all signals that followed it so far.
func (t *tail) end(pos Pos) place {
	if pos < t.floor {
		return place{pos: pos}
	}
	return place{pos: pos, ord: t.seek(func(e *Entry) bool { return e.Pos > pos }) - 1}
}

// blank replaces, after a deletion, what the ring still holds of the message
// room/seq and of its edits: whoever reads from here on finds no body.
// Deleting is rare and the ring short, so it is searched whole.
func (t *tail) blank(room chat.RoomID, seq chat.Seq, encode func(Logged) (*Entry, error)) error {
	for ord := t.first; ord < t.next; ord++ {
		e := t.at(ord)
		if e.Event.Room != room || !(e.Event.Seq == seq && e.Event.Message != nil || e.Event.Edit != nil && e.Event.Edit.Seq == seq) {
			continue
		}
		ev := e.Event
		ev.Body = chat.Body{}
		b, err := encode(Logged{Pos: e.Pos, Event: ev})
		if err != nil {
			return err
		}
		b.place, b.cursor = e.place, e.cursor
		t.bytes += len(b.JSON) - len(e.JSON)
		t.ring[ord%int64(len(t.ring))] = b
	}
	return nil
}
