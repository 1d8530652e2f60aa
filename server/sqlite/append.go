package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// Append implements hub.Store.
func (s *Store) Append(ctx context.Context, group []hub.Append) ([]hub.Appended, error) {
	var results []hub.Appended
	err := s.w.change(ctx, func(c *change) error {
		g := &appending{change: c}
		if _, err := c.row([]any{&g.head}, sqlHead); err != nil {
			return err
		}
		if s.w.known.head != g.head { // just begun; or another process appends, which the lock should prevent
			s.w.known = newKnown()
		}
		results = make([]hub.Appended, 0, len(group))
		for _, a := range group {
			r, err := g.append(a)
			if refusal, ok := errors.AsType[*chat.Error](err); ok {
				r, err = hub.Appended{Err: refusal}, nil
			}
			if err != nil {
				return err
			}
			results = append(results, r)
		}
		s.w.known.head = g.head
		return nil
	})
	if err != nil {
		return nil, fault("appending to the log", err)
	}
	return results, nil
}

// appending is a group on its way into the log. A method that answers a
// *chat.Error has written nothing, so one draft refused does not concern the others.
type appending struct {
	*change
	head hub.Pos // of the newest event, in this transaction
}

func (g *appending) append(a hub.Append) (hub.Appended, error) {
	from, ok, err := g.person(a.From)
	if err != nil {
		return hub.Appended{}, err
	}
	if !ok {
		return hub.Appended{}, chat.ErrUnauthorized
	}
	if a.Create != nil {
		return g.create(from, a.At, *a.Create)
	}
	return g.draft(from, a.At, a.Draft)
}

func (g *appending) draft(from person, at time.Time, d chat.Draft) (hub.Appended, error) {
	var refused hub.Appended
	if d.Nonce == "" || kind(d.Body) == "" {
		return refused, chat.Errorf(chat.CodeInvalid, "this is not a draft of an event")
	}
	if d.Member != nil {
		d.Member = &chat.Member{User: d.Member.User, State: d.Member.State} // the name is ours to say
	}
	body, err := json.Marshal(d.Body)
	if err != nil {
		return refused, fmt.Errorf("encoding a draft: %w", err)
	}
	said := hashed([]byte(d.Room), body)
	r, err := g.room(d.Room)
	if err != nil {
		return refused, err
	}
	var f hub.Facts
	var who person // of a membership
	if r != nil {
		if f, who, err = g.facts(from, r, d.Body); err != nil {
			return refused, err
		}
	}
	if refusal := hub.Allow(from.id, d, f); refusal != nil {
		// What was allowed then may not be now, such as to delete what is deleted: the answer is that of then.
		known, ok, err := g.repeated(from, d.Nonce, said)
		if err == nil && !ok {
			err = refusal
		}
		return hub.Appended{Event: known.Event}, err
	}
	if d.Member != nil {
		d.Member.Name = who.name
		if body, err = json.Marshal(d.Body); err != nil {
			return refused, fmt.Errorf("encoding a draft: %w", err)
		}
	}
	l, ok, err := g.insert(r, from, at, d.Nonce, said, d.Body, body)
	if err != nil {
		return refused, err
	}
	if !ok {
		known, ok, err := g.repeated(from, d.Nonce, said)
		if err == nil && !ok {
			err = fmt.Errorf("event %d of room %s can not be appended, though its nonce is new", l.Event.Seq, r.id)
		}
		return hub.Appended{Event: known.Event}, err
	}
	return hub.Appended{Event: l.Event, New: []hub.Logged{l}}, g.follow(r, from, who, l)
}

// repeated finds the event of a nonce used before. It is a conflict that
// something else was said then; of what was deleted since, that is not known any more.
func (g *appending) repeated(from person, n chat.Nonce, said []byte) (hub.Logged, bool, error) {
	if ignoreNonce {
		return hub.Logged{}, false, nil
	}
	var pos hub.Pos
	var then []byte
	ok, err := g.row([]any{&pos, &then}, `SELECT pos, draft FROM events WHERE sender = ? AND nonce = ?`, from.num, string(n))
	if err != nil || !ok {
		return hub.Logged{}, false, err
	}
	if then != nil && string(then) != string(said) {
		return hub.Logged{}, false, chat.ErrConflict
	}
	l, err := g.event(sqlEvents+`WHERE e.pos = ?`, pos)
	return l, err == nil, err
}

