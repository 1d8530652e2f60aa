package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"parley/app/chat"
	"parley/build/chaos/check"
	"parley/build/chaos/proxy"
	"parley/build/child"
)

// sendersPer is how many senders share an account.
const sendersPer = 2

// sender sends drafts, each until it is answered, at a steady pace.
type sender struct {
	w     *world
	name  string
	acct  *child.Account
	rand  *rand.Rand
	pace  time.Duration // 0: at once
	ruin  Ruin
	write func() chat.Draft // makes the next draft
	last  func() []chat.Draft

	http *http.Client
	link chat.Link   // when set, drafts go over it
	line *proxy.Line // … and it is over this

	n    int
	said chat.Event // its newest message, to edit
}

// newSenders makes two for each account, and one that sends guests out of rooms and brings them back.
// Some send over the sockets of the first consumers.
func (w *world) newSenders(ctx context.Context, cfg Config, plan *rand.Rand, consumers []*consumer) ([]*sender, error) {
	var all []*sender
	add := func(name string, acct *child.Account) (*sender, error) {
		l, err := w.line(ctx, plan.Uint64())
		if err != nil {
			return nil, err
		}
		s := &sender{w: w, name: name, acct: acct, http: over(l), rand: rand.New(rand.NewPCG(plan.Uint64(), 1)),
			last: func() []chat.Draft { return nil }}
		all = append(all, s)
		return s, nil
	}
	count := len(w.accounts) * sendersPer
	for i := range count {
		s, err := add(fmt.Sprintf("sender%02d", i), w.accounts[i%len(w.accounts)])
		if err != nil {
			return nil, err
		}
		s.write, s.ruin = s.draft, cfg.Ruin
		if cfg.Rate > 0 {
			s.pace = time.Duration(float64(count) / cfg.Rate * float64(time.Second))
		}
		if i < min(cfg.Consumers, count/4) {
			s.link, s.line, s.acct = consumers[i].links[0], consumers[i].line, consumers[i].acct
		}
	}
	if len(w.guests) > 0 {
		s, err := add("usher", w.accounts[0])
		if err != nil {
			return nil, err
		}
		u := &usher{sender: s, out: map[seat]bool{}}
		s.write, s.last, s.pace = u.draft, u.rest, usherPace
	}
	return all, nil
}

