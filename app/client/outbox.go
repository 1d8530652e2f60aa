package client

import (
	"context"
	"errors"
	"maps"
	"time"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/transport"
)

// An outbox sends what the model has to send: within a room one after another, in
// the order of writing, rooms beside each other. What was refused for good
// blocks nothing. The nonces stay the same however often and over whatever link a
// draft is sent, so it is appended once.
type outbox struct {
	flying map[chat.Nonce]bool
	retry  backoff
	not    time.Time // before this, after a failure
}

const (
	flyingMost   = 4
	sendPatience = 15 * time.Second
)

// again says that there is reason to try at once.
func (o *outbox) again() { o.not = time.Time{} }

// stop says that nothing on its way will be heard of.
func (o *outbox) stop(m *model.Model) {
	for n := range o.flying {
		m.Requeue(n)
	}
	o.flying = nil
}

// pump sends what can be sent now.
func (e *Engine) pump() {
	e.off(alarmSend)
	if e.session != model.SignedIn || e.link == nil || e.conn.State == model.Offline {
		return
	}
	if d := time.Until(e.out.not); d > 0 {
		e.in(alarmSend, d)
		return
	}
	busy := map[chat.RoomID]bool{}
	for _, i := range e.model.Outbox() {
		if i.State == model.Failed || i.State == model.Sent || busy[i.Draft.Room] {
			continue
		}
		busy[i.Draft.Room] = true
		if !e.out.flying[i.Draft.Nonce] && len(e.out.flying) < flyingMost {
			e.fly(i.Draft)
		}
	}
}

// fly sends a draft.
func (e *Engine) fly(d chat.Draft) {
	if e.out.flying == nil {
		e.out.flying = map[chat.Nonce]bool{}
	}
	e.out.flying[d.Nonce] = true
	e.model.Sending(d.Nonce)
	e.wrote() // it may now be in the log, which must not be forgotten
	link, era := e.link, e.era
	ask(e, sendPatience, func(ctx context.Context) (chat.Event, error) { return link.Send(ctx, d) },
		func(got chat.Event, err error) {
			if era == e.era {
				e.landed(link, d, got, err)
			}
		})
}

// landed hears what became of a draft.
func (e *Engine) landed(link transport.Transport, d chat.Draft, got chat.Event, err error) {
	delete(e.out.flying, d.Nonce)
	e.wrote()
	switch {
	case err == nil:
		e.out.retry.reset()
		e.model.Settle(got)
	case errors.Is(err, chat.ErrUnauthorized):
		e.model.Requeue(d.Nonce)
		e.ended()
		return
	case chat.Final(err):
		e.model.Fail(d.Nonce, chat.CodeOf(err))
	default:
		e.model.Postpone(d.Nonce, chat.CodeOf(err))
		if link == e.link { // else it has moved to another, which is not to blame
			e.out.not = time.Now().Add(e.out.retry.next(err))
		}
	}
	e.pump()
}

// marks are the read marks to be sent, the furthest of each room.
type marks struct {
	want   map[chat.RoomID]chat.Seq
	flying map[chat.RoomID]chat.Seq // on their way; nil when none are
	last   time.Time
}

// stop says that nothing on its way will be heard of: it is to be sent again, which does no harm.
func (m *marks) stop() {
	for room, seq := range m.flying {
		m.add(room, seq)
	}
	m.flying = nil
}

func (m *marks) add(room chat.RoomID, seq chat.Seq) {
	if m.want == nil {
		m.want = map[chat.RoomID]chat.Seq{}
	}
	m.want[room] = max(m.want[room], seq)
}

const (
	marksEvery  = time.Second
	marksRetry  = 5 * time.Second
	typingEvery = 3 * time.Second
)

// mark has a read mark sent soon.
func (e *Engine) mark(room chat.RoomID, seq chat.Seq) {
	e.marks.add(room, seq)
	e.by(alarmMarks, max(0, marksEvery-time.Since(e.marks.last)))
}

// sendMarks sends the marks that wait.
func (e *Engine) sendMarks() {
	e.off(alarmMarks)
	if len(e.marks.want) == 0 || e.marks.flying != nil || e.session != model.SignedIn || e.link == nil || e.conn.State == model.Offline {
		return
	}
	want, link, self, era := e.marks.want, e.link, e.model.Self(), e.era
	e.marks.want, e.marks.flying, e.marks.last = nil, maps.Clone(want), time.Now()
	ask(e, sendPatience, func(ctx context.Context) (map[chat.RoomID]chat.Seq, error) {
		for room, seq := range want {
			d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: self, Body: chat.Body{Read: &chat.Read{Room: room, Seq: seq}}}
			if _, err := link.Send(ctx, d); err != nil && !chat.Final(err) {
				return want, err
			}
			delete(want, room)
		}
		return nil, nil
	}, func(rest map[chat.RoomID]chat.Seq, err error) {
		if era != e.era {
			return
		}
		e.marks.flying = nil
		for room, seq := range rest {
			e.mark(room, seq)
		}
		if err != nil {
			e.in(alarmMarks, marksRetry)
		} else if len(e.marks.want) > 0 {
			e.by(alarmMarks, marksEvery)
		}
	})
}

// typing tells the others in a room that the person is writing, now and then.
func (e *Engine) typing(room chat.RoomID) {
	if e.conn.State != model.Open || !e.model.Has(room) || time.Since(e.typed[room]) < typingEvery {
		return
	}
	e.typed[room] = time.Now()
	link := e.link
	ask(e, sendPatience, func(ctx context.Context) (chat.Event, error) {
		return link.Send(ctx, chat.Draft{Room: room, Body: chat.Body{Typing: &chat.Typing{}}})
	}, func(chat.Event, error) {}) // a signal may be lost
}
