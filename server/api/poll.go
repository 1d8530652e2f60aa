package api

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// gather is how long an answer waits for more to come when answers are leaving all the time: every
// answer costs a request, so a few events in one are worth a moment.
const gather = 2 * time.Millisecond

// answer is the carrier of polls and long polls: one batch, at once or when there is something to say.
func (s *Server) answer(x *exchange, c carrier, after chat.Cursor) error {
	wake := make(chan struct{}, 1)
	ended := make(chan struct{})
	held, err := s.Accounts.Live.Open(x.who, x.ip, func() { close(ended) })
	if err != nil {
		return err
	}
	defer s.Accounts.Live.Close(held)
	ctx := x.r.Context()
	var v visit
	if !peeks(x.r) {
		v = s.again.visit(x.who.Grant, after)
	}
	if err := s.Accounts.Still(ctx, x.who); err != nil {
		return err
	}
	w, err := s.Hub.Watch(ctx, x.who.User.ID, after, hub.WatchOptions{Grace: c.grace, Wake: func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		return err
	}
	defer w.Close()
	c.bill.open.Add(1)
	c.bill.hold(x.serving(), heldByAnswer)
	var waited time.Duration
	defer func() {
		c.bill.open.Add(-1)
		c.bill.hold(-x.serving(), -heldByAnswer)
		c.bill.work.Add(int64(time.Since(x.began) - waited))
	}()

	var wait *time.Timer // ends holding back or, sooner, waiting here; nil: answer at once
	var hold, stay time.Duration
	if c.hold > 0 && after != "" {
		hold = c.hold + rand.N(c.hold/5)
		stay = hold
		if l := s.parkable(x); l != nil {
			stay = min(stay, s.Park)
			l.polls++
			defer s.served.Add(-1)
			// On a connection that is for polls, the next is answered sooner without net/http.
			if s.served.Add(1) > maxServed || l.polls > 1 {
				stay = 0
			}
		}
		wait = time.NewTimer(stay)
		defer wait.Stop()
	}
	over := wait == nil
	until := time.Now().Add(hold)
	for {
		entries, cursor, err := take(ctx, w)
		if err != nil {
			return err
		}
		select {
		case <-ended: // a session that ended is given nothing of what came later
			return chat.ErrUnauthorized
		default:
		}
		if len(entries) > 0 {
			s.given(&v, x.who.Grant, c.bill)
		}
		if len(entries) > 0 || over {
			out := http.NewResponseController(x.ResponseWriter)
			_ = out.SetWriteDeadline(time.Now().Add(s.Stall))
			body := appendBatch(nil, entries, cursor)
			c.bill.wrote(answerHead + headBytes(x.Header()) + len(body))
			return x.send(http.StatusOK, body)
		}
		from := time.Now()
		select {
		case <-wake:
			s.gather(ctx)
		case <-wait.C:
			if stay < hold {
				waited += time.Since(from)
				w.Close()
				s.Accounts.Live.Close(held) // parked it is entered anew
				return s.park(x, c, cursor, v, time.Until(until))
			}
			over = true
		case <-s.draining:
			over = true
		case <-ended:
			err = chat.ErrUnauthorized
		case <-ctx.Done():
			err = ctx.Err()
		}
		if waited += time.Since(from); err != nil {
			return err
		}
	}
}

// take reads on, from the log if need be, until there is something or nothing more.
func take(ctx context.Context, w *hub.Watcher) ([]*hub.Entry, chat.Cursor, error) {
	entries, cursor, behind := w.Take()
	for level := !behind; !level && len(entries) == 0; {
		var err error
		if entries, cursor, level, err = w.CatchUp(ctx); err != nil {
			return nil, "", err
		}
	}
	return entries, cursor, nil
}

// gather waits a moment if another answer was about to leave only just now.
func (s *Server) gather(ctx context.Context) {
	now := time.Now().UnixNano()
	if now-s.woken.Swap(now) > int64(gather) {
		return
	}
	t := time.NewTimer(gather)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
