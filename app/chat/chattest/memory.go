package chattest

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
)

// Memory is a whole server in memory: a log, rooms, users, and a link for each
// of them. It has no limits and no sessions; its clock is Now.
type Memory struct {
	Beat time.Duration    // silence before an empty batch; 20 s if zero
	Now  func() time.Time // time.Now if nil

	mu      sync.Mutex
	grown   chan struct{} // closed, and replaced, whenever there is something new
	epoch   int
	log     []chat.Event // what has position p is log[p-1]
	rooms   map[chat.RoomID]*memRoom
	users   map[chat.UserID]*memUser
	nonces  map[memNonce]memSent
	signals []memSignal // the newest; a follower remembers how many it has seen
	heard   int         // how many signals there ever were
}

type memRoom struct {
	kind        chat.RoomKind
	name, topic string
	creator     chat.UserID
	members     []chat.UserID
	events      []int                  // positions; that of Seq s is events[s-1]
	spans       map[chat.UserID][]span // who may read what
	read        map[chat.UserID]chat.Seq
}

type memUser struct {
	chat.User
	self chat.RoomID
}

// A span is an interval of positions from ≤ p < to; to is 0 while it lasts.
type span struct{ from, to int }

type memNonce struct {
	user  chat.UserID
	nonce chat.Nonce
}

type memSent struct {
	draft string // as JSON
	pos   int
}

type memSignal struct {
	to chat.RoomID
	e  chat.Event
}

// NewMemory returns an empty server.
func NewMemory() *Memory {
	return &Memory{
		grown: make(chan struct{}), epoch: 1,
		rooms: map[chat.RoomID]*memRoom{}, users: map[chat.UserID]*memUser{}, nonces: map[memNonce]memSent{},
	}
}

// World is the World of m.
func (m *Memory) World() World {
	return World{
		User: func(_ testing.TB, name string) chat.UserID { return m.AddUser(name).ID },
		Room: func(_ testing.TB, creator chat.UserID, others ...chat.UserID) chat.RoomID {
			return m.CreateRoom(creator, chat.NewRoom{Kind: chat.Private, Name: "den", Members: others}).ID
		},
		Link:    func(_ testing.TB, u chat.UserID) chat.Link { return m.Link(u) },
		Beat:    m.beat(),
		Signals: true,
	}
}

// AddUser makes a user, with their self room.
func (m *Memory) AddUser(name string) chat.User {
	u := &memUser{User: chat.User{ID: chat.NewID[chat.UserID](), Name: name}}
	m.mu.Lock()
	m.users[u.ID] = u
	m.mu.Unlock()
	u.self = m.CreateRoom(u.ID, chat.NewRoom{Kind: chat.Self}).ID
	return u.User
}

// CreateRoom makes a room, whatever its form.
func (m *Memory) CreateRoom(creator chat.UserID, n chat.NewRoom) chat.Room {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := chat.NewID[chat.RoomID]()
	r := &memRoom{kind: n.Kind, name: n.Name, creator: creator, spans: map[chat.UserID][]span{}, read: map[chat.UserID]chat.Seq{}}
	m.rooms[id] = r
	r.spans[creator] = []span{{from: len(m.log) + 1}}
	m.append(creator, chat.Draft{Room: id, Body: chat.Body{Change: &chat.Change{Kind: n.Kind, Name: n.Name}}})
	for _, u := range append([]chat.UserID{creator}, n.Members...) {
		m.append(creator, chat.Draft{Room: id, Body: chat.Body{Member: &chat.Member{User: u, State: chat.Joined}}})
	}
	return m.room(id, creator)
}

// Restore does what restoring a backup does: every cursor given so far is of no use.
func (m *Memory) Restore() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	m.wake()
}

// Online tells the members of all rooms who came and who went.
func (m *Memory) Online(p chat.Presence) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signal(memSignal{e: chat.Event{Body: chat.Body{Presence: &p}}})
}

// Log returns the events of a room, as u may read them.
func (m *Memory) Log(u chat.UserID, room chat.RoomID) []chat.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	var events []chat.Event
	for _, p := range m.rooms[room].events {
		if m.may(u, p) {
			events = append(events, m.log[p-1])
		}
	}
	return events
}

