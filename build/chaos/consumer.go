package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"parley/app/chat"
	"parley/app/transport"
	"parley/build/chaos/check"
	"parley/build/chaos/proxy"
	"parley/build/child"
)

const (
	// pollEvery keeps consumers that poll not far behind the others.
	pollEvery = 30 * time.Millisecond
	// quiet is how long a feed may be silent before its client gives it up. The load is never silent.
	quiet = 4 * time.Second
	// soon is how long consumers stay away after a cut, at most, unless they are of those who are away often.
	soon = 30 * time.Millisecond
	// Older places to go on from: how many a consumer keeps, and how many batches lie between two.
	maxPast, pastEvery = 30, 50
)

// A mark is a place in a feed: its cursor, and the newest event of each room before it.
type mark struct {
	cursor chat.Cursor
	heads  map[chat.RoomID]chat.Seq
}

// An order is what the nemesis has a consumer do.
type order struct {
	strike
	done func()
}

// consumer follows everything, over one way or over all of them by turns. It shows each event that
// it has not shown, and comes back after each cut with the cursor of the last batch it processed.
type consumer struct {
	w      *world
	name   string
	acct   *child.Account
	line   *proxy.Line
	links  []transport.Transport
	away   time.Duration // it stays away for up to this long before it comes back
	rand   *rand.Rand    // owned by run
	orders chan order

	mu     sync.Mutex // two wires may deliver at once
	shown  map[chat.RoomID]chat.Seq
	wires  int   // that were opened
	newest *wire // the one whose cursor counts
	at     mark  // where that is; the heads are its own
	past   []mark
}

func (w *world) newConsumers(ctx context.Context, cfg Config, plan *rand.Rand) (all []*consumer, err error) {
	add := func(name string, acct *child.Account, away time.Duration, vias ...chat.Via) {
		l, e := w.line(ctx, plan.Uint64())
		if e != nil {
			err = errors.Join(err, e)
			return
		}
		c := &consumer{w: w, name: name, acct: acct, line: l, away: away, orders: make(chan order, 1),
			rand: rand.New(rand.NewPCG(plan.Uint64(), 2)), shown: map[chat.RoomID]chat.Seq{}}
		for _, via := range vias {
			conf := transport.Config{Base: w.srv.Base(), Token: acct.Token, Every: pollEvery, Quiet: quiet, Wire: transport.Wire{HTTP: over(l)}}
			if len(all)%3 == 2 { // some ask for signs of life of their own, and are served alone
				conf.Beat = time.Second
			}
			c.links = append(c.links, transport.New(via, conf))
		}
		all = append(all, c)
	}
	crowd := func(kind string, away time.Duration, vias ...chat.Via) {
		for i := range cfg.Consumers {
			add(fmt.Sprintf("%s%d", kind, i), w.accounts[len(all)%len(w.accounts)], away, vias...)
		}
	}
	for _, via := range chat.Vias {
		crowd(string(via), soon, via)
	}
	crowd("changing", soon, chat.Vias[:]...)
	if cfg.Away > 0 {
		crowd("sleepy", cfg.Away, chat.Vias[:]...)
	}
	for i, guest := range w.guests {
		add(guest.Name, guest, soon, chat.Vias[i%len(chat.Vias)])
	}
	return all, err
}

// run follows until ctx ends; opened is called at the first batch. An error is one that no consumer should meet.
func (c *consumer) run(ctx context.Context, opened func()) error {
	defer opened()
	if err := c.begin(ctx); err != nil {
		return c.unless(ctx, err)
	}
	cur := c.open(ctx, c.any(), c.here(), opened)
	defer func() { cur.end() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-c.orders:
			cur = c.obey(ctx, cur, o)
			continue
		case <-cur.enough:
			cur.end()
		case <-cur.ended:
			cur.end()
			if err := c.mind(ctx, cur.err); err != nil {
				return c.unless(ctx, err)
			}
		}
		if cur.err != nil || c.away != soon {
			if pause(ctx, time.Duration(c.rand.Int64N(int64(c.away)))) != nil {
				return nil
			}
		}
		cur = c.open(ctx, c.any(), c.here(), opened)
	}
}

// mind looks at what ended a wire: most things only mean to come back.
func (c *consumer) mind(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, chat.ErrReset):
		c.w.hist.put(check.Record{Op: check.Reset, Who: c.name, Note: err.Error()})
		return c.begin(ctx)
	case errors.Is(err, chat.ErrUnauthorized):
		return err
	}
	return nil
}

func (c *consumer) unless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s: %w", c.name, err)
}

// begin takes a snapshot, which says from where on the consumer has to be given everything.
func (c *consumer) begin(ctx context.Context) error {
	snap, err := c.w.srv.Snapshot(ctx, c.acct)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = mark{snap.Cursor, map[chat.RoomID]chat.Seq{}}
	c.past = nil
	for _, room := range snap.Rooms {
		c.w.hist.put(check.Record{Op: check.Begin, Who: c.name, User: string(c.w.ids[c.acct]), Room: string(room.ID), Seq: int64(room.Head)})
		c.at.heads[room.ID] = room.Head
		c.shown[room.ID] = room.Head
		c.w.board.begin(c.name, room.ID, room.Head)
	}
	return nil
}

// any is one of the consumer's ways.
func (c *consumer) any() transport.Transport { return c.links[c.rand.IntN(len(c.links))] }

// here is where the consumer is.
func (c *consumer) here() mark {
	c.mu.Lock()
	defer c.mu.Unlock()
	return mark{c.at.cursor, maps.Clone(c.at.heads)}
}

// before is where it was so many marks ago, as far as it remembers.
func (c *consumer) before(back int) mark {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.past) == 0 {
		return mark{c.at.cursor, maps.Clone(c.at.heads)}
	}
	old := c.past[max(0, len(c.past)-back)]
	return mark{old.cursor, maps.Clone(old.heads)}
}

// obey does what the nemesis wants, and returns the wire that the consumer follows from now on.
func (c *consumer) obey(ctx context.Context, cur *wire, o order) *wire {
	defer o.done()
	from, link := c.here(), c.any()
	if o.kind == stale {
		from = c.before(o.back)
	}
	if !o.overlap {
		cur.end()
		if o.kind == switchWay {
			from = c.here() // it may have got a little further
		}
	}
	c.w.hist.put(check.Record{Op: check.Strike, Kind: string(o.kind), Who: c.name,
		Note: fmt.Sprintf("%s to %s, overlapping: %v", cur.via, link.Name(), o.overlap)})
	next := c.open(ctx, link, from, func() {})
	if o.overlap {
		select {
		case <-next.first:
		case <-next.ended:
		case <-ctx.Done():
		}
		cur.end()
	}
	return next
}
