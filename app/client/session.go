package client

import (
	"context"
	"errors"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

const (
	staleAtOnce = 3 // times in a row that a snapshot is asked for at once
	staleApart  = 10 * time.Second
)

// fetch gets a snapshot and follows on from it.
func (e *Engine) fetch() {
	if e.fetching {
		return
	}
	e.fetching = true
	if e.now == nil {
		e.state(model.Connecting)
	}
	era := e.era
	ask(e, askPatience, e.c.API.Snapshot, func(s chat.Snapshot, err error) {
		e.fetching = false
		if era != e.era { // it was asked for by a session that is over
			if e.begin(); !e.fetching { // none is on its way that could be waited for
				e.told(err)
			}
			return
		}
		defer e.told(err)
		switch {
		case e.conn.Pretend: // what is asked for again afterwards
		case err == nil:
			e.arrived(s)
		case errors.Is(err, chat.ErrUnauthorized):
			e.ended()
		case e.now != nil && !e.now.opened.IsZero():
			e.in(alarmBegin, e.retry.next(err))
		default:
			e.wait(err)
		}
	})
}

// refetch gets a snapshot because the feed told of a room that is not known. Should that not
// end it, it is done at a slower pace.
func (e *Engine) refetch() {
	now := time.Now()
	if now.Sub(e.stale) > staleApart {
		e.again.reset()
	}
	e.stale = now
	if e.again.n < staleAtOnce {
		e.again.n++
		e.fetch()
		return
	}
	e.in(alarmBegin, e.again.next(nil))
}

// told tells who waits for a snapshot what became of it.
func (e *Engine) told(err error) {
	for _, w := range e.waiting {
		w <- err
	}
	e.waiting = nil
}

// arrived begins again from a snapshot.
func (e *Engine) arrived(s chat.Snapshot) {
	e.want = false
	wasOpen := e.now != nil && !e.now.opened.IsZero()
	// What an older feed still brings must not move the cursor past what the
	// snapshot does not have.
	e.stop(&e.now)
	e.stop(&e.new)
	other := e.model.You() != "" && e.model.You() != s.You
	if other || e.session != model.SignedIn {
		defer e.say(note{Kind: noteIn})
	}
	if other {
		e.era++
		e.tabs.disown()
		e.clear(func(error) {})
		e.out = outbox{retry: backoff{rand: e.c.Rand}}
		e.marks = marks{}
		e.forgetChecking()
	}
	e.model.Reset(s)
	e.session = model.SignedIn
	e.changed()
	e.wrote()
	e.off(alarmBegin)
	via, reason := e.via()
	e.now = e.start(via, reason, false)
	e.in(alarmOpen, e.patience(e.now))
	e.link = e.now.link
	if !wasOpen { // else nobody need know
		e.conn.Via, e.conn.Reason = via, reason
		e.state(model.Connecting)
	}
	e.pump()
	e.by(alarmMarks, marksEvery)
}

// ended says that the server does not know this session. What is known and what was written
// stay, for when the same person signs in again.
func (e *Engine) ended() {
	e.halt()
	e.want = true
	e.out.stop(e.model)
	if e.session == model.SignedIn {
		e.session = model.SessionEnded
		e.in(alarmOwn, 0)
		return
	}
	era := e.era
	ask(e, askPatience, e.c.API.Server, func(s chat.Server, err error) {
		if era != e.era || e.session == model.SignedIn { // they have signed in meanwhile
			return
		}
		if err != nil {
			e.wait(err)
			return
		}
		switch e.dirty = true; s.SetUp {
		case chat.SetUpOpen:
			e.session = model.SetUpNeeded
		case chat.SetUpCode:
			e.session = model.SetUpByCode
		case chat.SetUpDone:
			e.session = model.SignedOut
		}
		e.settled()
	})
}

// halt ends all attempts to be connected, and with them an era: what was asked in it
// is not heard any more.
func (e *Engine) halt() {
	e.era++
	e.part()
	e.stop(&e.now)
	e.stop(&e.new)
	for _, a := range []alarm{alarmBegin, alarmOpen, alarmNew, alarmUp, alarmPing, alarmHeld, alarmSend, alarmMarks} {
		e.off(a)
	}
	e.marks.stop()
	e.stopChecking()
	e.model.Unload()
	e.settled()
}

// settled says that being without a connection is no trouble now.
func (e *Engine) settled() {
	e.state(model.Connecting)
	e.off(alarmTrouble)
	e.conn.Trouble, e.conn.NextTry, e.conn.CatchUp, e.conn.RTT = false, time.Time{}, false, 0
}

// enter begins a session that the server has just opened, and waits until there is something
// to show.
func (e *Engine) enter(ctx context.Context) error {
	return e.refreshed(ctx, func() {
		if e.session != model.SignedIn {
			e.session = model.SessionUnknown
		}
	})
}

// refreshed does f and gets a snapshot anew.
func (e *Engine) refreshed(ctx context.Context, f func()) error {
	return e.await(ctx, func(done chan<- error) {
		if f != nil {
			f()
		}
		e.want, e.dirty = true, true
		e.waiting = append(e.waiting, done)
		e.fetch()
	})
}

var errEnded = errors.New("the program is ending")

// forget signs out here: nothing of the person stays.
func (e *Engine) forget(ctx context.Context) error {
	return e.await(ctx, func(done chan<- error) {
		e.say(note{Kind: noteOut})
		e.erase(func(err error) { done <- err })
	})
}

// await has f done by the engine's goroutine and waits for what f, in the end, sends.
func (e *Engine) await(ctx context.Context, f func(done chan<- error)) error {
	done := make(chan error, 1)
	if !e.post(func() { f(done) }) {
		return errEnded
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-e.done:
		return errEnded
	}
}

// erase has nothing of the person stay in this tab, nor on disk.
func (e *Engine) erase(then func(error)) {
	e.halt()
	e.tabs.disown()
	e.model = model.New(e.c.Zone)
	e.out = outbox{retry: backoff{rand: e.c.Rand}}
	e.marks = marks{}
	e.forgetChecking()
	e.session, e.want, e.dirty = model.SignedOut, true, true
	e.off(alarmKnown)
	e.off(alarmOwn)
	e.disk.again = false
	e.off(alarmTyping)
	e.clear(then)
}

// clear forgets all that is on disk, and has the other tabs see to what is theirs now.
func (e *Engine) clear(then func(error)) {
	e.spool(func(ctx context.Context) error {
		err := e.c.Disk.Clear(ctx)
		e.post(func() { e.say(note{Kind: noteCleared}) })
		then(err)
		return err
	})
}
