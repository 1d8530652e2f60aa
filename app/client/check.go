package client

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// checking compares what is known, room by room and piece by piece, with what the server says
// of it. A round begins whenever a connection opens. What was found the same before is not compared
// again, only what came since.
//
// An answer may speak of what the feed has not brought yet. It waits for that, as long as
// the feed says nothing: to find out whether a way is silent is not its business. When the
// feed has gone on and the events are not among what it brought, they are lost.
type checking struct {
	queue  []chat.RoomID             // to be compared; the first is at it
	after  chat.Seq                  // of the first: compared up to here; atFirst: its turn begins
	began  time.Time                 // by the wall clock; what is the same now was whole then
	turn   int                       // counts the questions: the answer to another is not heard
	asked  bool                      // a question is out
	answer *chat.Digest              // waits for the feed
	since  time.Time                 // when the wait began, or the room last grew
	head   chat.Seq                  // of the room, then
	beats  int                       // batches that came since
	tries  int                       // of this piece, without an outcome
	failed bool                      // something could not be compared
	bad    bool                      // something differs and stays so
	mended map[chat.RoomID]time.Time // since when the room was not found the same
}

const (
	atFirst = chat.Seq(-1)

	checkSoon   = time.Second            // after a connection opened, at least
	checkSpread = 4 * time.Second        // … and at most so much later: many may have come back at once
	checkPace   = 100 * time.Millisecond // between questions
	checkLook   = 5 * time.Second        // how often a wait is looked at
	lostAfter   = 15 * time.Second       // of a feed that goes on
	lostBeats   = 2
	checkTries  = 3
	checkRetry  = time.Minute      // after a round that could not compare everything
	mendAgain   = 10 * time.Minute // what was mended and still differs is left alone so long
	mendPages   = 30 * time.Second
)

// Check compares all that is known with the server.
func (e *Engine) Check() {
	e.post(func() {
		e.model.Doubt()
		e.check.mended = nil
		if e.conn.State == model.Open {
			e.checkIn(0)
			e.conn.Whole.Running = true
		}
	})
}

// checkSoonish begins a round when many others that came back with this one do not.
func (e *Engine) checkSoonish() {
	e.checkIn(checkSoon + time.Duration(e.c.Rand()*float64(checkSpread)))
}

// checkIn begins a round, later. What is left of the one before comes first.
func (e *Engine) checkIn(d time.Duration) {
	c := &e.check
	for _, id := range e.model.Known() {
		if !slices.Contains(c.queue, id) {
			c.queue = append(c.queue, id)
		}
	}
	c.began, c.failed, c.bad = e.c.Now(), false, false
	c.drop()
	e.dirty = true
	e.in(alarmCheck, d)
}

// drop forgets the question that is out and the answer that waits.
func (c *checking) drop() {
	c.turn++
	c.asked, c.answer, c.after, c.tries = false, nil, atFirst, 0
}

// stopChecking ends a round without an outcome.
func (e *Engine) stopChecking() {
	e.check.drop()
	e.off(alarmCheck)
	e.conn.Whole.Running, e.dirty = false, true
}

// forgetChecking ends it for good: what is known is not this person's any more.
func (e *Engine) forgetChecking() {
	e.stopChecking()
	e.check = checking{turn: e.check.turn}
	e.conn.Whole = model.Integrity{}
}

// checkOn asks about the next piece, or looks at how the wait for the feed stands.
func (e *Engine) checkOn() {
	c := &e.check
	switch {
	case c.asked:
		return
	case e.conn.State != model.Open || e.want:
		e.stopChecking() // the next connection begins again
		return
	case c.answer != nil:
		e.weigh()
		return
	}
	for len(c.queue) > 0 {
		id := c.queue[0]
		if c.after == atFirst {
			c.after = e.model.Sure(id)
		}
		from, to, ok := e.model.Piece(id, c.after)
		if ok {
			c.asked, e.conn.Whole.Running = true, true
			turn := c.turn
			ask(e, askPatience, func(ctx context.Context) (chat.Digest, error) {
				return e.c.API.Digest(ctx, id, from, to)
			}, func(d chat.Digest, err error) {
				if turn == c.turn {
					c.asked = false
					e.answered(d, err)
				}
			})
			return
		}
		e.nextRoom()
	}
	e.checked()
}

