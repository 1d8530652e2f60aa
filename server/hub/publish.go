package hub

import (
	"time"

	"parley/app/chat"
)

// publish puts entries, which are committed, into the tail and into the hands of
// their readers. The first members of a new room read it from its first event on,
// so they arrive before it is spread.
func (h *Hub) publish(entries []*Entry) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range entries {
		if e.since > 0 && e.Event.Member != nil {
			h.arrive(e.Event.Member.User, e.Event.Room, e.since)
		}
	}
	for _, e := range entries {
		if d := e.Event.Delete; d != nil {
			if err := h.tail.blank(e.Event.Room, d.Seq, h.entry); err != nil {
				return err
			}
		}
		h.spread(e)
	}
	h.level()
	return nil
}

// signal lets e, which is not stored, follow the events so far. h.mu is held.
func (h *Hub) signal(ev chat.Event) error {
	now := h.now()
	ev.At = now.UTC().Truncate(time.Millisecond)
	e, err := h.entry(Logged{Pos: h.tailHead(), Event: ev})
	if err != nil {
		return err
	}
	e.made = now
	h.spread(e)
	h.level()
	return nil
}

// spread pushes e to the tail and to whom it concerns. h.mu is held.
func (h *Hub) spread(e *Entry) {
	e.place = place{pos: e.Pos, ord: h.tail.next}
	e.cursor = h.mint(e.place)
	h.tail.push(e)
	m := e.Event.Member
	if m != nil && m.State == chat.Joined {
		h.arrive(m.User, e.Event.Room, e.Pos)
	}
	if e.Event.Presence != nil {
		for _, r := range h.readers {
			h.give(r, e)
		}
	} else {
		for _, r := range h.rooms[e.Event.Room] {
			h.give(r, e)
		}
	}
	if m != nil && m.State == chat.Left && !keepRemoved {
		if r := h.readers[m.User]; r != nil {
			r.leave(e.Event.Room, e.Pos)
			h.exit(e.Event.Room, r)
		}
	}
}

// level moves the head past everything spread, and wakes. Only now may a
// watcher with empty hands take itself to be level. h.mu is held.
func (h *Hub) level() {
	last := h.tail.at(h.tail.next - 1)
	h.head.Store(&mark{place: last.place, cursor: last.cursor})
	for i, w := range h.dirty {
		w.wake()
		h.dirty[i] = nil
	}
	h.dirty = h.dirty[:0]
}

func (h *Hub) arrive(u chat.UserID, room chat.RoomID, pos Pos) {
	if r := h.readers[u]; r != nil {
		r.join(room, pos)
		h.enter(room, r)
	}
}

func (h *Hub) give(r *reader, e *Entry) {
	for _, w := range r.watchers {
		if !lose() && w.push(e) {
			h.dirty = append(h.dirty, w)
		}
	}
}

// tailHead is the position of the newest event published. h.mu is held.
func (h *Hub) tailHead() Pos {
	if h.tail.next == h.tail.first {
		return h.tail.floor
	}
	return h.tail.at(h.tail.next - 1).Pos
}
