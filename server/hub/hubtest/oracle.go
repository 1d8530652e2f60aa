package hubtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// An oracle holds what a store should hold, and says what it should answer. It takes over
// from the store only what the store chooses: the ids of rooms.
type oracle struct {
	names  map[chat.UserID]string
	log    []hub.Logged
	rooms  map[chat.RoomID]*place
	drafts map[draftKey]*drafted
	spans  map[chat.UserID][]hub.Span
	marks  map[markKey]chat.Seq
}

type (
	draftKey struct {
		from  chat.UserID
		nonce chat.Nonce
	}
	drafted struct {
		said  string
		at    int // in the log
		blank bool
	}
	markKey struct {
		user chat.UserID
		room chat.RoomID
	}
	// A place is a room as the oracle knows it.
	place struct {
		id      chat.RoomID
		is      chat.Change
		creator chat.UserID
		people  []chat.UserID // of a direct or self room, sorted
		log     []int         // its events in the log
	}
)

func newOracle() *oracle {
	return &oracle{
		names: map[chat.UserID]string{}, rooms: map[chat.RoomID]*place{}, drafts: map[draftKey]*drafted{},
		spans: map[chat.UserID][]hub.Span{}, marks: map[markKey]chat.Seq{},
	}
}

// add puts an event at the end of the log, whose first event is the one after base.
func (o *oracle) add(p *place, from chat.UserID, at time.Time, n chat.Nonce, b chat.Body, base hub.Pos) hub.Logged {
	l := hub.Logged{Pos: base + hub.Pos(len(o.log)) + 1, Event: chat.Event{
		Room: p.id, Seq: chat.Seq(len(p.log) + 1), From: from, At: at.Truncate(time.Millisecond), Nonce: n, Body: b,
	}}
	p.log = append(p.log, len(o.log))
	o.log = append(o.log, l)
	return l
}

// append does what the store should do with a, given the room's id that it chose.
func (o *oracle) append(a hub.Append, chosen chat.RoomID, base hub.Pos) hub.Appended {
	key, what := draftKey{a.From, a.Draft.Nonce}, a.Draft
	what.Nonce = ""
	said := encode(what)
	if a.Create != nil {
		key.nonce = a.Create.Nonce
		n := *a.Create
		n.Nonce, n.Members = "", unique(n.Members)
		said = encode(n)
	}
	if d := o.drafts[key]; d != nil {
		if d.said != said && !d.blank {
			return hub.Appended{Err: chat.ErrConflict}
		}
		e := o.log[d.at].Event
		if a.Create != nil {
			return hub.Appended{Event: e, Room: e.Room}
		}
		return hub.Appended{Event: e}
	}
	at := len(o.log)
	var res hub.Appended
	if a.Create != nil {
		res = o.create(a, chosen, base)
	} else {
		res = o.draft(a, base)
	}
	if len(res.New) > 0 {
		o.drafts[key] = &drafted{said: said, at: at}
	}
	return res
}

func (o *oracle) create(a hub.Append, chosen chat.RoomID, base hub.Pos) hub.Appended {
	people := []chat.UserID{a.From}
	for _, u := range unique(a.Create.Members) {
		if o.names[u] == "" {
			return hub.Appended{Err: chat.ErrNotFound}
		}
		if u != a.From {
			people = append(people, u)
		}
	}
	p := &place{id: chosen, creator: a.From, is: chat.Change{Kind: a.Create.Kind, Name: a.Create.Name}}
	if p.is.Kind == chat.Direct || p.is.Kind == chat.Self {
		if len(people) == 1 != (p.is.Kind == chat.Self) {
			return hub.Appended{Err: chat.Errorf(chat.CodeInvalid, "not with these people")}
		}
		p.people = unique(people)
		for _, other := range o.rooms {
			if other.is.Kind == p.is.Kind && slices.Equal(other.people, p.people) {
				return hub.Appended{Event: o.log[other.log[0]].Event, Room: other.id}
			}
		}
	}
	o.rooms[p.id] = p
	change := p.is
	res := hub.Appended{Room: p.id, New: []hub.Logged{o.add(p, a.From, a.At, a.Create.Nonce, chat.Body{Change: &change}, base)}}
	res.Event = res.New[0].Event
	for _, u := range people {
		b := joined(u)
		b.Member.Name = o.names[u]
		res.New = append(res.New, o.add(p, a.From, a.At, "", b, base))
		o.spans[u] = append(o.spans[u], hub.Span{Room: p.id, From: res.New[0].Pos})
	}
	return res
}