// answered takes in what the server said of a piece.
func (e *Engine) answered(d chat.Digest, err error) {
	c := &e.check
	switch {
	case err == nil:
		c.answer, c.since, c.beats, c.head = &d, time.Now(), 0, e.model.Head(c.queue[0])
		e.weigh()
		return
	case errors.Is(err, chat.ErrNotFound): // left meanwhile, as the feed will tell
		e.nextRoom()
	case chat.Final(err):
		c.failed = true
		e.nextRoom()
	default:
		if c.tries++; c.tries > checkTries {
			c.failed = true
			e.nextRoom()
			break
		}
		wait := checkLook
		if said, ok := errors.AsType[*chat.Error](err); ok {
			wait = max(wait, min(said.RetryAfter(), checkRetry))
		}
		e.in(alarmCheck, wait)
		return
	}
	e.in(alarmCheck, checkPace)
}

// nextRoom leaves the first room of the queue.
func (e *Engine) nextRoom() {
	c := &e.check
	c.queue = slices.Delete(c.queue, 0, 1)
	c.drop()
}

// noticeGaps puts rooms of which the feed lost something before all others.
func (e *Engine) noticeGaps() {
	c := &e.check
	for _, id := range e.model.Torn() {
		e.conn.Whole.Gaps++
		c.queue = slices.DeleteFunc(c.queue, func(o chat.RoomID) bool { return o == id })
		c.queue = slices.Insert(c.queue, 0, id)
		e.checkIn(0)
	}
	if c.answer != nil {
		c.beats++
		e.weigh()
	}
}

// weigh compares the answer that waits, if that can be done by now.
func (e *Engine) weigh() {
	c := &e.check
	id, d := c.queue[0], *c.answer
	next := checkPace
	switch e.model.Compare(id, d) {
	case model.Behind:
		if head := e.model.Head(id); head != c.head || e.conn.CatchUp {
			c.since, c.beats, c.head = time.Now(), 0, head
		}
		if c.beats >= lostBeats && time.Since(c.since) >= lostAfter {
			e.conn.Whole.Gaps++
			e.mend(id, d)
			return
		}
		next = checkLook
	case model.Differs:
		e.mend(id, d)
		return
	case model.Alike:
		c.answer, c.after, c.tries = nil, d.To, 0
		if d.To >= d.Head {
			delete(c.mended, id) // should more be lost, it is mended again
			e.nextRoom()
		}
	case model.Overtaken:
		c.answer = nil
		if c.tries++; c.tries > checkTries {
			c.failed = true
			e.nextRoom()
		}
	case model.Gone:
		e.nextRoom()
	}
	if next == checkPace || !e.set(alarmCheck) {
		e.in(alarmCheck, next)
	}
}

// mend reads again what is not the same: the events from history, and, since events mean something
// for what is known besides, all else from a snapshot.
func (e *Engine) mend(id chat.RoomID, d chat.Digest) {
	c := &e.check
	c.answer = nil
	if at, ok := c.mended[id]; ok && time.Since(at) < mendAgain {
		c.bad = true
		e.nextRoom()
		e.in(alarmCheck, checkPace)
		return
	}
	if c.mended == nil {
		c.mended = map[chat.RoomID]time.Time{}
	}
	c.mended[id] = time.Now()
	c.asked = true
	turn := c.turn
	ask(e, mendPages, func(ctx context.Context) ([]chat.Event, error) { return e.pages(ctx, id, d.From, d.To) },
		func(events []chat.Event, err error) {
			if turn != c.turn {
				delete(c.mended, id)
				return
			}
			c.asked = false
			if err != nil {
				delete(c.mended, id)
				e.answered(d, err)
				return
			}
			e.model.Mend(id, d.From, d.To, events)
			e.conn.Whole.Repaired++
			e.changed()
			e.want = true
			e.fetch() // what follows from it compares again
		})
}

// pages reads the events of a room from one Seq to another.
func (e *Engine) pages(ctx context.Context, id chat.RoomID, from, to chat.Seq) (events []chat.Event, err error) {
	for before := to + 1; before > from; {
		h, err := e.c.API.History(ctx, id, before, chat.MaxPage)
		if err != nil {
			return nil, err
		}
		events = append(h.Events, events...)
		if !h.More || len(h.Events) == 0 {
			break
		}
		before = h.Events[0].Seq
	}
	return events, nil
}

// checked ends a round.
func (e *Engine) checked() {
	c := &e.check
	w := &e.conn.Whole
	w.Running, e.dirty = false, true
	if c.failed { // then nothing new can be said
		e.checkIn(checkRetry)
		return
	}
	w.At, w.OK, w.Checked = c.began, !c.bad, e.model.Checked()
}

func (c caller) Digest(ctx context.Context, room chat.RoomID, from, to chat.Seq) (chat.Digest, error) {
	return call[chat.Digest](ctx, c, "GET", "/api/rooms/"+url.PathEscape(string(room))+
		"/digest?from="+strconv.FormatInt(int64(from), 10)+"&to="+strconv.FormatInt(int64(to), 10), nil)
}
