package chattest

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"parley/app/chat"
)

// Link gives a link of u.
func (m *Memory) Link(u chat.UserID) chat.Link { return memLink{m, u} }

type memLink struct {
	m *Memory
	u chat.UserID
}

func (l memLink) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		l.m.mu.Lock()
		pos, err := l.m.place(after)
		epoch, heard := l.m.epoch, l.m.heard
		l.m.mu.Unlock()
		if err != nil {
			yield(chat.Batch{}, err)
			return
		}
		beat := time.NewTimer(0) // the first batch comes at once
		defer beat.Stop()
		for due := false; ctx.Err() == nil; {
			b, grown, level := l.m.after(l.u, epoch, &pos, &heard)
			switch {
			case grown == nil:
				yield(chat.Batch{}, chat.ErrReset)
				return
			case due || len(b.Events) > 0:
				if !yield(b, nil) {
					return
				}
				due = false
				beat.Reset(l.m.beat())
			}
			if !level {
				continue
			}
			select {
			case <-grown:
			case <-beat.C:
				due = true
			case <-ctx.Done():
			}
		}
	}
}

// after reads on from a place in the log, and of the signals. level: there is no more, and
// grown tells when there will be. A nil grown says that the place is of no use now.
func (m *Memory) after(u chat.UserID, epoch int, pos, heard *int) (b chat.Batch, grown <-chan struct{}, level bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if epoch != m.epoch {
		return b, nil, false
	}
	for *pos < len(m.log) && len(b.Events) < chat.MaxBatch {
		*pos++
		if m.may(u, *pos) {
			b.Events = append(b.Events, m.log[*pos-1])
		}
	}
	b.Cursor = m.cursor(*pos)
	level = *pos == len(m.log)
	if level {
		for _, s := range m.signals[max(0, len(m.signals)-(m.heard-*heard)):] {
			if r := m.rooms[s.to]; len(b.Events) < chat.MaxBatch && (r == nil || slices.Contains(r.members, u) && s.e.From != u) {
				b.Events = append(b.Events, s.e)
			}
		}
		*heard = m.heard
	}
	return b, m.grown, level
}

func (l memLink) Send(ctx context.Context, d chat.Draft) (chat.Event, error) {
	if err := ctx.Err(); err != nil {
		return chat.Event{}, err
	}
	if err := d.Validate(); err != nil {
		return chat.Event{}, err
	}
	m := l.m
	m.mu.Lock()
	defer m.mu.Unlock()
	text, err := json.Marshal(d)
	if err != nil {
		return chat.Event{}, chat.Errorf(chat.CodeInvalid, "the draft is no JSON: %v", err)
	}
	name := memNonce{l.u, d.Nonce}
	if was, ok := m.nonces[name]; ok && !d.Signal() {
		if was.draft != string(text) {
			return chat.Event{}, chat.ErrConflict
		}
		return m.log[was.pos-1], nil
	}
	if err := m.allow(l.u, d); err != nil {
		return chat.Event{}, err
	}
	if d.Signal() {
		s := memSignal{to: d.Room, e: chat.Event{Room: d.Room, From: l.u, At: m.now(), Body: d.Body}}
		m.signal(s)
		return s.e, nil
	}
	e := m.append(l.u, d)
	m.nonces[name] = memSent{string(text), len(m.log)}
	return e, nil
}

// append adds an event to the log and does what it says.
func (m *Memory) append(from chat.UserID, d chat.Draft) chat.Event {
	r := m.rooms[d.Room]
	pos := len(m.log) + 1
	e := chat.Event{Room: d.Room, Seq: chat.Seq(len(r.events) + 1), From: from, At: m.now(), Nonce: d.Nonce, Body: d.Body}
	switch {
	case e.Member != nil:
		u := m.users[e.Member.User]
		e.Member = &chat.Member{User: u.ID, Name: u.Name, State: e.Member.State}
		spans := r.spans[u.ID]
		if e.Member.State == chat.Joined {
			if len(spans) == 0 || spans[len(spans)-1].to != 0 {
				r.spans[u.ID] = append(spans, span{from: pos})
			}
			r.members = append(r.members, u.ID)
		} else {
			spans[len(spans)-1].to = pos + 1
			r.members = slices.DeleteFunc(r.members, func(o chat.UserID) bool { return o == u.ID })
		}
	case e.Change != nil:
		r.name, r.topic = e.Change.Name, e.Change.Topic
	case e.Read != nil:
		o := m.rooms[e.Read.Room]
		o.read[from] = max(o.read[from], e.Read.Seq)
	case e.Delete != nil:
		for _, p := range r.events {
			if o := &m.log[p-1]; o.Seq == e.Delete.Seq || o.Edit != nil && o.Edit.Seq == e.Delete.Seq {
				o.Body = chat.Body{}
			}
		}
	}
	m.log = append(m.log, e)
	r.events = append(r.events, pos)
	m.wake()
	return e
}

// allow says whether from may send d.
func (m *Memory) allow(from chat.UserID, d chat.Draft) error {
	r := m.rooms[d.Room]
	if r == nil {
		return chat.ErrNotFound
	}
	in := slices.Contains(r.members, from)
	if d.Member != nil && d.Member.User == from && d.Member.State == chat.Joined && r.kind == chat.Public {
		in = true
	}
	target := func(s chat.Seq) error {
		if s < 1 || int(s) > len(r.events) || m.log[r.events[s-1]-1].Message == nil {
			return chat.ErrNotFound
		}
		if m.log[r.events[s-1]-1].From != from {
			return chat.ErrForbidden
		}
		return nil
	}
	switch {
	case !in:
		return chat.ErrNotFound
	case d.Edit != nil:
		return target(d.Edit.Seq)
	case d.Delete != nil:
		return target(d.Delete.Seq)
	case d.Member != nil:
		return m.allowMember(from, r, d.Member)
	case d.Change != nil && r.creator != from:
		return chat.ErrForbidden
	case d.Read != nil:
		if o := m.rooms[d.Read.Room]; o == nil || !slices.Contains(o.members, from) || int(d.Read.Seq) > len(o.events) {
			return chat.ErrNotFound
		}
	}
	return nil
}

func (m *Memory) allowMember(from chat.UserID, r *memRoom, d *chat.Member) error {
	switch {
	case m.users[d.User] == nil:
		return chat.ErrNotFound
	case r.kind == chat.Direct || r.kind == chat.Self:
		return chat.ErrForbidden
	case d.State == chat.Left && d.User != from && r.creator != from:
		return chat.ErrForbidden
	case slices.Contains(r.members, d.User) == (d.State == chat.Joined):
		return chat.Errorf(chat.CodeConflict, "so it is already")
	}
	return nil
}

func (m *Memory) signal(s memSignal) {
	m.heard++
	m.signals = append(m.signals, s)
	if cut := len(m.signals) - chat.MaxBatch; cut > 0 {
		m.signals = slices.Delete(m.signals, 0, cut)
	}
	m.wake()
}

func (m *Memory) now() time.Time {
	if m.Now == nil {
		return time.Now().UTC().Round(0)
	}
	return m.Now()
}
