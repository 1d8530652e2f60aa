package client

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// claim waits for the lead among the account's tabs, and keeps it until the session or the tab ends.
func (e *Engine) claim() {
	t, you := &e.tabs, e.model.You()
	if t.id == "" || t.lockless || t.account == you {
		return
	}
	e.part()
	ctx, quit := context.WithCancel(e.ctx)
	t.account, t.quit = you, quit
	name := lockPrefix + "stream/" + e.c.Version + "/" + string(you)
	e.spawn(func() {
		defer quit()
		release, err := e.c.Tabs.Hold(ctx, name)
		if err != nil {
			e.post(func() {
				if ctx.Err() == nil { // there are no locks after all
					e.tabs.lockless = true
					e.part()
					e.connect()
				}
			})
			return
		}
		defer release()
		e.post(func() {
			if ctx.Err() == nil {
				e.lead()
			}
		})
		<-ctx.Done()
	})
}

// lead begins to lead.
func (e *Engine) lead() {
	t := &e.tabs
	t.leads, t.alone = true, false
	t.asked = time.Now() // there may be others
	e.off(alarmLevel)
	e.in(alarmTabs, 0)
	e.newLeg()
	if e.now != nil && e.now.shared || e.new != nil && e.new.shared {
		e.connect()
	}
	e.stand()
}

// newLeg says that what is passed on from now on does not go on from before.
func (e *Engine) newLeg() {
	p := &e.tabs.place
	*p = place{Tab: e.tabs.id, Leg: p.Leg + 1}
}

// passOn hands to the other tabs what came over the stream in use.
func (e *Engine) passOn(a *attempt, b chat.Batch) {
	t := &e.tabs
	if !t.leads || a.shared || a != e.now {
		return
	}
	t.place.N++
	if time.Since(t.asked) < askedFor { // who comes later sees by N that something is missing
		e.say(note{Kind: noteBatch, At: t.place, Batch: &b})
	}
}

// stand tells the other tabs how this one stands with the server.
func (e *Engine) stand() {
	t := &e.tabs
	if !t.leads || time.Since(t.asked) >= askedFor {
		return
	}
	c := &e.conn
	s := standing{
		Open: e.now != nil && !e.now.opened.IsZero() && !e.now.shared,
		Via:  c.Via, State: c.State, Reason: c.Reason, RTT: c.RTT, Learnt: e.ladder.learnt,
	}
	if !c.NextTry.IsZero() {
		s.Next = c.NextTry.UnixMilli()
	}
	e.say(note{Kind: noteStands, At: t.place, Stands: &s})
}

// hearFollower answers who follows through this tab.
func (e *Engine) hearFollower(n note) {
	t := &e.tabs
	if !t.leads {
		return
	}
	t.asked = time.Now()
	if n.Seen {
		t.watcher, t.watched = n.From, t.asked
		e.by(alarmPing, 0)
	} else if t.watcher == n.From {
		t.watched = time.Time{}
	}
	e.repace()
	if n.Kind == noteHurry {
		e.hurry()
	}
	e.stand()
}

// seen reports whether the person sees this tab, or one that follows through it.
func (e *Engine) seen() bool { return e.visible || time.Since(e.tabs.watched) < watchedFor }

// repace polls at the pace that fits now.
func (e *Engine) repace() {
	if e.now != nil && e.now.via == chat.Poll && !e.now.shared && !e.now.opened.IsZero() && e.new == nil &&
		e.session == model.SignedIn && !e.want && e.tabs.pace != e.every() {
		e.connect()
	}
}

// tend is what a tab does now and then as one among others.
func (e *Engine) tend() {
	t := &e.tabs
	switch {
	case t.account == "":
	case t.leads:
		e.in(alarmTabs, adoptEvery)
		e.adopt()
		e.repace()
	default:
		e.in(alarmTabs, helloEvery)
		if t.unanswered {
			t.missed++
		}
		if t.missed >= missedMost && !t.alone {
			e.withdraw()
		}
		e.hello(noteHello)
	}
}