func (o *oracle) draft(a hub.Append, base hub.Pos) hub.Appended {
	d := a.Draft
	p := o.rooms[d.Room]
	if err := hub.Allow(a.From, d, o.facts(a.From, p, d.Body)); err != nil {
		return hub.Appended{Err: err}
	}
	if d.Member != nil {
		d.Member = &chat.Member{User: d.Member.User, State: d.Member.State, Name: o.names[d.Member.User]}
	}
	l := o.add(p, a.From, a.At, d.Nonce, d.Body, base)
	switch {
	case d.Delete != nil:
		for _, i := range p.log {
			e := &o.log[i].Event
			if e.Seq == d.Delete.Seq || e.Edit != nil && e.Edit.Seq == d.Delete.Seq {
				e.Body = chat.Body{}
				if old := o.drafts[draftKey{e.From, e.Nonce}]; old != nil {
					old.blank = true
				}
			}
		}
	case d.Member != nil && d.Member.State == chat.Joined:
		o.spans[d.Member.User] = append(o.spans[d.Member.User], hub.Span{Room: p.id, From: l.Pos})
	case d.Member != nil:
		for i, s := range o.spans[d.Member.User] {
			if s.Room == p.id && s.To == 0 {
				o.spans[d.Member.User][i].To = l.Pos + 1
			}
		}
	case d.Change != nil:
		p.is = *d.Change
	case d.Read != nil:
		k := markKey{a.From, d.Read.Room}
		o.marks[k] = max(o.marks[k], d.Read.Seq)
	}
	return hub.Appended{Event: l.Event, New: []hub.Logged{l}}
}

func (o *oracle) facts(from chat.UserID, p *place, b chat.Body) (f hub.Facts) {
	if p == nil {
		return f
	}
	f = hub.Facts{Kind: p.is.Kind, Creator: p.creator, Members: len(o.members(p)), Sender: o.isIn(from, p.id)}
	switch {
	case b.Member != nil:
		f.User, f.IsIn = o.names[b.Member.User] != "", o.isIn(b.Member.User, p.id)
	case b.Edit != nil:
		f.Target = o.target(p, b.Edit.Seq)
	case b.Delete != nil:
		f.Target = o.target(p, b.Delete.Seq)
	case b.Read != nil:
		if other := o.rooms[b.Read.Room]; other != nil && o.isIn(from, other.id) {
			f.Head = chat.Seq(len(other.log))
		}
	}
	return f
}

func (o *oracle) target(p *place, seq chat.Seq) *chat.Event {
	if seq < 1 || int(seq) > len(p.log) {
		return nil
	}
	return &o.log[p.log[seq-1]].Event
}

func (o *oracle) isIn(u chat.UserID, room chat.RoomID) bool {
	return slices.ContainsFunc(o.spans[u], func(s hub.Span) bool { return s.Room == room && s.To == 0 })
}

func (o *oracle) members(p *place) (in []chat.UserID) {
	for u := range o.names {
		if o.isIn(u, p.id) {
			in = append(in, u)
		}
	}
	slices.Sort(in)
	return in
}

func (o *oracle) covers(u chat.UserID, l hub.Logged) bool {
	return slices.ContainsFunc(o.spans[u], func(s hub.Span) bool {
		return s.Room == l.Event.Room && s.From <= l.Pos && (s.To == 0 || l.Pos < s.To)
	})
}

// logOf is u's view of the log.
func (o *oracle) logOf(u chat.UserID) (mine []hub.Logged) {
	for _, l := range o.log {
		if o.covers(u, l) {
			mine = append(mine, l)
		}
	}
	return mine
}

// history is what u, who is in it, may read of a room.
func (o *oracle) history(u chat.UserID, p *place) (all []chat.Event) {
	for _, i := range p.log {
		if p.is.Kind == chat.Public || o.covers(u, o.log[i]) {
			all = append(all, o.log[i].Event)
		}
	}
	return all
}

// room is what u, who is in it, knows of a room.
func (o *oracle) room(u chat.UserID, p *place) chat.Room {
	r := chat.Room{
		ID: p.id, Kind: p.is.Kind, Name: p.is.Name, Topic: p.is.Topic, Creator: p.creator,
		Members: o.members(p), Head: chat.Seq(len(p.log)), Read: o.marks[markKey{u, p.id}], Events: o.history(u, p),
	}
	for _, i := range p.log {
		if l := o.log[i]; l.Event.Message != nil && l.Event.From != u && l.Event.Seq > r.Read && o.covers(u, l) {
			r.Unread++
		}
	}
	if n := len(r.Events); n > 50 {
		r.Events, r.More = r.Events[n-50:], true
	}
	return r
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encoding %T: %v", v, err))
	}
	return string(b)
}

func unique[E ~string](s []E) []E { return slices.Compact(slices.Sorted(slices.Values(s))) }
