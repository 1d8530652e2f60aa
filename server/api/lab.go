package api

import (
	"runtime/metrics"
	"sync/atomic"
	"time"

	"parley/app/chat"
)

// A bill is what one way cost since the server started. Anyone may add to it.
type bill struct {
	open, requests, writes, bytes atomic.Int64
	redelivered                   atomic.Int64 // see redeliveries
	work                          atomic.Int64 // nanoseconds
	goroutines, memory            atomic.Int64 // held now
}

// What is held at rest, in bytes of heap and stacks: measured, as most of it is the libraries' below.
// TestHeldMemory measures again, and keeps each way's sum within a quarter of that.
const (
	heldByAnswer  = 28_000 // a request of net/http, with its connection, both goroutines and a watcher
	heldByParked  = 2_500  // a long poll that left net/http
	heldByEvents  = 1_750  // a connection and a stream
	heldBySocket  = 7_900  // the same, and nhooyr's connection, buffers and goroutine
	heldByRequest = 36_100 // besides, while what served the request writes, as no shard can
	heldByServing = 4_500  // besides, what net/http has for a stream that it carries itself
)

// hold notes that so much more is held, or less.
func (b *bill) hold(goroutines, bytes int64) {
	b.goroutines.Add(goroutines)
	b.memory.Add(bytes)
}

// serving is how many goroutines net/http has for x: one that serves it and, of a connection of its
// own, one that waits for its end.
func (x *exchange) serving() int64 {
	if x.r.ProtoMajor > 1 {
		return 1
	}
	return 2
}

// wrote counts a write, if it was one.
func (b *bill) wrote(n int) {
	if n > 0 {
		b.writes.Add(1)
		b.bytes.Add(int64(n))
	}
}

// A tally gathers what a shard does for several streams of the same way, so that the bills, which
// all shards share, and the clock are touched once for many writes.
type tally struct {
	bill          *bill
	since         time.Time // if zero, since the next stream
	writes, bytes int64
}

// of says whose bill what follows goes on; nil is nobody's.
func (t *tally) of(b *bill) {
	if b == t.bill {
		return
	}
	now := t.since
	if t.bill != nil || now.IsZero() {
		now = time.Now()
	}
	if t.bill != nil {
		t.bill.work.Add(int64(now.Sub(t.since)))
		t.bill.writes.Add(t.writes)
		t.bill.bytes.Add(t.bytes)
	}
	*t = tally{bill: b}
	if b != nil {
		t.since = now
	}
}

func (t *tally) wrote(n int) {
	if n > 0 {
		t.writes++
		t.bytes += int64(n)
	}
}

// lab tells the owner what following cost.
func (s *Server) lab(x *exchange) error {
	if !x.who.User.Owner {
		return chat.Errorf(chat.CodeForbidden, "what the server spends is for its owner to see")
	}
	now := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(now)
	c := chat.Costs{Node: s.node, CPU: processTime(), Heap: int64(now[0].Value.Uint64()), Goroutines: int(now[1].Value.Uint64())}
	waiting := map[*bill]int64{}
	for _, st := range s.open() {
		waiting[st.bill] += st.waiting()
	}
	for _, v := range chat.Vias {
		b := s.ways[v].bill
		c.Ways = append(c.Ways, chat.WayCost{Via: v, Open: b.open.Load(), Requests: b.requests.Load(),
			Writes: b.writes.Load(), Bytes: b.bytes.Load(), Work: time.Duration(b.work.Load()),
			Goroutines: b.goroutines.Load(), Memory: b.memory.Load() + waiting[b], Redelivered: b.redelivered.Load()})
	}
	return x.reply(c)
}

// waiting is how many bytes wait until their reader takes them.
func (st *stream) waiting() int64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	return int64(cap(st.rest)) + st.pushing.Load()
}