// facts reads what hub.Allow asks about, and no more than what b needs.
func (g *appending) facts(from person, r *room, b chat.Body) (f hub.Facts, who person, err error) {
	f = hub.Facts{Kind: r.kind, Creator: r.creator}
	if f.Sender, err = g.isIn(from.num, r.num); err != nil {
		return f, who, err
	}
	switch {
	case b.Member != nil:
		if who, f.User, err = g.person(b.Member.User); err != nil || !f.User {
			return f, who, err
		}
		if f.IsIn, err = g.isIn(who.num, r.num); err != nil || f.IsIn {
			return f, who, err
		}
		err = g.count(r)
		f.Members = r.members
	case b.Edit != nil:
		f.Target, err = g.target(r, b.Edit.Seq)
	case b.Delete != nil:
		f.Target, err = g.target(r, b.Delete.Seq)
	case b.Read != nil:
		read, err := g.room(b.Read.Room)
		if err != nil || read == nil {
			return f, who, err
		}
		in, err := g.isIn(from.num, read.num)
		if in {
			f.Head = read.head
		}
		return f, who, err
	}
	return f, who, err
}

func (g *appending) target(r *room, seq chat.Seq) (*chat.Event, error) {
	if seq < 1 || seq > r.head {
		return nil, nil
	}
	l, err := g.event(sqlEvents+`WHERE e.room = ? AND e.seq = ?`, r.num, seq)
	return &l.Event, err
}

// event reads one event that is there.
func (g *appending) event(text string, args ...any) (l hub.Logged, err error) {
	rows, err := g.query(text, args...)
	n := 0
	err = each(rows, err, func(s scan) error {
		n++
		l, err = scanEvent(s)
		return err
	})
	if err == nil && n != 1 {
		err = fmt.Errorf("the log holds %d events where there is one", n)
	}
	return l, err
}

// insert gives the event the next position and the next number of its room. Nothing is appended, which is not ok, when the sender
// used the nonce before: the index says so on the way, which costs less than to ask first.
func (g *appending) insert(r *room, from person, at time.Time, n chat.Nonce, said []byte, b chat.Body, body []byte) (l hub.Logged, ok bool, err error) {
	l = hub.Logged{Pos: g.head + 1, Event: chat.Event{
		Room: r.id, Seq: r.head + 1, From: from.id, Nonce: n, Body: b,
		At: time.UnixMilli(at.UnixMilli()).UTC(), // as it will be read
	}}
	var nonce, draft, target any
	if n != "" {
		nonce, draft = string(n), said
	}
	if b.Edit != nil {
		target = int64(b.Edit.Seq)
	}
	rows, err := g.changed(`INSERT INTO events (pos, room, seq, sender, at, kind, target, nonce, draft, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		int64(l.Pos), r.num, int64(l.Event.Seq), from.num, at.UnixMilli(), kind(b), target, nonce, draft, string(body))
	if err != nil || rows == 0 {
		return l, false, err
	}
	g.head, r.head = l.Pos, l.Event.Seq
	return l, true, nil
}

// follow does what an event means beside being in the log. who is the user
// of a membership.
func (g *appending) follow(r *room, from, who person, l hub.Logged) error {
	switch b := l.Event.Body; {
	case b.Delete != nil:
		const blank = `UPDATE events SET kind = 'deleted', draft = NULL, body = NULL WHERE room = ? AND `
		return errors.Join(
			g.exec(blank+`seq = ?`, r.num, int64(b.Delete.Seq)),
			g.exec(blank+`target = ?`, r.num, int64(b.Delete.Seq))) // its edits
	case b.Member != nil && b.Member.State == chat.Joined:
		return g.admit(r, who, l.Pos, l.Event.Seq)
	case b.Member != nil:
		put(g.w.known.members, member{who.num, r.num}, false)
		r.members = max(r.members-1, -1)
		return g.exec(`UPDATE spans SET to_pos = ?, to_seq = ? WHERE room = ? AND user = ? AND to_pos = 0`,
			int64(l.Pos+1), int64(l.Event.Seq+1), r.num, who.num)
	case b.Change != nil:
		return g.exec(`UPDATE rooms SET name = ?, topic = ? WHERE num = ?`, b.Change.Name, b.Change.Topic, r.num)
	case b.Read != nil:
		read, err := g.room(b.Read.Room)
		if err != nil {
			return err
		}
		return g.exec(`INSERT INTO marks (user, room, seq) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)`, from.num, read.num, int64(b.Read.Seq))
	}
	return nil
}

// admit makes who a member from an event of the room on.
func (g *appending) admit(r *room, who person, pos hub.Pos, seq chat.Seq) error {
	put(g.w.known.members, member{who.num, r.num}, true)
	if r.members >= 0 {
		r.members++
	}
	return g.exec(`INSERT INTO spans (user, room, from_pos, from_seq) VALUES (?, ?, ?, ?)`,
		who.num, r.num, int64(pos), int64(seq))
}
