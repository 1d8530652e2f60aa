package client

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/app/transport"
)

// ping measures the way there and back. When it must answer and does not, the way is dead.
func (e *Engine) ping(must bool) {
	a := e.now
	if a == nil || a.opened.IsZero() || !e.seen() && !must {
		return
	}
	if a.shared {
		if must {
			e.hello(noteHurry)
		}
		e.lookAside()
		return
	}
	if a.via == chat.EventSource && e.conn.Choice.Auto {
		e.compare(a, must)
		return
	}
	e.in(alarmPing, e.pause(pingEvery))
	ask(e, pingPatience, a.link.Ping, func(d time.Duration, err error) { e.pinged(a, must, d, err) })
}

func (e *Engine) pinged(a *attempt, must bool, d time.Duration, err error) {
	switch {
	case a != e.now:
	case err == nil:
		e.conn.RTT, e.dirty = d, true
		e.meter.took(e.c.Now(), d)
	case must:
		e.failed(a, transport.ErrSilent)
	}
}

// compare is the ping of a stream that something on the way may hold back, passing on only what
// fills its buffers: what has come over it is compared with what there is.
func (e *Engine) compare(a *attempt, must bool) {
	every := pingEvery
	if time.Since(a.opened) < stable {
		every = pingEarly
	}
	e.in(alarmPing, e.pause(every))
	type sight struct {
		more int
		took time.Duration
	}
	began, cursor := time.Now(), e.model.Cursor()
	ask(e, pingPatience, func(ctx context.Context) (sight, error) {
		start := time.Now()
		b, err := e.c.API.Peek(ctx, cursor)
		return sight{events(b), time.Since(start)}, err
	}, func(s sight, err error) {
		if a == e.now && err == nil && s.more > 0 && a.last.Before(began) {
			e.meter.behind = s.more
			e.by(alarmHeld, heldPatience)
		}
		e.pinged(a, must, s.took, err)
	})
}
