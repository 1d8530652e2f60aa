package client

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/transport"
)

// An attempt is one Follow over one transport.
type attempt struct {
	via    chat.Via
	link   transport.Transport
	cancel context.CancelFunc
	trial  bool // of a better way: if it fails, nothing is lost
	shared bool // it goes through another tab
	opened time.Time
	last   time.Time // when it last brought something
	reason model.Reason
}

const (
	openPatience = 3 * time.Second  // for Auto, which has other ways
	openLonger   = 15 * time.Second // for a way that was chosen, or is the last
	troubleAfter = 3 * time.Second
	pingEvery    = 20 * time.Second
	pingEarly    = 4 * time.Second // of a stream that may be held back, in its first minute
	heldPatience = 2 * time.Second // for what is there to come
	pingPatience = 5 * time.Second
	hiddenEvery  = 30 * time.Second // between polls of a page that nobody sees
	catchingUp   = 200              // events in a batch that say there are many more
)

// begin does what comes next on the way to being connected.
func (e *Engine) begin() {
	e.off(alarmBegin)
	switch {
	case e.conn.Pretend:
	case e.session == model.SignedOut || e.session == model.SessionEnded ||
		e.session == model.SetUpNeeded || e.session == model.SetUpByCode:
	case e.want:
		e.fetch()
	case e.now == nil:
		e.connect()
	}
}

// via is the transport to use now, and why.
func (e *Engine) via() (chat.Via, model.Reason) {
	if c := e.conn.Choice; !c.Auto {
		return c.Via, model.Reason{Code: model.ReasonChosen}
	}
	return e.ladder.via(), e.ladder.reason()
}

// every is the pause between polls.
func (e *Engine) every() time.Duration {
	d := e.conn.Choice.Every
	if d == 0 {
		d = 3 * time.Second
	}
	if !e.seen() {
		d = max(d, hiddenEvery)
	}
	return d
}

// pace is what a transport is to keep to: the pause of Poll, the longest silence of the others.
func (e *Engine) pace(via chat.Via) time.Duration {
	if via == chat.Poll {
		return e.every()
	}
	return e.ladder.Beat
}

// connect starts following, in place of nothing or of what goes on.
func (e *Engine) connect() {
	if e.conn.Pretend {
		return
	}
	if e.now != nil && e.now.shared && e.through() {
		e.stop(&e.new)
		e.off(alarmNew)
		return
	}
	via, reason := e.via()
	if e.now != nil && !e.now.opened.IsZero() {
		e.replace(via, reason, false)
		return
	}
	e.stop(&e.now)
	e.stop(&e.new)
	e.now = e.start(via, reason, false)
	e.link = e.now.link
	e.conn.Via, e.conn.Reason = via, reason
	e.state(model.Connecting)
	e.in(alarmOpen, e.patience(e.now))
}

// replace starts an attempt that takes the place of the one in use once it has opened.
func (e *Engine) replace(via chat.Via, reason model.Reason, trial bool) {
	e.stop(&e.new)
	e.new = e.start(via, reason, trial)
	e.in(alarmNew, e.patience(e.new))
}

// patience is how long an attempt may take to open.
func (e *Engine) patience(a *attempt) time.Duration {
	if e.conn.Choice.Auto && a.via != chat.Poll && !a.shared {
		return openPatience
	}
	return openLonger
}

func (e *Engine) start(via chat.Via, reason model.Reason, trial bool) *attempt {
	ctx, cancel := context.WithCancel(e.ctx)
	if e.claim(); e.through() {
		a := &attempt{via: via, link: e.c.Links(chat.Poll, e.every()), cancel: cancel, shared: true, reason: reason}
		e.listen(a)
		return a
	}
	e.tabs.pace = e.every()
	a := &attempt{via: via, link: e.c.Links(via, e.pace(via)), cancel: cancel, trial: trial, reason: reason}
	cursor := e.model.Cursor()
	e.spawn(func() {
		defer cancel()
		_, err := caught(e, func() (struct{}, error) {
			for b, err := range a.link.Follow(ctx, cursor) {
				if err != nil {
					return struct{}{}, err
				}
				if ctx.Err() != nil || !e.post(func() { e.heard(a, b) }) {
					break
				}
			}
			return struct{}{}, transport.ErrCut
		})
		if ctx.Err() == nil {
			e.post(func() { e.failed(a, err) })
		}
	})
	return a
}

// stop ends an attempt, if there is one.
func (e *Engine) stop(a **attempt) {
	if *a != nil {
		(*a).cancel()
		*a = nil
	}
}

// heard takes in what an attempt brought.
func (e *Engine) heard(a *attempt, b chat.Batch) {
	if a != e.now && a != e.new {
		return // it was given up meanwhile
	}
	a.last = time.Now()
	if a == e.now {
		e.off(alarmHeld)
	}
	e.conn.Batches++
	e.count()
	e.meter.heard(e.c.Now(), b)
	e.conn.CatchUp = len(b.Events) >= catchingUp
	e.model.Apply(b, e.c.Now())
	e.changed()
	if a.opened.IsZero() {
		a.opened = time.Now()
		e.opened(a)
	}
	e.passOn(a, b)
	e.noticeGaps()
	if next := e.model.Expire(e.c.Now()); !next.IsZero() {
		e.in(alarmTyping, next.Sub(e.c.Now()))
	}
	if e.model.Stale() && !e.want {
		e.want = true
		e.refetch()
	}
}

// opened says that an attempt works.
func (e *Engine) opened(a *attempt) {
	e.noteOpened(a)
	if a == e.new {
		e.stop(&e.now)
		e.now, e.new = a, nil
		if a.trial {
			e.ladder.up()
			e.saveLearnt()
			a.reason = e.ladder.reason()
		}
	}
	e.off(alarmOpen)
	e.off(alarmNew)
	e.ladder.opened()
	e.link = a.link
	e.conn.Via, e.conn.Reason, e.conn.RTT = a.via, a.reason, 0
	e.newLeg()
	e.state(model.Open)
	e.mirror()
	e.planUp()
	e.in(alarmPing, 0)
	e.out.again()
	e.pump()
	e.sendMarks()
	e.checkSoonish()
}

// state moves the connection to a state and sees to what follows from it.
func (e *Engine) state(s model.ConnState) {
	e.dirty = true
	if s == model.Open {
		e.conn.Trouble, e.conn.NextTry = false, time.Time{}
		e.off(alarmTrouble)
	} else if !e.conn.Trouble {
		e.by(alarmTrouble, troubleAfter)
	}
	if s != e.conn.State {
		e.conn.State, e.conn.Since = s, e.c.Now()
	}
	e.stand()
}

// noticeSleep looks whether the machine slept, and if so whether the way is still there.
func (e *Engine) noticeSleep() {
	if e.asleep.notice(e.c.Now(), time.Now()) {
		e.note(model.TurnWoke)
		e.hurry()
	}
}

// hurry says that things may be better, or worse, than they were: it tries at once what
// waits, and looks whether what is open still is.
func (e *Engine) hurry() {
	e.retry.reset()
	if e.set(alarmBegin) {
		e.begin()
	}
	e.ping(true)
	e.out.again()
	e.pump()
}
