package client

import (
	"time"

	"parley/app/model"
)

// An alarm is something that happens later.
type alarm int

const (
	alarmBegin   alarm = iota // a back-off is over
	alarmOpen                 // the attempt in use had its time to open
	alarmNew                  // … the one that is to replace it
	alarmTrouble              // it has lasted long enough to be said
	alarmUp                   // a better way may be tried again
	alarmPing
	alarmHeld // what is there should have come
	alarmSend // sends that failed may be tried again
	alarmMarks
	alarmCheck  // the next piece is to be compared with the server
	alarmTyping // someone may have stopped
	alarmKnown  // what is known is to be kept on disk
	alarmOwn    // what was written is to be kept on disk
	alarmTabs   // what a tab does now and then as one among others
	alarmLevel  // the tab that leads has not said where it is
	alarmStats  // what is measured is to be shown
	alarms
)

func (e *Engine) in(a alarm, d time.Duration) { e.agenda[a] = time.Now().Add(d) }
func (e *Engine) off(a alarm)                 { e.agenda[a] = time.Time{} }
func (e *Engine) set(a alarm) bool            { return !e.agenda[a].IsZero() }

// by sets an alarm unless it is set already.
func (e *Engine) by(a alarm, d time.Duration) {
	if !e.set(a) {
		e.in(a, d)
	}
}

func (e *Engine) nextAlarm() time.Duration {
	next := time.Hour
	for _, at := range e.agenda {
		if !at.IsZero() {
			next = min(next, time.Until(at))
		}
	}
	return max(next, 0)
}

// ring does what is due.
func (e *Engine) ring() {
	now := time.Now()
	for a, at := range e.agenda {
		if at.IsZero() || at.After(now) {
			continue
		}
		e.off(alarm(a))
		switch alarm(a) {
		case alarmBegin:
			e.step(e.begin)
		case alarmOpen:
			e.step(func() { e.tooLate(e.now) })
		case alarmNew:
			e.step(func() { e.tooLate(e.new) })
		case alarmTrouble:
			e.conn.Trouble = e.conn.State != model.Open
		case alarmUp:
			e.step(e.tryUp)
		case alarmPing:
			e.step(func() { e.ping(false) })
		case alarmHeld:
			if e.now != nil {
				e.step(func() { e.failed(e.now, errHeld) })
			}
		case alarmSend:
			e.step(e.pump)
		case alarmMarks:
			e.step(e.sendMarks)
		case alarmCheck:
			e.step(e.checkOn)
		case alarmTyping:
			e.dirty = true
		case alarmKnown:
			e.step(e.saveKnown)
		case alarmOwn:
			e.step(e.saveOwn)
		case alarmTabs:
			e.step(e.tend)
		case alarmLevel:
			e.step(e.askOn)
		case alarmStats:
			e.step(e.look)
		case alarms:
		}
	}
}
