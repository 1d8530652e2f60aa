package sqlite

import (
	"parley/app/chat"
	"parley/server/auth"
	"parley/server/hub"
)

// maxKnown bounds each part of known. One that is full is emptied and fills again.
const maxKnown = 1 << 16

// known is what the writer remembers of what the transaction it is in would
// read. Only the writer changes what it is about, and after a transaction that
// failed it is thrown away.
type known struct {
	head    hub.Pos // of the log when this was true
	rooms   map[chat.RoomID]*room
	people  map[chat.UserID]person
	members map[member]bool // whether the one is in the other now
	looks   auth.Looks      // of all names, which are not forgotten when they are many
	looked  int64           // up to which user
}

func newKnown() *known {
	return &known{
		rooms:   map[chat.RoomID]*room{},
		people:  map[chat.UserID]person{},
		members: map[member]bool{},
	}
}

type room struct {
	num     int64
	id      chat.RoomID
	kind    chat.RoomKind
	creator chat.UserID
	head    chat.Seq // of the newest event
	members int      // now; not counted yet when negative
}

type person struct {
	num  int64
	id   chat.UserID
	name string
}

type member struct{ user, room int64 }

// room returns nil when there is no such room.
func (c *change) room(id chat.RoomID) (*room, error) {
	k := c.w.known
	if r := k.rooms[id]; r != nil {
		return r, nil
	}
	r := &room{id: id, members: -1}
	ok, err := c.row([]any{&r.num, &r.kind, &r.creator, &r.head}, `
		SELECT r.num, r.kind, u.id, (SELECT coalesce(max(seq), 0) FROM events WHERE room = r.num)
		FROM rooms r CROSS JOIN users u ON u.num = r.creator WHERE r.id = ?`, string(id))
	if err != nil || !ok {
		return nil, err
	}
	c.know(r)
	return r, nil
}

func (c *change) know(r *room) {
	put(c.w.known.rooms, r.id, r)
}

// person reports whether there is a user of this id.
func (c *change) person(id chat.UserID) (person, bool, error) {
	k := c.w.known
	if p, ok := k.people[id]; ok {
		return p, true, nil
	}
	p := person{id: id}
	ok, err := c.row([]any{&p.num, &p.name}, `
		SELECT num, name FROM users WHERE id = ? AND deactivated_at IS NULL`, string(id))
	if err != nil || !ok {
		return person{}, false, err
	}
	put(k.people, id, p)
	return p, true, nil
}

// isIn reports whether the user is a member of the room now.
func (c *change) isIn(user, room int64) (bool, error) {
	k := c.w.known
	m := member{user, room}
	if in, ok := k.members[m]; ok {
		return in, nil
	}
	var one int
	in, err := c.row([]any{&one}, `SELECT 1 FROM spans WHERE room = ? AND user = ? AND to_pos = 0`, room, user)
	if err != nil {
		return false, err
	}
	put(k.members, m, in)
	return in, nil
}

// count counts the members of a room, once: to bring thousands into a room would else take as long as their number squared.
func (c *change) count(r *room) (err error) {
	if r.members < 0 {
		_, err = c.row([]any{&r.members}, `SELECT count(*) FROM spans WHERE room = ? AND to_pos = 0`, r.num)
	}
	return err
}

// put adds to a part of known.
func put[K comparable, V any](m map[K]V, k K, v V) {
	if len(m) >= maxKnown {
		clear(m)
	}
	m[k] = v
}
