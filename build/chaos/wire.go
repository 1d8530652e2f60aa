package chaos

import (
	"context"
	"errors"
	"maps"
	"time"

	"parley/app/chat"
	"parley/app/transport"
	"parley/build/chaos/check"
)

// A wire is one Follow of a consumer, from its beginning to its end.
type wire struct {
	num    int
	via    chat.Via
	heads  map[chat.RoomID]chat.Seq // what it has brought, or begun after; guarded by the consumer's mu
	turns  int                      // batches until a consumer that changes has enough; owned by follow, as until
	until  time.Time                // … and not before
	cancel context.CancelFunc
	first  chan struct{} // closed at the first batch
	enough chan struct{} // closed when it is time to change
	ended  chan struct{} // closed when nothing more comes
	err    error         // why; read after ended
}

// open begins to follow over link from a place, which is the consumer's place from now on.
func (c *consumer) open(ctx context.Context, link transport.Transport, from mark, opened func()) *wire {
	ctx, cancel := context.WithCancel(ctx)
	w := &wire{via: link.Name(), heads: from.heads, cancel: cancel, turns: 1 + c.rand.IntN(20), until: time.Now(),
		first: make(chan struct{}), enough: make(chan struct{}), ended: make(chan struct{})}
	if c.away != soon {
		// The sleepy stay for a while, since they have to catch up.
		w.until = w.until.Add(time.Duration(c.rand.Int64N(int64(c.away / 2))))
	}
	heads := make(map[string]int64, len(from.heads))
	for room, seq := range from.heads {
		heads[string(room)] = int64(seq)
	}
	c.mu.Lock()
	c.wires++
	w.num = c.wires
	c.newest, c.at = w, mark{from.cursor, w.heads}
	c.w.hist.put(check.Record{Op: check.Follow, Who: c.name, Wire: w.num, Heads: heads, Note: string(w.via)})
	c.mu.Unlock()
	go func() { // ends with ctx; end waits for it
		defer close(w.ended)
		w.err = c.follow(ctx, w, link, from.cursor, opened)
	}()
	return w
}

// end ends the wire and waits until nothing more comes from it.
func (w *wire) end() {
	w.cancel()
	<-w.ended
}

func (c *consumer) follow(ctx context.Context, w *wire, link transport.Transport, after chat.Cursor, opened func()) error {
	n := 0
	for batch, err := range link.Follow(ctx, after) {
		if err != nil {
			return err
		}
		c.take(w, batch, n)
		if n++; n == 1 {
			opened()
			close(w.first)
		}
		if n >= w.turns && len(c.links) > 1 && time.Now().After(w.until) {
			close(w.enough)
			return nil
		}
	}
	return errors.New("the feed ended without an error")
}

// take processes the n-th batch of a wire.
func (c *consumer) take(w *wire, batch chat.Batch, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := batch.Events[:0:0]
	for _, e := range batch.Events {
		if e.Signal() {
			continue
		}
		known := e.Seq <= c.shown[e.Room]
		c.w.hist.put(check.Record{Op: check.Deliver, Who: c.name, Wire: w.num, Room: string(e.Room), Seq: int64(e.Seq),
			Nonce: string(e.Nonce), Hash: hash(e.Nonce, e.Body), Dropped: known})
		w.heads[e.Room] = e.Seq
		if !known {
			c.shown[e.Room] = e.Seq
			shown = append(shown, e)
		}
	}
	c.w.board.deliver(c.name, shown)
	if w != c.newest {
		return
	}
	c.at.cursor = batch.Cursor
	if n%pastEvery == 0 {
		if len(c.past) == maxPast {
			c.past = append(c.past[:0], c.past[1:]...)
		}
		c.past = append(c.past, mark{batch.Cursor, maps.Clone(w.heads)})
	}
}
