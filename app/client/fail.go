package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/transport"
)

// tooLate gives up an attempt that did not open in time.
func (e *Engine) tooLate(a *attempt) {
	if a != nil && a.opened.IsZero() {
		e.failed(a, fmt.Errorf("%w: nothing over %s", errLate, a.via))
	}
}

var (
	errLate = errors.New("nothing came in time")
	errHeld = errors.New("what is there does not come")
)

// failed decides what to do when an attempt has ended.
func (e *Engine) failed(a *attempt, err error) {
	if a == e.now || a == e.new {
		e.noteFailed(a, err)
	}
	switch {
	case a == e.new && a.trial:
		e.stop(&e.new)
		e.off(alarmNew)
		e.ladder.stayed()
		e.saveLearnt()
		e.conn.Reason = e.now.reason
		e.dirty = true
		e.planUp()
		return
	case a == e.new: // the person's choice rules, even if it does not work
		e.stop(&e.now)
		e.now, e.new = a, nil
	case a != e.now:
		return
	}
	e.stop(&e.now)
	e.stop(&e.new)
	for _, x := range []alarm{alarmOpen, alarmNew, alarmUp, alarmPing, alarmHeld} {
		e.off(x)
	}
	e.conn.Via, e.conn.CatchUp = a.via, false
	f := failureOf(a, err)
	if f.age >= stable {
		e.retry.reset()
	}
	if f.age >= lasting {
		e.ladder.lasted()
	}
	switch {
	case errors.Is(err, chat.ErrReset):
		e.want = true
		e.state(model.Connecting)
		e.fetch()
	case errors.Is(err, chat.ErrUnauthorized):
		e.ended()
	case !e.blameable(a, err):
		e.wait(err)
	case e.conn.Choice.Auto:
		e.blame(a, f, err)
	case f.kind == wasCut && e.ladder.hushed(f): // what was chosen is kept, and kept alive
		e.learnt()
		e.connect()
	default:
		e.wait(err)
	}
}

// failureOf says how an attempt failed.
func failureOf(a *attempt, err error) failure {
	if a.opened.IsZero() {
		astray, ok := errors.AsType[*transport.Astray](err)
		switch {
		case ok && astray.Status/100 == 4:
			return failure{kind: refused}
		case errors.Is(err, errLate) && a.via == chat.EventSource:
			return failure{kind: held}
		}
		return failure{kind: neverOpened}
	}
	f := failure{kind: wasCut, age: time.Since(a.opened), silence: time.Since(a.last)}
	switch {
	case errors.Is(err, transport.ErrSilent):
		f.kind = died
	case errors.Is(err, errHeld):
		f.kind = held
	}
	return f
}

// blameable reports whether a failure may be the way's own fault.
func (e *Engine) blameable(a *attempt, err error) bool {
	_, told := errors.AsType[*chat.Error](err) // by the server: so it was reached
	_, astray := errors.AsType[*transport.Astray](err)
	return a.via != chat.Poll && !a.shared && (astray || !told) && e.online && !e.asleep.justWoke(time.Now())
}

// blame finds out whether the server answers otherwise, and if so blames the way.
func (e *Engine) blame(a *attempt, f failure, err error) {
	e.state(model.Connecting)
	era := e.era
	ask(e, openPatience, func(ctx context.Context) (struct{}, error) { return struct{}{}, e.c.API.Live(ctx) },
		func(_ struct{}, dead error) {
			switch {
			case era != e.era || e.now != nil: // something else is under way
			case dead != nil:
				e.wait(dead)
			case e.ladder.via() != a.via || !e.conn.Choice.Auto: // something else was decided
				e.begin()
			case e.ladder.failed(f):
				e.learnt()
				e.connect()
			default:
				e.wait(err)
			}
		})
}

// learnt keeps what was learnt from a failure, and does not make wait for it.
func (e *Engine) learnt() {
	e.saveLearnt()
	e.retry.reset()
}

// wait backs off.
func (e *Engine) wait(err error) {
	if e.conn.Pretend {
		e.state(model.Offline)
		return
	}
	d := e.retry.next(err)
	if !e.online {
		d = backoffMost // the browser may be wrong, so not never
		e.state(model.Offline)
	} else {
		e.state(model.Waiting)
		if a, ok := errors.AsType[*transport.Astray](err); ok && a.Page && a.Status < 500 {
			e.conn.Reason = model.Reason{Code: model.ReasonPortal}
		}
	}
	e.conn.NextTry = e.c.Now().Add(d)
	e.in(alarmBegin, d)
}

// planUp sets when a better way is tried again.
func (e *Engine) planUp() {
	e.off(alarmUp)
	if _, ok := e.ladder.above(); ok && e.conn.Choice.Auto && e.now != nil && !e.now.shared {
		e.in(alarmUp, max(e.ladder.Pause, pauseNew))
	}
}

// tryUp tries the way above beside the one in use.
func (e *Engine) tryUp() {
	via, ok := e.ladder.above()
	if !ok || !e.conn.Choice.Auto || e.now == nil || e.now.opened.IsZero() || e.now.shared || e.new != nil {
		return
	}
	if !e.seen() || !e.online {
		e.planUp()
		return
	}
	e.conn.Reason = model.Reason{Code: model.ReasonTrying, Failed: via}
	e.dirty = true
	e.replace(via, e.conn.Reason, true)
}
