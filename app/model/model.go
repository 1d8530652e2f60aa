// Package model is what one user knows: rooms and their timelines, people,
// what is unread, and what the user wrote that is not in a log yet.
//
// It is pure: it reads no clock, does no I/O and starts no goroutine. Whoever
// owns a [Model] feeds it what came over a feed ([Model.Apply]), what answers said
// ([Model.Reset], [Model.Page], [Model.Settle]) and what the person does, and
// draws the [View] it makes.
//
// Two facts make it simple. What comes is applied once by (room, seq),
// however often and over however many feeds it comes, since a feed has no
// gaps: what is not after a room's head is known. And what an answer says is
// never put in a log: an answer may be ahead of the feed, which alone fills
// logs, so that nothing between is passed over.
package model

import (
	"maps"
	"slices"
	"time"

	"parley/app/chat"
)

// A Model is what one user knows. One goroutine owns it.
type Model struct {
	zone   *time.Location // whose days divide the timelines
	you    chat.UserID
	self   chat.RoomID
	cursor chat.Cursor
	users  map[chat.UserID]chat.User
	online map[chat.UserID]bool
	rooms  map[chat.RoomID]*room
	left   map[chat.RoomID]chat.Seq // rooms the user left, and with which event
	out    []*Item                  // what was written and is in no log yet, in order
	drafts map[chat.RoomID]string   // what was typed and not sent
	open   chat.RoomID
	stale  bool
	torn   []chat.RoomID // rooms of which the feed lost something
	shown  shown
}

// New returns a Model that knows nothing. Days begin at midnight in zone.
func New(zone *time.Location) *Model {
	m := &Model{zone: zone}
	m.forget()
	return m
}

func (m *Model) forget() {
	*m = Model{
		zone: m.zone, open: m.open, shown: shown{version: m.shown.version},
		users: map[chat.UserID]chat.User{}, online: map[chat.UserID]bool{},
		rooms: map[chat.RoomID]*room{}, left: map[chat.RoomID]chat.Seq{}, drafts: map[chat.RoomID]string{},
	}
}

// You is whose model this is; empty when it knows nothing.
func (m *Model) You() chat.UserID { return m.you }

// Self is the user's own room.
func (m *Model) Self() chat.RoomID { return m.self }

// Cursor is where to follow on.
func (m *Model) Cursor() chat.Cursor { return m.cursor }

// Stale reports that the feed told of a room that the model does not know: a
// Snapshot is needed, and Follow is to go on from its cursor. Until then
// the model is not to be kept on disk.
func (m *Model) Stale() bool { return m.stale }

// Has reports whether the user is in the room, as far as the model knows.
func (m *Model) Has(id chat.RoomID) bool { return m.rooms[id] != nil }

// Apply takes in what a feed brought.
func (m *Model) Apply(b chat.Batch, now time.Time) {
	for _, e := range b.Events {
		m.apply(e, now)
	}
	if b.Cursor != "" {
		m.cursor = b.Cursor
	}
}

// Missing is how many events of a batch the model does not have.
func (m *Model) Missing(b chat.Batch) (n int) {
	for _, e := range b.Events {
		if r := m.rooms[e.Room]; r != nil && e.Seq > r.head || r == nil && e.Seq > m.left[e.Room] {
			n++
		}
	}
	return n
}

func (m *Model) apply(e chat.Event, now time.Time) {
	if p := e.Presence; p != nil {
		if p.Anew {
			clear(m.online)
		}
		for _, u := range p.Online {
			m.online[u] = true
		}
		for _, u := range p.Offline {
			delete(m.online, u)
		}
		m.peopleChanged()
		return
	}
	r := m.rooms[e.Room]
	switch {
	case e.Signal():
		if r != nil && e.Typing != nil && e.From != m.you {
			r.typing[e.From] = now.Add(typingLasts)
		}
		return
	case r == nil:
		m.stale = m.stale || e.Seq > m.left[e.Room]
		return
	case e.Seq <= r.head:
		return
	case e.Seq > r.head+1 && !slices.Contains(m.torn, r.id):
		m.torn = append(m.torn, r.id)
	}
	m.add(r, e)
}

// add appends to a room's log and does what the event says.
func (m *Model) add(r *room, e chat.Event) {
	r.append(e, m.you)
	if e.From == m.you {
		m.echo(e)
	}
	switch {
	case e.Member != nil:
		m.member(r, e)
	case e.Change != nil:
		r.name, r.topic = e.Change.Name, e.Change.Topic
	case e.Read != nil && e.Room == m.self:
		if o := m.rooms[e.Read.Room]; o != nil {
			o.mark(e.Read.Seq, m.you)
		}
	}
	if r.id != m.open {
		r.trim(keepClosed, 2*keepClosed)
	} else {
		r.trim(keepOpen, 2*keepOpen)
	}
}