// Snapshot returns what u knows, with at most limit events of each room.
func (m *Memory) Snapshot(u chat.UserID, limit int) chat.Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := chat.Snapshot{You: u, Self: m.users[u].self, Cursor: m.cursor(len(m.log))}
	known := map[chat.UserID]bool{u: true}
	for id, r := range m.rooms {
		if !slices.Contains(r.members, u) {
			continue
		}
		room := m.room(id, u)
		if cut := len(room.Events) - limit; cut > 0 {
			room.Events, room.More = room.Events[cut:], true
		}
		s.Rooms = append(s.Rooms, room)
		for _, o := range r.members {
			known[o] = true
		}
		for _, e := range room.Events {
			known[e.From] = true
		}
	}
	for id := range known {
		s.Users = append(s.Users, m.users[id].User)
	}
	slices.SortFunc(s.Rooms, func(a, b chat.Room) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Users, func(a, b chat.User) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

// History returns a page of a room's events before seq; 0 is from the newest.
func (m *Memory) History(u chat.UserID, room chat.RoomID, before chat.Seq, limit int) (chat.History, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[room]
	if r == nil || !slices.Contains(r.members, u) {
		return chat.History{}, chat.ErrNotFound
	}
	var h chat.History
	for _, e := range slices.Backward(m.room(room, u).Events) {
		switch {
		case before != 0 && e.Seq >= before:
		case len(h.Events) == limit:
			h.More = true
		default:
			h.Events = append(h.Events, e)
		}
	}
	slices.Reverse(h.Events)
	return h, nil
}

// Digest returns the digest of what u may read of a room from one Seq to another; 0 is the newest.
func (m *Memory) Digest(u chat.UserID, room chat.RoomID, from, to chat.Seq) (chat.Digest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[room]
	if r == nil || !slices.Contains(r.members, u) {
		return chat.Digest{}, chat.ErrNotFound
	}
	d := chat.Digest{From: max(from, 1), To: to, Head: chat.Seq(len(r.events))}
	if to == 0 || to > d.Head {
		d.To = d.Head
	}
	for _, e := range m.room(room, u).Events {
		if e.Seq < d.From || e.Seq > d.To {
			continue
		}
		if err := d.Add(e); err != nil {
			return chat.Digest{}, err
		}
	}
	return d, nil
}

// Rooms returns the public rooms that u is not in.
func (m *Memory) Rooms(u chat.UserID) []chat.Room {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rooms []chat.Room
	for id, r := range m.rooms {
		if r.kind == chat.Public && !slices.Contains(r.members, u) {
			rooms = append(rooms, chat.Room{ID: id, Kind: r.kind, Name: r.name, Topic: r.topic, Head: chat.Seq(len(r.events))})
		}
	}
	return rooms
}

// room is what u knows of the room now, with all of its events.
func (m *Memory) room(id chat.RoomID, u chat.UserID) chat.Room {
	r := m.rooms[id]
	room := chat.Room{
		ID: id, Kind: r.kind, Name: r.name, Topic: r.topic, Creator: r.creator,
		Members: slices.Clone(r.members), Head: chat.Seq(len(r.events)), Read: r.read[u],
	}
	for _, p := range r.events {
		if e := m.log[p-1]; m.may(u, p) || r.kind == chat.Public {
			room.Events = append(room.Events, e)
			if e.Message != nil && e.From != u && e.Seq > room.Read && m.may(u, p) {
				room.Unread++
			}
		}
	}
	return room
}

// may reports whether u may read what has position p.
func (m *Memory) may(u chat.UserID, p int) bool {
	for _, s := range m.rooms[m.log[p-1].Room].spans[u] {
		if s.from <= p && (s.to == 0 || p < s.to) {
			return true
		}
	}
	return false
}

func (m *Memory) cursor(pos int) chat.Cursor { return chat.Cursor(fmt.Sprintf("m%d-%d", m.epoch, pos)) }

// place is the position that a cursor means.
func (m *Memory) place(c chat.Cursor) (int, error) {
	if c == "" {
		return len(m.log), nil
	}
	var epoch, pos int
	if n, _ := fmt.Sscanf(string(c), "m%d-%d", &epoch, &pos); n != 2 || epoch != m.epoch || pos < 0 || pos > len(m.log) || m.cursor(pos) != c {
		return 0, chat.ErrReset
	}
	return pos, nil
}

func (m *Memory) wake() {
	close(m.grown)
	m.grown = make(chan struct{})
}

func (m *Memory) beat() time.Duration {
	if m.Beat == 0 {
		return 20 * time.Second
	}
	return m.Beat
}
