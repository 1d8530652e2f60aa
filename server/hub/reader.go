package hub

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/app/chat"
)

// A reader is a user of whom the hub keeps memberships, because they watch or
// did a moment ago. Hub.mu guards it.
type reader struct {
	user     chat.UserID
	spans    []Span // by room, and of one room in order of time
	born     uint64
	watchers byAge[*Watcher]
	grace    time.Duration // how long after the last watcher left the user still counts as here
	until    time.Time     // with no watchers: when that ends
	online   bool          // as last told to others
}

func (r *reader) age() uint64 { return r.born }

// in returns the spans of one room, and where they are: nobody's other rooms are looked at, however many they are.
func (r *reader) in(room chat.RoomID) (spans []Span, at int) {
	at, _ = slices.BinarySearchFunc(r.spans, room, func(s Span, room chat.RoomID) int { return cmp.Compare(s.Room, room) })
	end := at
	for end < len(r.spans) && r.spans[end].Room == room {
		end++
	}
	return r.spans[at:end], at
}

// covers reports whether the user may read what is at pos in room.
func (r *reader) covers(room chat.RoomID, pos Pos) bool {
	spans, _ := r.in(room)
	for _, s := range spans {
		if s.From <= pos && (s.To == 0 || pos < s.To) {
			return true
		}
	}
	return false
}

// join opens a span at pos unless one covers it: memberships read from the
// store may be ahead of the entry that tells of them.
func (r *reader) join(room chat.RoomID, pos Pos) {
	if !r.covers(room, pos) {
		spans, at := r.in(room)
		r.spans = slices.Insert(r.spans, at+len(spans), Span{Room: room, From: pos})
	}
}

// leave closes the open span that began before pos. The event at pos is inside.
func (r *reader) leave(room chat.RoomID, pos Pos) {
	spans, _ := r.in(room)
	for i := range spans {
		if s := &spans[i]; s.From <= pos && s.To == 0 {
			s.To = pos + 1
		}
	}
}

// sees reports whether e belongs to the feed. Typing goes stale, and is of
// interest only to who is in the room now.
func (r *reader) sees(e *Entry, head Pos, now time.Time) bool {
	switch {
	case e.Event.Presence != nil:
		return true
	case e.Event.Signal():
		return now.Sub(e.made) < typingLasts && r.covers(e.Event.Room, head+1)
	default:
		return r.covers(e.Event.Room, e.Pos)
	}
}

const typingLasts = 6 * time.Second

// reader returns what is kept of u, read from the store if need be, with h.mu
// held, which the caller unlocks.
func (h *Hub) reader(ctx context.Context, u chat.UserID) (*reader, error) {
	for {
		h.mu.Lock()
		if r := h.readers[u]; r != nil {
			return r, nil
		}
		from := h.tail.next
		h.mu.Unlock()

		spans, err := h.store.Spans(ctx, u)
		if err != nil {
			return nil, err
		}

		h.mu.Lock()
		if r := h.readers[u]; r != nil { // somebody else was quicker, and it was kept current since
			return r, nil
		}
		if from < h.tail.first { // what happened meanwhile has left the ring already
			h.mu.Unlock()
			continue
		}
		slices.SortStableFunc(spans, func(a, b Span) int { return cmp.Compare(a.Room, b.Room) })
		r := &reader{user: u, spans: spans, born: h.bear(), until: h.now().Add(streamGrace)}
		for ord := from; ord < h.tail.next; ord++ {
			if e := h.tail.at(ord); e.Event.Member != nil && e.Event.Member.User == u {
				r.member(e)
			}
		}
		h.readers[u] = r
		h.idle[r] = struct{}{}
		head := h.tailHead()
		for _, s := range r.spans {
			if s.From <= head && (s.To == 0 || s.To > head+1) {
				h.enter(s.Room, r)
			}
		}
		return r, nil
	}
}

// member applies a membership event of r's user.
func (r *reader) member(e *Entry) {
	if e.Event.Member.State == chat.Joined {
		r.join(e.Event.Room, cmp.Or(e.since, e.Pos))
	} else {
		r.leave(e.Event.Room, e.Pos)
	}
}

// enter makes r one of those whom the events of room concern.
func (h *Hub) enter(room chat.RoomID, r *reader) {
	h.rooms[room] = h.rooms[room].with(r)
}

func (h *Hub) exit(room chat.RoomID, r *reader) {
	if in := h.rooms[room].without(r); in == nil {
		delete(h.rooms, room)
	} else {
		h.rooms[room] = in
	}
}

// forget drops a reader who has not been here for a while. h.mu is held.
func (h *Hub) forget(r *reader) {
	for _, s := range r.spans {
		h.exit(s.Room, r)
	}
	delete(h.readers, r.user)
	delete(h.idle, r)
}
