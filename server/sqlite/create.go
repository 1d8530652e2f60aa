package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// create makes a room, or finds the one that is there.
func (g *appending) create(from person, at time.Time, n chat.NewRoom) (hub.Appended, error) {
	var refused hub.Appended
	if n.Nonce == "" {
		return refused, chat.Errorf(chat.CodeInvalid, "a new room needs a nonce")
	}
	n.Members = slices.Compact(slices.Sorted(slices.Values(n.Members)))
	said, err := json.Marshal(chat.NewRoom{Kind: n.Kind, Name: n.Name, Members: n.Members})
	if err != nil {
		return refused, fmt.Errorf("encoding a new room: %w", err)
	}
	draft := hashed(said)
	if known, ok, err := g.repeated(from, n.Nonce, draft); err != nil || ok {
		return hub.Appended{Event: known.Event, Room: known.Event.Room}, err
	}
	people, err := g.people(from, n)
	if err != nil {
		return refused, err
	}
	only := onlyOf(n.Kind, people)
	if only != nil {
		found, ok, err := g.found(only)
		if err != nil || ok {
			return hub.Appended{Event: found.Event, Room: found.Event.Room}, err
		}
	}
	r := &room{id: chat.NewID[chat.RoomID](), kind: n.Kind, creator: from.id}
	r.num, err = g.inserted(`INSERT INTO rooms (id, kind, name, topic, creator, people) VALUES (?, ?, ?, '', ?, ?)`,
		string(r.id), string(n.Kind), n.Name, from.num, only)
	if err != nil {
		return refused, err
	}
	g.know(r)
	return g.open(r, from, at, people, n, draft)
}

// people are those of a new room, its creator first.
func (g *appending) people(from person, n chat.NewRoom) ([]person, error) {
	switch n.Kind {
	case chat.Public, chat.Private, chat.Direct, chat.Self:
	default:
		return nil, chat.Errorf(chat.CodeInvalid, "a room is public, private or direct")
	}
	people := []person{from}
	for _, id := range n.Members {
		if id == from.id {
			continue
		}
		p, ok, err := g.person(id)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, chat.ErrNotFound
		}
		people = append(people, p)
	}
	switch {
	case n.Kind == chat.Direct && len(people) < 2:
		return nil, chat.Errorf(chat.CodeInvalid, "a direct room is with somebody else")
	case n.Kind == chat.Self && len(people) > 1:
		return nil, chat.Errorf(chat.CodeInvalid, "a self room is for one")
	case len(people) > chat.MaxMembers:
		return nil, &chat.Error{Code: chat.CodeTooLarge, Message: "too many members", Max: chat.MaxMembers, Got: len(people)}
	}
	return people, nil
}

// onlyOf names the one direct or self room of these people; nil for other kinds.
func onlyOf(kind chat.RoomKind, people []person) []byte {
	if kind != chat.Direct && kind != chat.Self {
		return nil
	}
	what := [][]byte{[]byte(kind)}
	for _, p := range people {
		what = append(what, []byte(p.id))
	}
	slices.SortFunc(what[1:], slices.Compare[[]byte])
	return hashed(what...)
}

// found answers the first event of the direct or self room that is there already.
func (g *appending) found(only []byte) (hub.Logged, bool, error) {
	var num int64
	ok, err := g.row([]any{&num}, `SELECT num FROM rooms WHERE people = ?`, only)
	if err != nil || !ok {
		return hub.Logged{}, false, err
	}
	l, err := g.event(sqlEvents+`WHERE e.room = ? AND e.seq = 1`, num)
	return l, err == nil, err
}

// open appends how a room begins: what it is, then who is in it. They
// all read it from the first event on.
func (g *appending) open(r *room, from person, at time.Time, people []person, n chat.NewRoom, draft []byte) (hub.Appended, error) {
	begun := hub.Appended{Room: r.id}
	add := func(nonce chat.Nonce, b chat.Body) error {
		body, err := json.Marshal(b)
		if err != nil {
			return fmt.Errorf("encoding an event: %w", err)
		}
		l, ok, err := g.insert(r, from, at, nonce, draft, b, body)
		if err == nil && !ok {
			err = fmt.Errorf("event %d of a new room can not be appended", l.Event.Seq)
		}
		begun.New = append(begun.New, l)
		return err
	}
	if err := add(n.Nonce, chat.Body{Change: &chat.Change{Kind: n.Kind, Name: n.Name}}); err != nil {
		return begun, err
	}
	begun.Event = begun.New[0].Event
	for _, p := range people {
		if err := add("", chat.Body{Member: &chat.Member{User: p.id, Name: p.name, State: chat.Joined}}); err != nil {
			return begun, err
		}
		if err := g.admit(r, p, begun.New[0].Pos, begun.Event.Seq); err != nil {
			return begun, err
		}
	}
	return begun, nil
}
