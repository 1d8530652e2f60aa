package api

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/hub"
)

const (
	// maxRest bounds what waits for a full socket: the end of what a shard began to
	// write, and answers to requests. Events do not wait here; they wait in the log.
	maxRest = 1 << 20
	// partTime is how long a peer may take to say goodbye.
	partTime = 2 * time.Second
)

// A form is what a stream writes.
type form struct {
	kind  int // of hub.Entry.Frame
	event func(*hub.Entry) []byte
	beat  func(chat.Cursor) []byte // a sign of life
	bye   func(*chat.Error) []byte // the last of a stream
	// whole, if it is set, appends the one and last thing that is written, instead of event and beat.
	whole func([]byte, []*hub.Entry, chat.Cursor) []byte
}

// A wire is what a stream writes it to.
type wire interface {
	// try writes what there is space for, without blocking.
	try(p []byte) (int, error)
	// write writes p, and fails at the deadline.
	write(p []byte, deadline time.Time) (int, error)
	// widen makes space behind what a full socket holds, where that can be had: for a farewell to whoever does not read now.
	widen()
	// part follows the farewell: the peer has a moment to leave. It does not block.
	part()
	// cut ends everything at once.
	cut()
	// await has do called, once, when there is something to read, or the wire was parted or cut. It
	// returns false where that can not be told: then reading blocks.
	await(do func()) bool
}

// A stream is an open EventSource or WebSocket, or a long poll that is parked.
//
// It begins alone: one goroutine, run, takes from the watcher and writes, blocking. Once level
// with the log it joins its shard, which takes and writes without blocking. When
// its socket is full, or the watcher is behind, it leaves, and is alone again.
// What attends its peer owns it and calls close.
type stream struct {
	srv   *Server
	form  form
	wire  wire
	beat  time.Duration
	watch *hub.Watcher // taken from by run while alone, else under mu
	held  *auth.Stream
	bill  *bill
	bytes int64                 // held at rest
	shard atomic.Pointer[shard] // nil: alone; the hub's wake may read it before place sets it
	over  chan struct{}
	dirty atomic.Bool // was woken, and has not looked since
	seat  seat        // the shard's
	visit visit       // whoever takes from the watcher's

	pushing atomic.Int64 // bytes that run is about to write

	mu    sync.Mutex    // held for moments: nothing blocks under it
	alone bool          // run is at work
	poke  chan struct{} // wakes run
	rest  []byte        // comes before all else that is written; run's to write
	ended bool          // the farewell has been put; over is closed
	wrote time.Time     // when something was last written
}

// newStream watches the feed of who, who asks from ip. What comes is written once st.wire is set and
// st.run called.
func (s *Server) newStream(ctx context.Context, who auth.Identity, ip netip.Addr, c carrier, f form, after chat.Cursor) (*stream, error) {
	st := &stream{srv: s, form: f, bill: c.bill, bytes: c.held, beat: c.beat, over: make(chan struct{}), alone: true, poke: make(chan struct{}, 1)}
	held, err := s.Accounts.Live.Open(who, ip, func() { st.end(chat.ErrUnauthorized) })
	if err != nil {
		return nil, err
	}
	st.held = held
	st.visit = s.again.visit(who.Grant, after)
	if err = s.Accounts.Still(ctx, who); err == nil {
		st.watch, err = s.Hub.Watch(ctx, who.User.ID, after, hub.WatchOptions{Wake: st.wake, Grace: c.grace})
	}
	if err != nil {
		s.Accounts.Live.Close(held)
		return nil, err
	}
	st.bill.open.Add(1)
	return st, nil
}

// place gives st its wire, and a shard if the wire is one that need not block. One that is to beat
// at a pace of its own stays alone.
func (s *Server) place(st *stream, conn net.Conn, last bool) {
	if tcp, ok := bare(conn).(*net.TCPConn); ok && !s.Portable {
		if st.wire = newSocket(tcp, last, s.readiness); st.wire != nil {
			if st.beat < s.Beat {
				return
			}
			st.shard.Store(s.shards[s.next.Add(1)%uint64(len(s.shards))])
			return
		}
	}
	st.wire = &block{conn: conn, last: last}
}

