package client

import (
	"context"
	"sync"
	"time"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/transport"
)

// A lab runs the four ways side by side: they all follow from one cursor, and the
// person writes to themself in a room of their own. Both ends of each delay are read from one clock.
type lab struct {
	room   chat.RoomID
	span   time.Duration
	every  time.Duration // the pause of Poll
	pace   time.Duration // between two messages, about
	rand   func() float64
	rescue func()
	head   chat.Server // what the server says of the heads of requests
	ways   [len(model.LabOrder)]labWay
	post   labLink // sends for the ways that can not

	mu      sync.Mutex
	version uint64
	sent    []labSend
	index   map[chat.Nonce]int // in sent
	began   time.Time
}

// A labLink is a transport with a gate of its own.
type labLink struct {
	transport.Transport
	gate *transport.Gate
}

// A labWay is one of the four. Its lab's mu guards all but the link.
type labWay struct {
	labLink
	state  model.LabState
	delays map[int]time.Duration // by index in sent
	events int
	empty  int
	breaks int
}

// A labSend is one message.
type labSend struct {
	at     time.Time
	socket bool          // by the WebSocket, not by a request
	answer time.Duration // until the server said it has it; 0: not yet
	failed bool          // it did not say so
}

// Lab measures the four ways for span and shows what it knows a few times a second. It
// blocks until it is over or ctx ends, and leaves nothing running.
func (e *Engine) Lab(ctx context.Context, span time.Duration, see func(*model.Lab)) error {
	me, err := query(e, func() (u chat.User) {
		if e.view != nil {
			u = e.view.Me
		}
		return u
	})
	if err != nil {
		return err
	}
	room, err := e.NewRoom(ctx, chat.NewRoom{Nonce: chat.LabNonce, Kind: chat.Private, Name: chat.LabName})
	if err != nil {
		return err
	}
	l := &lab{
		room: room.ID, span: span, every: span / 10, pace: span / 30, rand: e.c.Rand, rescue: e.rescue,
		index: map[chat.Nonce]int{},
	}
	link := func(via chat.Via) labLink {
		g := &transport.Gate{}
		return labLink{e.c.Ways(via, l.every, g), g}
	}
	for i, via := range model.LabOrder {
		l.ways[i] = labWay{labLink: link(via), delays: map[int]time.Duration{}}
	}
	l.post = link(chat.Poll)
	if l.head, err = e.c.API.Server(ctx); err != nil {
		return err
	}
	var before chat.Costs
	if me.Owner {
		if before, err = e.c.API.Costs(ctx); err != nil {
			return err
		}
	}
	start, err := e.c.API.Peek(ctx, "")
	if err != nil {
		return err
	}
	return l.run(ctx, start.Cursor, see, func() *chat.Costs {
		if !me.Owner {
			return nil
		}
		after, err := e.c.API.Costs(ctx)
		if err != nil || after.Node != before.Node { // it matters less than what was measured
			return nil
		}
		return spent(before, after)
	})
}

// spent is what was spent between two moments.
func spent(before, after chat.Costs) *chat.Costs {
	after.CPU -= before.CPU
	for i := range min(len(after.Ways), len(before.Ways)) {
		w, b := &after.Ways[i], before.Ways[i]
		w.Requests, w.Writes, w.Bytes, w.Work = w.Requests-b.Requests, w.Writes-b.Writes, w.Bytes-b.Bytes, w.Work-b.Work
	}
	return &after
}

// run follows, sends and shows. costs is asked at the end, while all ways are still open.
func (l *lab) run(parent context.Context, after chat.Cursor, see func(*model.Lab), costs func() *chat.Costs) error {
	ctx, cancel := context.WithTimeout(parent, l.span+askPatience) // to which costs may add
	var running sync.WaitGroup
	spawn := func(f func()) {
		running.Go(func() {
			defer l.rescue()
			f()
		})
	}
	defer running.Wait()
	defer cancel()
	l.began = time.Now()
	for i := range l.ways {
		spawn(func() { l.follow(ctx, i, after) })
	}
	look := time.NewTicker(min(250*time.Millisecond, l.span/20))
	defer look.Stop()
	send := time.NewTimer(l.span)
	defer send.Stop()
	sending := false
	last := l.span - l.every - 2*l.pace // what is sent after this might not come in time
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-send.C:
			if time.Since(l.began) < last {
				spawn(l.next(ctx))
				send.Reset(time.Duration(float64(l.pace) * (0.75 + l.rand()/2))) // never in step with the polling
			}
		case <-look.C:
			m := l.moment()
			switch {
			case !sending && (l.settled() || m.Spent > l.span/10):
				sending = true
				send.Reset(0)
			case m.Spent >= l.span || m.Spent >= last && l.complete(m):
				m.Costs, m.Over = costs(), true
				if parent.Err() != nil {
					return context.Cause(parent)
				}
				see(m)
				return nil
			}
			see(m)
		}
	}
}

// settled reports whether each way has opened, or failed to.
func (l *lab) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.ways {
		if l.ways[i].state == model.LabTrying {
			return false
		}
	}
	return true
}

// complete reports whether nothing is on its way any more.
func (l *lab) complete(m *model.Lab) bool {
	for _, w := range m.Ways {
		if w.State != model.LabShut && w.Came < m.Sent {
			return false
		}
	}
	return true
}
