package client

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// A relay is how a tab follows through the one that leads. It listens first, then asks the server
// for what there is after its own cursor until that is nothing more, and from then on takes what
// it hears. So there is no gap: what the leading tab had before this one listened is in the answers, and
// what it had later was heard. What is in both is applied once. When it hears something that does not
// go on from what it heard before, it asks again.
type relay struct {
	a      *attempt
	at     place        // the newest that was heard of
	level  bool         // everything up to there is known
	asking bool         // the server
	anew   bool         // … and once more afterwards
	later  []chat.Batch // what was heard meanwhile
}

const (
	laterMost  = 64
	firstAfter = 100 * time.Millisecond // for the leading tab to say where it is
)

// through reports whether this tab is to follow through another.
func (e *Engine) through() bool { return e.tabs.account != "" && !e.tabs.leads && !e.tabs.alone }

// listen is what an attempt does that goes through another tab, in place of Follow.
func (e *Engine) listen(a *attempt) {
	e.tabs.relay = relay{a: a}
	e.in(alarmLevel, firstAfter)
	e.by(alarmTabs, helloEvery)
	e.hello(noteHello)
}

// hello asks the tab that leads how things are.
func (e *Engine) hello(k noteKind) {
	e.tabs.unanswered = true
	e.say(note{Kind: k, Seen: e.visible})
}

// hearLeader takes in what the tab that leads says.
func (e *Engine) hearLeader(n note) {
	t := &e.tabs
	if t.leads {
		return
	}
	t.unanswered, t.missed = false, 0
	if n.Stands != nil {
		t.said = *n.Stands
		e.ladder.learnt = n.Stands.Learnt
	} else {
		t.said.Open = true
	}
	if t.alone {
		t.alone = false
		if e.session == model.SignedIn && !e.want {
			e.connect()
		}
	}
	if !e.inUse(t.relay.a) {
		return
	}
	if t.said.Open {
		e.goOn(n.At, n.Batch)
	}
	e.mirror()
}

func (e *Engine) inUse(a *attempt) bool { return a != nil && (a == e.now || a == e.new) }

// goOn hears of a place, with the batch that led there or without.
func (e *Engine) goOn(p place, b *chat.Batch) {
	r := &e.tabs.relay
	same := p.leg() == r.at.leg()
	next := same && b != nil && p.N == r.at.N+1
	switch {
	case same && p.N <= r.at.N:
	case next && r.level:
		r.at = p
		e.heard(r.a, *b)
	case next && r.asking && !r.anew && len(r.later) < laterMost:
		r.at = p
		r.later = append(r.later, *b)
	default:
		r.at, r.later = p, nil
		e.askOn()
	}
}

// askOn asks the server for what there is after the cursor, until there is no more.
func (e *Engine) askOn() {
	e.off(alarmLevel)
	r := &e.tabs.relay
	r.level = false
	if !e.inUse(r.a) {
		return
	}
	if r.asking {
		r.anew = true
		return
	}
	r.asking, r.anew = true, false
	a, cursor := r.a, e.model.Cursor()
	ask(e, askPatience, func(ctx context.Context) (chat.Batch, error) { return e.c.API.Peek(ctx, cursor) },
		func(b chat.Batch, err error) {
			if a != r.a || !e.inUse(a) {
				return
			}
			r.asking = false
			if err != nil {
				e.failed(a, err)
				return
			}
			e.heard(a, b)
			if r.anew || len(b.Events) > 0 {
				e.askOn()
				return
			}
			r.level = true
			for _, b := range r.later {
				e.heard(a, b)
			}
			r.later = nil
		})
}

// mirror shows how the tab that leads stands with the server.
func (e *Engine) mirror() {
	a, s := e.now, e.tabs.said
	if a == nil || !a.shared || a.opened.IsZero() || s.State == "" {
		return
	}
	a.via, a.reason = s.Via, s.Reason
	e.conn.Via, e.conn.Reason, e.conn.RTT = s.Via, s.Reason, s.RTT
	if s.State == model.Open && !e.meter.open { // again: it was dropped
		e.meter.opened(e.c.Now(), s.Via, "", s.Reason)
	}
	if s.State != e.conn.State {
		e.state(s.State)
		e.pump()
	}
	if s.Next != 0 {
		e.conn.NextTry = time.UnixMilli(s.Next)
	}
}

// withdraw follows without the tab that leads, which is silent, until it is heard again: the browser
// may have stopped it.
func (e *Engine) withdraw() {
	e.tabs.alone = true
	if e.now != nil && e.now.shared || e.new != nil && e.new.shared {
		e.connect()
	}
}