func (m *Model) member(r *room, e chat.Event) {
	who := e.Member.User
	if u := m.users[who]; u.Name != e.Member.Name && e.Member.Name != "" {
		u.ID, u.Name = who, e.Member.Name
		m.users[who] = u
	}
	r.members = slices.DeleteFunc(r.members, func(u chat.UserID) bool { return u == who })
	if e.Member.State == chat.Joined {
		r.members = append(r.members, who)
	}
	m.peopleChanged()
	if who == m.you && e.Member.State == chat.Left {
		m.Leave(r.id, e.Seq)
	}
}

// Leave forgets a room whose event seq let the user out. What was typed there stays.
func (m *Model) Leave(id chat.RoomID, seq chat.Seq) {
	delete(m.rooms, id)
	m.left[id] = max(m.left[id], seq)
	if len(m.left) > maxLeft { // then some may be asked for in vain, no more
		clear(m.left)
	}
	m.peopleChanged()
}

// AddRoom takes in a room that an answer brought: one the user just made.
func (m *Model) AddRoom(c chat.Room) {
	if m.rooms[c.ID] == nil {
		m.rooms[c.ID] = newRoom(c)
		m.peopleChanged()
	}
}

// Open shows a room, or none: what came before is divided from what is new.
func (m *Model) Open(id chat.RoomID) {
	if m.open == id {
		return
	}
	if r := m.rooms[m.open]; r != nil {
		r.trim(keepClosed, keepClosed)
		r.undraw()
	}
	m.open = id
	m.Divide()
}

// Divide moves the divider of the open room before what is unread now.
func (m *Model) Divide() {
	if r := m.rooms[m.open]; r != nil {
		r.divide(m.you)
	}
}

// Older begins to load a page of older events; before is where it ends.
func (m *Model) Older(id chat.RoomID) (before chat.Seq, ok bool) {
	r := m.rooms[id]
	if r == nil || !r.more || r.loading {
		return 0, false
	}
	r.loading, r.loadErr = true, false
	return r.first(), true
}

// Page takes in a page of older events, asked for with before; or, with ok false,
// that there was none to be had.
func (m *Model) Page(id chat.RoomID, before chat.Seq, h chat.History, ok bool) {
	r := m.rooms[id]
	if r == nil {
		return
	}
	r.loading, r.loadErr = false, !ok
	if ok && before == r.first() { // else the timeline began anew meanwhile
		for _, u := range h.Users {
			if _, known := m.users[u.ID]; !known {
				m.users[u.ID] = u
			}
		}
		r.prepend(h)
	}
}

// Unload says that no page that is on its way will come.
func (m *Model) Unload() {
	for _, r := range m.rooms {
		r.loading = false
	}
}

// Read marks the room read up to seq and reports whether that is news.
func (m *Model) Read(id chat.RoomID, seq chat.Seq) bool {
	r := m.rooms[id]
	return r != nil && r.mark(min(seq, r.head), m.you)
}

// SaveDraft keeps what was typed in a room; empty text keeps nothing.
func (m *Model) SaveDraft(id chat.RoomID, text string) bool {
	if m.drafts[id] == text || len(text) > maxDraft || m.you == "" {
		return false
	}
	if text == "" {
		delete(m.drafts, id)
	} else {
		m.drafts[id] = text
	}
	return true
}

// Draft is what was typed in a room and not sent.
func (m *Model) Draft(id chat.RoomID) string { return m.drafts[id] }

// Expire forgets who has stopped writing by now, and returns when to
// ask again: zero when nobody writes.
func (m *Model) Expire(now time.Time) (next time.Time) {
	for _, r := range m.rooms {
		maps.DeleteFunc(r.typing, func(_ chat.UserID, until time.Time) bool { return !until.After(now) })
		for _, until := range r.typing {
			if next.IsZero() || until.Before(next) {
				next = until
			}
		}
	}
	return next
}

// Bounds of what a model keeps. A log that grew to twice its bound is cut to it;
// what is cut can be loaded again.
const (
	keepOpen   = 2_000 // events of the open room; each takes a browser some 50 KB while it is drawn
	keepClosed = 200   // events of any other
	keepSaved  = 100   // events of a room on disk
	maxLeft    = 1_000
	maxDraft   = 4 * chat.MaxTextBytes

	typingLasts = 6 * time.Second
)
