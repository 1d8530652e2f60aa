package model

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"parley/app/chat"
	"parley/app/text"
)

// shown is what the last View showed; a part that did not change is shared with
// the next.
type shown struct {
	version   uint64 // counts up for ever, over all parts
	rooms     []RoomItem
	roomsVer  uint64
	people    []Person
	peopleVer uint64
	members   []Person // of the open room
	membersOf chat.RoomID
	pending   Chunk
	renamed   bool // people came, went or changed since
}

// lastLen is how much of the newest message a row of the sidebar has, in characters.
const lastLen = 120

func (m *Model) next() uint64 {
	m.shown.version++
	return m.shown.version
}

// peopleChanged says that what is known of people, or who is where, changed.
func (m *Model) peopleChanged() { m.shown.renamed = true }

// View makes what a screen shows now.
func (m *Model) View(now time.Time, session Session, c Connection) *View {
	if m.shown.renamed {
		m.showPeople()
		for _, r := range m.rooms {
			r.redraw()
		}
	}
	m.showRooms()
	v := &View{
		Version: m.next(), Session: session, Connection: c, Me: m.users[m.you],
		Rooms: m.shown.rooms, RoomsVer: m.shown.roomsVer, People: m.shown.people, PeopleVer: m.shown.peopleVer,
	}
	v.Me.ID = m.you
	for _, i := range v.Rooms {
		v.Unread += i.Unread
	}
	if r := m.rooms[m.open]; r != nil {
		v.Room = m.showRoom(r, now)
	}
	m.shown.renamed = false
	return v
}

func (m *Model) showPeople() {
	people := make([]Person, 0, len(m.users))
	for id := range m.users {
		people = append(people, m.person(id))
	}
	sortPeople(people)
	if !slices.Equal(people, m.shown.people) {
		m.shown.people, m.shown.peopleVer = people, m.next()
	}
}

func (m *Model) person(id chat.UserID) Person {
	u := m.users[id]
	u.ID = id
	// One is always here to oneself, whatever others were told so far.
	return Person{User: u, Online: m.online[id] || id == m.you}
}

func sortPeople(p []Person) {
	slices.SortFunc(p, func(a, b Person) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
}

// showRooms orders the sidebar: rooms by name, then direct ones, the newest first.
func (m *Model) showRooms() {
	items := make([]RoomItem, 0, len(m.rooms))
	for id, r := range m.rooms {
		if id != m.self && r.kind != chat.Self && !m.lab(r) {
			items = append(items, m.roomItem(r))
		}
	}
	slices.SortFunc(items, func(a, b RoomItem) int {
		direct := func(i RoomItem) int {
			if i.Kind == chat.Direct {
				return 1
			}
			return 0
		}
		if c := direct(a) - direct(b); c != 0 {
			return c
		}
		if a.Kind == chat.Direct {
			return cmp.Or(b.LastAt.Compare(a.LastAt), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	if !slices.Equal(items, m.shown.rooms) {
		m.shown.rooms, m.shown.roomsVer = items, m.next()
	}
}

// lab reports whether the person's lab measures in r: it is no place to talk.
func (m *Model) lab(r *room) bool {
	return chat.Room{Kind: r.kind, Name: r.name, Creator: r.creator, Members: r.members}.Lab(m.you)
}

func (m *Model) roomItem(r *room) RoomItem {
	i := RoomItem{
		ID: r.id, Kind: r.kind, Name: m.name(r), Unread: r.unread, Draft: m.drafts[r.id], Current: r.id == m.open,
	}
	if r.kind == chat.Direct && len(r.members) == 2 {
		i.Peer = r.members[0]
		if i.Peer == m.you {
			i.Peer = r.members[1]
		}
		i.Online = m.online[i.Peer]
	}
	if r.lastOld {
		r.last, r.lastAt, r.lastOld = "", time.Time{}, false
		for _, e := range slices.Backward(r.log) {
			if e.Message != nil {
				t, _ := r.text(e)
				r.last, r.lastAt = text.Plain(t, lastLen), e.At
				break
			}
		}
		if n := len(r.log); r.lastAt.IsZero() && n > 0 {
			r.lastAt = r.log[n-1].At
		}
	}
	i.Last, i.LastAt = r.last, r.lastAt
	return i
}

// name is what a room is called: a direct one by the others in it.
func (m *Model) name(r *room) string {
	if r.kind != chat.Direct {
		return r.name
	}
	var names []string
	for _, u := range r.members {
		if u != m.you {
			names = append(names, m.users[u].Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (m *Model) showRoom(r *room, now time.Time) *RoomView {
	s := &m.shown
	if s.renamed || s.membersOf != r.id {
		s.members = make([]Person, 0, len(r.members))
		for _, u := range r.members {
			s.members = append(s.members, m.person(u))
		}
		sortPeople(s.members)
		s.membersOf = r.id
	}
	v := &RoomView{
		ID: r.id, Kind: r.kind, Name: m.name(r), Topic: r.topic, Creator: r.creator, Members: s.members,
		More: r.more, Loading: r.loading, LoadErr: r.loadErr, Unread: r.unread, Draft: m.drafts[r.id],
		First: r.first(), Head: r.head, FirstNew: r.newest,
	}
	for u, until := range r.typing {
		if name := m.users[u].Name; until.After(now) && name != "" {
			v.Typing = append(v.Typing, name)
		}
	}
	slices.Sort(v.Typing)
	var end tail
	v.Chunks, end = m.draw(r)
	rows := m.pendingRows(r, end)
	if !slices.Equal(rows, s.pending.Rows) || s.pending.Version == 0 {
		s.pending = Chunk{Version: m.next(), Rows: rows}
	}
	v.Pending = s.pending
	return v
}
