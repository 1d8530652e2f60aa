package client

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/app/transport"
)

// ping measures the way there and back, and while someone looks what is there and has not come.
// When it must answer and does not, the way is dead.
func (e *Engine) ping(must bool) {
	a := e.now
	if a == nil || a.opened.IsZero() || !e.seen() && !must {
		return
	}
	looked := e.looked()
	switch {
	case a.shared:
		if must {
			e.hello(noteHurry)
		}
		if looked {
			e.in(alarmPing, lookPing)
			e.compare(a, false)
		}
	case a.via == chat.EventSource && e.conn.Choice.Auto:
		every := pingEvery
		if time.Since(a.opened) < stable {
			every = pingEarly
		}
		e.in(alarmPing, e.pause(every))
		e.compare(a, must)
	case looked && a.via != chat.WebSocket: // whose pings are requests too
		e.in(alarmPing, lookPing)
		e.compare(a, must)
	default:
		e.in(alarmPing, e.pause(pingEvery))
		ask(e, pingPatience, a.link.Ping, func(d time.Duration, err error) { e.pinged(a, must, d, err) })
		if looked {
			e.sight(a, func(sight, error) {})
		}
	}
}

func (e *Engine) pinged(a *attempt, must bool, d time.Duration, err error) {
	switch {
	case a != e.now:
	case err == nil:
		if !a.shared {
			e.conn.RTT, e.dirty = d, true
		}
		e.meter.took(e.c.Now(), d)
	case must:
		e.failed(a, transport.ErrSilent)
	}
}

// A sight is what was seen of the server's end of the feed.
type sight struct {
	batch   chat.Batch
	missing int // of it, when the answer was there
	took    time.Duration
}

// sight asks what there is after what has come.
func (e *Engine) sight(a *attempt, done func(sight, error)) {
	cursor := e.model.Cursor()
	ask(e, pingPatience, func(ctx context.Context) (s sight, err error) {
		start := time.Now()
		s.batch, err = e.c.API.Peek(ctx, cursor)
		s.took = time.Since(start)
		return s, err
	}, func(s sight, err error) {
		if err == nil && a == e.now {
			s.missing = e.model.Missing(s.batch)
			e.meter.missing(e.c.Now(), s.missing)
		}
		done(s, err)
	})
}

// compare is the ping of what may bring less than there is: of a stream that something on the way may hold
// back, passing on only what fills its buffers, and of polls, which bring nothing between two of them.
func (e *Engine) compare(a *attempt, must bool) {
	began := time.Now()
	e.sight(a, func(s sight, err error) {
		if a == e.now && s.missing > 0 && a.via == chat.EventSource && e.conn.Choice.Auto && !a.shared && a.last.Before(began) {
			e.by(alarmHeld, heldPatience)
		}
		e.pinged(a, must, s.took, err)
	})
}
