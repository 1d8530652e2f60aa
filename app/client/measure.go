package client

import (
	"errors"
	"time"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/transport"
)

const (
	lookEvery = time.Second     // while someone looks
	lookPing  = 2 * time.Second // the same
)

// errDropped ends a connection because the person wanted to see that. No way is to blame.
var errDropped = chat.Errorf(chat.CodeUnavailable, "the person had it cut")

// Measure says whether someone looks at what is measured.
func (e *Engine) Measure(on bool) {
	e.post(func() {
		e.meter.looked = on
		if !on {
			e.off(alarmStats)
			e.conn.Stats = nil
			return
		}
		e.askServer()
		e.ping(false)
		e.look()
	})
}

// look makes what is shown of the meter.
func (e *Engine) look() {
	if !e.meter.looked {
		return
	}
	e.in(alarmStats, lookEvery)
	if e.visible {
		e.conn.Stats = e.meter.stats(e.c.Now())
	}
}

// count keeps the meter's minutes.
func (e *Engine) count() { e.meter.tick(e.c.Now(), e.c.Gate.Traffic()) }

// askServer asks what the server sees of the way to it.
func (e *Engine) askServer() {
	if e.conn.Pretend {
		return
	}
	ask(e, askPatience, e.c.API.Server, func(s chat.Server, err error) {
		if err == nil {
			e.meter.server = s
		}
	})
}

// noteOpened tells the meter that an attempt works, before it takes the place of the one in use.
func (e *Engine) noteOpened(a *attempt) {
	from := chat.Via("")
	if e.now != nil && a != e.now && !e.now.opened.IsZero() {
		from = e.now.via
	}
	why := a.reason
	if a.trial {
		why = model.Reason{Code: model.ReasonBetter, Failed: from}
	}
	e.meter.opened(e.c.Now(), a.via, from, why)
	if e.meter.looked {
		e.askServer()
	}
}

// noteFailed tells the meter that an attempt failed.
func (e *Engine) noteFailed(a *attempt, err error) {
	t := model.Turn{Kind: model.TurnLost, At: e.c.Now(), Via: a.via, Why: model.Reason{Failed: a.via}}
	if !a.opened.IsZero() {
		t.Age = time.Since(a.opened)
	}
	astray, strange := errors.AsType[*transport.Astray](err)
	_, told := errors.AsType[*chat.Error](err)
	switch {
	case errors.Is(err, chat.ErrReset) || errors.Is(err, chat.ErrUnauthorized):
		return // it goes on from a snapshot, or it is over
	case a == e.new && a.trial:
		t.Kind = model.TurnTried
	case err == errDropped: //nolint:errorlint // this one, not one like it
		t.Kind = model.TurnDropped
	case told && !strange:
		t.Kind = model.TurnTold
	}
	switch {
	case strange && astray.Page && astray.Status < 500:
		t.Why.Code = model.ReasonPortal
	case e.blameable(a, err):
		t.Why.Code = reasonOf[failureOf(a, err).kind]
	}
	e.meter.lost(t)
}

var reasonOf = [...]model.ReasonCode{
	neverOpened: model.ReasonNeverOpened, refused: model.ReasonBlocked, held: model.ReasonHeld, died: model.ReasonDied, wasCut: model.ReasonCut,
}

// note tells the meter what happened to all ways.
func (e *Engine) note(k model.TurnKind) { e.meter.turn(model.Turn{Kind: k, At: e.c.Now()}) }

// Drop cuts the connection: where tabs share one, the one that they share.
func (e *Engine) Drop() {
	e.post(func() {
		if a := e.now; a != nil && !a.opened.IsZero() {
			if a.shared || e.tabs.leads {
				e.say(note{Kind: noteDrop})
			}
			e.dropped()
		}
	})
}

// dropped cuts the connection, which may be another tab's: then that one was told to.
func (e *Engine) dropped() {
	switch a := e.now; {
	case a == nil || a.opened.IsZero():
	case a.shared:
		e.meter.lost(model.Turn{Kind: model.TurnDropped, At: e.c.Now(), Via: a.via, Why: model.Reason{Failed: a.via}})
	default:
		e.failed(a, errDropped)
	}
}

// Pretend behaves as if there were no network, until told otherwise, in this tab alone: another
// shows meanwhile what this one does without, and none is left offline by one that was closed.
func (e *Engine) Pretend(off bool) {
	e.post(func() {
		if off == e.conn.Pretend {
			return
		}
		e.conn.Pretend = off
		e.c.Gate.Shut(off)
		if !off {
			e.note(model.TurnReturned)
			e.retry.reset()
			e.state(model.Connecting)
			e.begin()
			return
		}
		e.note(model.TurnPretend)
		e.part() // another tab may lead meanwhile
		e.meter.open = false
		e.stop(&e.now)
		e.stop(&e.new)
		for _, a := range [...]alarm{alarmBegin, alarmOpen, alarmNew, alarmUp, alarmPing, alarmHeld} {
			e.off(a)
		}
		e.conn.NextTry, e.conn.CatchUp, e.conn.RTT = time.Time{}, false, 0
		e.state(model.Offline)
	})
}

// looked reports whether someone looks at what is measured now.
func (e *Engine) looked() bool { return e.meter.looked && e.visible }

// pause is the time between two pings.
func (e *Engine) pause(d time.Duration) time.Duration {
	if e.looked() {
		return lookPing
	}
	return d
}