// start begins a stream with head, and attends p. The caller is
// needed until the stream first is level, or, without a shard, until the end.
func (s *Server) start(st *stream, head []byte, p peer) {
	st.mu.Lock()
	st.rest = append(head, st.rest...) // there may be a farewell already
	st.mu.Unlock()
	if s.enlist(st) {
		go s.attend(st, p, func() {
			st.bill.hold(0, -st.bytes)
			s.running.Done()
		})
		defer s.running.Done()
		st.bill.hold(0, heldByRequest)
		defer st.bill.hold(0, -heldByRequest)
		st.run()
		return
	}
	st.end(restartError())
	st.run()
	st.wire.cut()
	s.attend(st, p, func() {})
}

// wake tells st that there is something to take. The hub calls it inside its locks.
func (st *stream) wake() {
	if !st.dirty.CompareAndSwap(false, true) {
		return
	}
	if sh := st.shard.Load(); sh != nil {
		sh.mark(st)
	} else {
		st.nudge()
	}
}

func (st *stream) nudge() {
	select {
	case st.poke <- struct{}{}:
	default:
	}
}

// flush writes what has come, on the shard's goroutine; if nothing has and beat is set, a
// sign of life. It returns scratch, perhaps grown, and how much was written.
func (st *stream) flush(now time.Time, beat bool, scratch []byte) ([]byte, int) {
	st.dirty.Store(false)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return scratch, 0
	}
	if st.alone {
		st.nudge()
		return scratch, 0
	}
	entries, cursor, behind := st.watch.Take()
	if len(entries) > 0 {
		st.given()
	}
	n := 0
	switch {
	case behind:
		st.leave()
		return scratch, 0
	case st.form.whole != nil:
		if len(entries) > 0 || beat {
			scratch = st.form.whole(scratch[:0], entries, cursor)
			n = st.conclude(scratch)
		}
		return scratch, n
	case len(entries) == 1:
		n = st.put(entries[0].Frame(st.form.kind, st.form.event))
	case len(entries) > 1:
		scratch = st.frames(scratch[:0], entries)
		n = st.put(scratch)
	case beat:
		n = st.put(st.form.beat(cursor))
	default:
		return scratch, 0
	}
	st.wrote = now
	return scratch, n
}

// given notes that the reader is given something. Only the first time costs anything.
func (st *stream) given() {
	if st.visit.turn > 0 {
		st.srv.given(&st.visit, st.held.Grant(), st.bill)
	}
}

func (st *stream) frames(b []byte, entries []*hub.Entry) []byte {
	for _, e := range entries {
		b = append(b, e.Frame(st.form.kind, st.form.event)...)
	}
	return b
}

// put writes p after all that came before, without blocking, and returns how much of it has left
// by now, for the bill. mu is held; p is the caller's again afterwards.
func (st *stream) put(p []byte) int {
	if st.alone {
		if len(st.rest)+len(p) > maxRest {
			st.wire.cut()
			return 0
		}
		st.rest = append(st.rest, p...)
		st.nudge()
		return 0
	}
	n, err := st.wire.try(p)
	switch {
	case err != nil:
		st.wire.cut() // which whoever owns the stream notices
	case n < len(p):
		st.rest = append(st.rest[:0], p[n:]...)
		st.leave()
	}
	return n
}

// say writes p unless the farewell is said.
func (st *stream) say(p []byte) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.ended {
		st.bill.wrote(st.put(p))
	}
}

// end says farewell, after which nothing more is written, and lets the peer go. Anyone may call it;
// it does not block. It reports whether this was the farewell: there is only one.
func (st *stream) end(why *chat.Error) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return false
	}
	st.bill.wrote(st.conclude(st.form.bye(why)))
	return true
}

// conclude puts p, which is the last, and lets the peer go. mu is held.
func (st *stream) conclude(p []byte) int {
	n := st.put(p)
	st.finish()
	if !st.alone {
		st.wire.part()
	}
	return n
}

// finish marks that the farewell has been put. mu is held.
func (st *stream) finish() {
	st.ended = true
	st.bill.open.Add(-1)
	close(st.over)
}

// quit ends st without a farewell: there is nobody left to hear it.
func (st *stream) quit() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.ended {
		st.finish()
	}
}

// close is the last of a stream, by its owner.
func (st *stream) close() {
	st.quit()
	if sh := st.shard.Load(); sh != nil {
		sh.drop(st)
	}
	st.watch.Close()
	st.srv.Accounts.Live.Close(st.held)
	st.srv.delist(st)
}

// errSlow is the farewell to a reader that does not keep up.
var errSlow = &chat.Error{Code: chat.CodeUnavailable, Message: "this connection does not keep up; come back with the cursor", RetryAfterMS: 1_000}
