package hubtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parley/app/chat"
	"parley/server/hub"
)

// testModel does what chance suggests, in groups, and holds each answer against
// the oracle's, and at the end all that can be read. One store serves all
// runs, each with people and rooms of its own.
func testModel(t *testing.T, w *world) {
	defer func() { w.t = t }()
	rapid.Check(t, func(rt *rapid.T) {
		w.t = rt
		base, err := w.s.Head(w.ctx)
		if err != nil {
			rt.Fatalf("Head: %v", err)
		}
		m := &model{T: rt, w: w, o: newOracle(), base: base, rooms: []chat.RoomID{chat.NewID[chat.RoomID]()}}
		for _, name := range []string{"ana", "ben", "小明"} {
			w.n++ // nobody is called as in an earlier run: a store may refuse that
			m.users = append(m.users, w.user(fmt.Sprint(name, " ", w.n)))
		}
		m.nameUsers()
		m.users = append(m.users, chat.NewID[chat.UserID]()) // whom nobody knows
		for range rapid.IntRange(1, 12).Draw(rt, "groups") {
			m.step()
		}
		m.compare()
		if rapid.IntRange(0, 9).Draw(rt, "reopen") == 0 {
			w.reopen()
			m.compare()
		}
	})
}

type model struct {
	*rapid.T
	w     *world
	o     *oracle
	base  hub.Pos // of the log when this run began
	users []chat.UserID
	rooms []chat.RoomID
	sent  []hub.Append
}

// nameUsers lets the oracle know the people.
func (m *model) nameUsers() {
	for _, u := range m.users {
		snap, _, err := m.w.s.Snapshot(m.w.ctx, u)
		if err != nil {
			m.Fatalf("Snapshot of a new user: %v", err)
		}
		same(m, "the rooms of a new user", []chat.Room{}, snap.Rooms)
		m.o.names[u] = "?"
	}
}

// step appends one group.
func (m *model) step() {
	var group []hub.Append
	for range rapid.IntRange(1, 6).Draw(m.T, "size") {
		group = append(group, m.any(group))
	}
	m.sent = append(m.sent, group...)
	results, err := m.w.s.Append(m.w.ctx, group)
	if err != nil {
		m.Fatalf("Append: %v", err)
	}
	for i, got := range results {
		for _, l := range got.New { // names are known from the first event that tells them
			if b := l.Event.Member; b != nil && m.o.names[b.User] == "?" {
				m.o.names[b.User] = b.Name
			}
		}
		want := m.o.append(group[i], got.Room, m.base)
		if chat.CodeOf(want.Err) != chat.CodeOf(got.Err) && (want.Err != nil || got.Err != nil) {
			m.Fatalf("Append of %s: refused with %v; want %v", encode(group[i]), got.Err, want.Err)
		}
		want.Err, got.Err = nil, nil
		same(m, "Append of "+encode(group[i]), want, got)
		if got.Room != "" && !slices.Contains(m.rooms, got.Room) {
			m.rooms = append(m.rooms, got.Room)
		}
	}
}

// any draws something to append.
func (m *model) any(group []hub.Append) hub.Append {
	from := rapid.SampledFrom(m.users[:3]).Draw(m.T, "from")
	user := rapid.SampledFrom(m.users)
	room := rapid.SampledFrom(m.rooms)
	seq := rapid.Custom(func(t *rapid.T) chat.Seq { return chat.Seq(rapid.IntRange(1, 12).Draw(t, "seq")) })
	what := rapid.SampledFrom(strings.Fields("create message message message edit delete join leave change read again other")).Draw(m.T, "what")
	d := chat.Draft{Room: room.Draw(m.T, "room")}
	switch what {
	case "create":
		kind := rapid.SampledFrom([]chat.RoomKind{chat.Public, chat.Private, chat.Direct, chat.Self}).Draw(m.T, "kind")
		n := &chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: kind}
		if kind != chat.Self {
			n.Members = rapid.SliceOfN(user, 0, 2).Draw(m.T, "members")
		}
		if kind == chat.Public || kind == chat.Private {
			n.Name = "a room"
		}
		return hub.Append{From: from, At: m.w.now(), Create: n}
	case "message":
		d.Body = message(rapid.StringN(1, 40, 100).Draw(m.T, "text"))
	case "edit":
		d.Body = edited(seq.Draw(m.T, "target"), "better")
	case "delete":
		d.Body = deleted(seq.Draw(m.T, "target"))
	case "join":
		d.Body = joined(user.Draw(m.T, "who"))
	case "leave":
		d.Body = left(user.Draw(m.T, "who"))
	case "change":
		kind := rapid.SampledFrom([]chat.RoomKind{chat.Public, chat.Private}).Draw(m.T, "kind")
		d.Body = chat.Body{Change: &chat.Change{Kind: kind, Name: "renamed", Topic: "topic"}}
	case "read":
		d.Body = read(room.Draw(m.T, "read"), seq.Draw(m.T, "up to"))
	case "again", "other":
		all := append(slices.Clone(m.sent), group...)
		if len(all) == 0 {
			d.Body = message("first")
			break
		}
		a := rapid.SampledFrom(all).Draw(m.T, "repeated")
		a.At = m.w.now()
		if what == "other" && a.Create == nil {
			a.Draft.Body = message("something else")
		}
		return a
	}
	return m.w.draft(from, d)
}

// compare reads everything and holds it against the oracle.
func (m *model) compare() {
	log, err := m.w.s.After(m.w.ctx, m.base, len(m.o.log)+1)
	if err != nil {
		m.Fatalf("After: %v", err)
	}
	same(m, "the log", m.o.log, log)
	for _, u := range m.users[:3] {
		same(m, "AfterFor", m.o.logOf(u), m.w.logOf(u, m.base, rapid.IntRange(1, 9).Draw(m.T, "page")))
		spans, err := m.w.s.Spans(m.w.ctx, u)
		if err != nil {
			m.Fatalf("Spans: %v", err)
		}
		same(m, "Spans", m.o.spans[u], spans)
		snap, pos, err := m.w.s.Snapshot(m.w.ctx, u)
		if err != nil || pos != m.base+hub.Pos(len(m.o.log)) {
			m.Fatalf("Snapshot at %d, %v", pos, err)
		}
		var rooms []chat.Room
		for _, id := range m.rooms {
			p := m.o.rooms[id]
			if p == nil || !m.o.isIn(u, id) {
				if _, err := m.w.s.Before(m.w.ctx, u, id, 0, 5); chat.CodeOf(err) != chat.CodeNotFound {
					m.Fatalf("Before in a room of others: %v", err)
				}
				continue
			}
			rooms = append(rooms, m.o.room(u, p))
			d, err := m.w.s.Digest(m.w.ctx, u, id, 2, 9)
			if err != nil {
				m.Fatalf("Digest: %v", err)
			}
			same(m, "Digest", digest(m, m.o.history(u, p), 2, 9, chat.Seq(len(p.log))), d)
			same(m, "Before", m.o.history(u, p), m.w.history(u, id, rapid.IntRange(1, 9).Draw(m.T, "page")))
		}
		for i := range snap.Rooms {
			slices.Sort(snap.Rooms[i].Members)
		}
		same(m, "the snapshot's rooms", rooms, snap.Rooms)
	}
}
