package model

import (
	"cmp"
	"slices"

	"parley/app/chat"
)

// Piece is how many Seqs are compared at once: so many are read again where they differ.
const Piece = 500

// An Outcome is what comes of comparing a room with what the server says of it.
type Outcome uint8

const (
	Gone      Outcome = iota // there is no such room here, not any more
	Behind                   // the feed has not brought all that the server spoke of
	Overtaken                // what came since changed what the server spoke of, or it is not held any more
	Alike
	Differs
)

// Torn lists the rooms in which the feed passed over a Seq since it was last asked. It never
// should; where it did, an event was lost on the way.
func (m *Model) Torn() []chat.RoomID {
	torn := m.torn
	m.torn = nil
	return torn
}

// Known lists the rooms, the open one first.
func (m *Model) Known() []chat.RoomID {
	ids := make([]chat.RoomID, 0, len(m.rooms))
	for id := range m.rooms {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b chat.RoomID) int {
		switch m.open {
		case a:
			return -1
		case b:
			return 1
		}
		return cmp.Compare(a, b)
	})
	return ids
}

// Doubt forgets that anything was found to be the same as on the server.
func (m *Model) Doubt() {
	for _, r := range m.rooms {
		r.sure = sure{}
	}
}

// Sure is the Seq up to which a room was found to be the same; 0 where all of it is to be
// compared.
func (m *Model) Sure(id chat.RoomID) chat.Seq {
	if r := m.rooms[id]; r != nil && r.sure.from <= r.begin() {
		return r.sure.to
	}
	return 0
}

// Checked counts the events that were found to be the same.
func (m *Model) Checked() (n int) {
	for _, r := range m.rooms {
		from, _ := r.find(r.sure.from)
		to, _ := r.find(r.sure.to + 1)
		n += to - from
	}
	return n
}

// Head is the Seq of the newest event of a room; 0 where it is not known.
func (m *Model) Head(id chat.RoomID) chat.Seq {
	if r := m.rooms[id]; r != nil {
		return r.head
	}
	return 0
}

// Piece is the piece of a room to be compared after a Seq. to is 0 for the head, wherever it is.
func (m *Model) Piece(id chat.RoomID, after chat.Seq) (from, to chat.Seq, ok bool) {
	r := m.rooms[id]
	if r == nil {
		return 0, 0, false
	}
	from = max(after+1, r.begin())
	if to = from + Piece - 1; to >= r.head {
		to = 0
	}
	return from, to, true
}

// Compare holds a room against what the server says of it, and remembers what is the same.
func (m *Model) Compare(id chat.RoomID, d chat.Digest) Outcome {
	r := m.rooms[id]
	switch {
	case r == nil:
		return Gone
	case r.head < d.Head:
		return Behind
	case d.From < r.begin():
		return Overtaken
	}
	mine := chat.Digest{From: d.From, To: d.To}
	for _, e := range r.log {
		switch {
		case e.Delete != nil && e.Seq > d.Head: // then something is blank here that was not yet there
			return Overtaken
		case e.Seq < d.From || e.Seq > d.To:
		case mine.Add(e) != nil:
			return Differs
		}
	}
	if !mine.Same(d) {
		r.sure.cut(d.From)
		return Differs
	}
	r.sure.add(d.From, d.To)
	return Alike
}

// Mend puts what the history of a room says in place of what is held of it, from one Seq
// to another. What is after the head is left to the feed.
func (m *Model) Mend(id chat.RoomID, from, to chat.Seq, events []chat.Event) {
	r := m.rooms[id]
	if r == nil {
		return
	}
	outside := func(e chat.Event) bool { return e.Seq < from || e.Seq > to || e.Seq > r.head }
	inside := slices.DeleteFunc(slices.Clone(events), outside)
	log := slices.DeleteFunc(slices.Clone(r.log), func(e chat.Event) bool { return !outside(e) })
	at, _ := slices.BinarySearchFunc(log, from, func(e chat.Event, s chat.Seq) int { return cmp.Compare(e.Seq, s) })
	r.log = slices.Insert(log, at, inside...)
	r.sure.cut(from)
	r.relearn()
}

// sure is the part of a log that was found to be the same as on the server. to is 0 when there
// is none.
type sure struct{ from, to chat.Seq }

func (s *sure) add(from, to chat.Seq) {
	switch {
	case s.to == 0 || from > s.to+1 || to < s.from-1:
		*s = sure{from, to}
	default:
		*s = sure{min(s.from, from), max(s.to, to)}
	}
}

// cut takes out what is from a Seq on.
func (s *sure) cut(from chat.Seq) {
	if s.to = min(s.to, from-1); s.to < s.from {
		*s = sure{}
	}
}

// begin is the Seq from which on r holds everything that the user may read. Where nothing is
// before the log, that nothing is compared too, unless it is long.
func (r *room) begin() chat.Seq {
	if first := r.first(); r.more || first > Piece {
		return first
	}
	return 1
}
