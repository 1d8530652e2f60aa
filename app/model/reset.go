package model

import (
	"slices"

	"parley/app/chat"
)

// Reset begins again from a snapshot. Timelines that join up with it are kept, and so
// is what the user wrote, unless the snapshot is another user's. Follow on from its cursor.
func (m *Model) Reset(s chat.Snapshot) {
	if m.you != s.You {
		m.forget()
	}
	m.you, m.self, m.cursor, m.stale = s.You, s.Self, s.Cursor, false
	for _, u := range s.Users {
		m.users[u.ID] = u
	}
	m.online = map[chat.UserID]bool{}
	for _, u := range s.Online {
		m.online[u] = true
	}
	old := m.rooms
	m.rooms = map[chat.RoomID]*room{}
	for _, c := range s.Rooms {
		r := newRoom(c)
		m.rooms[c.ID] = r
		if was := old[c.ID]; was != nil {
			r.inherit(was, m.you)
		}
	}
	// What was known beyond the snapshot will come again, but is known now.
	for id, r := range m.rooms {
		if was := old[id]; was != nil {
			for _, e := range was.log {
				if e.Seq > r.head && m.rooms[id] == r {
					m.add(r, e)
				}
			}
		}
	}
	m.out = slices.DeleteFunc(m.out, func(i *Item) bool { return i.Event != nil && m.logged(*i.Event) })
	for _, r := range m.rooms {
		for _, e := range r.log {
			if e.From == m.you {
				m.echo(e)
			}
		}
	}
	m.peopleChanged()
}

// logged reports that e is in its room's log, or that there is no such room.
func (m *Model) logged(e chat.Event) bool {
	r := m.rooms[e.Room]
	return r == nil || e.Seq <= r.head
}