// run sends until stop is closed. The draft that it is at then is still sent.
func (s *sender) run(ctx context.Context, stop <-chan struct{}) error {
	defer s.http.CloseIdleConnections()
	tick := time.NewTicker(max(s.pace, time.Nanosecond))
	defer tick.Stop()
	for {
		select {
		case <-stop:
			for _, d := range s.last() {
				if err := s.send(ctx, d); err != nil && ctx.Err() == nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
			}
			return nil
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := s.send(ctx, s.write()); err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
}

// nonce names the next draft.
func (s *sender) nonce() chat.Nonce {
	s.n++
	return chat.Nonce(fmt.Sprintf("%s-%d", s.name, s.n))
}

// draft makes the next draft. No two have the same body.
func (s *sender) draft() chat.Draft {
	d := chat.Draft{Nonce: s.nonce(), Room: s.w.rooms[s.rand.IntN(len(s.w.rooms))]}
	text := fmt.Sprintf("%d of %s: %x", s.n, s.name, s.rand.Uint64())
	if s.said.Seq > 0 && s.rand.IntN(8) == 0 {
		d.Room, d.Edit = s.said.Room, &chat.Edit{Seq: s.said.Seq, Text: text}
	} else {
		d.Message = &chat.Message{Text: text}
	}
	return d
}

// record is the beginning of what the history says of d.
func (s *sender) record(op check.Op, d chat.Draft, note string) check.Record {
	return check.Record{Op: op, Who: s.name, Room: string(d.Room), Nonce: string(d.Nonce), Hash: hash(d.Nonce, d.Body), Note: note}
}

// send tries d until there is an answer, and keeps to the same nonce.
func (s *sender) send(ctx context.Context, d chat.Draft) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	defer s.w.board.settle()
	f := s.fate()
	giveUp := time.Now().Add(patience)
	for {
		var e chat.Event
		var err error
		if f == twice {
			e, err = s.both(ctx, d, body)
		} else {
			e, err = s.once(ctx, d, body, f)
		}
		switch {
		case err == nil && f == again:
			f = none
			continue
		case err == nil:
			if e.Message != nil {
				s.said = e
			}
			if s.rand.Float64() < s.ruin.Clash {
				return s.clash(ctx, d)
			}
			return nil
		case chat.Final(err):
			return fmt.Errorf("sending %s: %w", d.Nonce, err) // nothing here may be refused
		case f == early || f == late:
			f = none
			continue
		case time.Now().After(giveUp):
			return fmt.Errorf("sending %s for %v: %w", d.Nonce, patience, err)
		}
		if err := pause(ctx, s.breath()); err != nil {
			return err
		}
	}
}

// breath is how long a sender waits before it tries again.
func (s *sender) breath() time.Duration { return time.Duration(5+s.rand.IntN(20)) * time.Millisecond }

// once tries d once, and notes what came of it.
func (s *sender) once(ctx context.Context, d chat.Draft, body []byte, f fate) (chat.Event, error) {
	s.w.hist.put(s.record(check.Invoke, d, ""))
	began := time.Now()
	e, err := s.try(ctx, d, body, f)
	s.outcome(d, e, err, time.Since(began))
	return e, err
}

// outcome notes what came of a try.
func (s *sender) outcome(d chat.Draft, e chat.Event, err error, took time.Duration) {
	switch {
	case err == nil:
		r := s.record(check.OK, d, "")
		r.Room, r.Seq, r.Hash = string(e.Room), int64(e.Seq), hash(e.Nonce, e.Body)
		s.w.hist.put(r)
		s.w.trigger.pull()
		s.w.board.answered(took)
	case chat.Final(err):
		s.w.hist.put(s.record(check.Fail, d, err.Error()))
	default:
		s.w.hist.put(s.record(check.Unknown, d, err.Error()))
	}
}

// both tries d over two connections at the same instant, where it can over two transports.
func (s *sender) both(ctx context.Context, d chat.Draft, body []byte) (chat.Event, error) {
	var events [2]chat.Event
	var errs [2]error
	var g sync.WaitGroup
	for i := range errs {
		s.w.hist.put(s.record(check.Invoke, d, "twice at once"))
		g.Go(func() {
			began := time.Now()
			if i == 0 {
				events[i], errs[i] = s.try(ctx, d, body, none)
			} else {
				events[i], errs[i] = s.post(ctx, body, none)
			}
			s.outcome(d, events[i], errs[i], time.Since(began))
		})
	}
	g.Wait()
	for i, err := range errs {
		if err == nil {
			return events[i], nil
		}
	}
	return chat.Event{}, errors.Join(errs[:]...)
}

// clash sends something else under the nonce of d, until there is an answer, which must be that it is
// a conflict.
func (s *sender) clash(ctx context.Context, d chat.Draft) error {
	d.Edit, d.Message = nil, &chat.Message{Text: fmt.Sprintf("not %s: %x", d.Nonce, s.rand.Uint64())}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	giveUp := time.Now().Add(patience)
	for {
		e, err := s.try(ctx, d, body, none)
		switch {
		case err == nil:
			s.w.hist.put(s.record(check.Clash, d, fmt.Sprintf("it is %s/%d", e.Room, e.Seq)))
			return nil
		case errors.Is(err, chat.ErrConflict):
			s.w.hist.put(s.record(check.Clash, d, check.Conflict))
			return nil
		case chat.Final(err):
			s.w.hist.put(s.record(check.Clash, d, err.Error()))
			return nil
		case time.Now().After(giveUp):
			return fmt.Errorf("sending something else as %s for %v: %w", d.Nonce, patience, err)
		}
		if err := pause(ctx, s.breath()); err != nil {
			return err
		}
	}
}
