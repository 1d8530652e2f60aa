package swarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parley/app/chat"
	"parley/build/child"
)

// A reader follows as one user over one way. It notes what came once the cursor past it has come
// too, and goes on from there: what it lost half-way comes again, and must not count twice.
type reader struct {
	srv   *child.Server
	acct  *child.Account
	via   chat.Via
	every time.Duration // between polls that found nothing
	dial  func(context.Context, string) (net.Conn, error)
	heard func(chat.RoomID, chat.Seq) // of every event, if not nil
	watch *stopwatch                  // of what writers stamped, if not nil
	over  func(error)                 // of how each way ended, if not nil; not of one that the reader ended
	asked atomic.Int64                // when it polled last, in Unix nanoseconds

	mu     sync.Mutex
	cursor chat.Cursor               // guarded by mu, as all below
	heads  map[chat.RoomID]*chat.Seq // of the rooms that it has; what comes of others is a fault, unless free
	free   bool                      // rooms come and go: what comes is for heard to judge
	ahead  []event                   // came, but not yet the cursor past it
	stamps []time.Duration           // of those; only with a watch
	count  int                       // events
	opens  int                       // ways that opened
	last   time.Time                 // when the newest event came
	fault  error                     // the first
	ended  error                     // how its way ended last
	moved  chan struct{}             // holds a value after any of these changed
}

type event struct {
	room chat.RoomID
	seq  chat.Seq
}

// newReader makes a reader that begins where snap was taken.
func newReader(srv *child.Server, acct *child.Account, via chat.Via, begin place) *reader {
	r := &reader{srv: srv, acct: acct, via: via, every: pick(time.Second, 3*time.Second), cursor: begin.cursor,
		heads: map[chat.RoomID]*chat.Seq{}, moved: make(chan struct{}, 1),
		dial: func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}}
	for room, head := range begin.heads {
		r.heads[room] = &head
	}
	return r
}

// A place is where rooms stood, and the cursor to read on from there.
type place struct {
	cursor chat.Cursor
	heads  map[chat.RoomID]chat.Seq
}

var (
	roomKey   = []byte(`"room":"`)
	seqKey    = []byte(`","seq":`)
	cursorKey = []byte(`"cursor":"`)
)

const idLen = 26

// take notes what is in the JSON of a batch, without decoding it, and reports whether that was anything. The texts of
// these tests have no quotation marks, so that what looks like a key is one.
func (r *reader) take(b []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.count
	for next := bytes.Index(b, cursorKey); next >= 0; next = bytes.Index(b, cursorKey) {
		r.events(b[:next])
		b = b[next+len(cursorKey):]
		end := bytes.IndexByte(b, '"')
		if end < 0 {
			r.wrong("was given a cursor that does not end: %.100q", b)
			return false
		}
		r.cursor = chat.Cursor(b[:end])
		r.settle()
	}
	r.notify()
	return r.count > before
}

// events finds the events in b. mu is held.
func (r *reader) events(b []byte) {
	for {
		at := bytes.Index(b, roomKey)
		if at < 0 || len(b) < at+len(roomKey)+idLen+len(seqKey) {
			return
		}
		b = b[at+len(roomKey):]
		id, rest := b[:idLen], b[idLen:]
		if !bytes.HasPrefix(rest, seqKey) { // a signal has none
			continue
		}
		rest = rest[len(seqKey):]
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		seq, err := strconv.ParseInt(string(rest[:n]), 10, 64)
		if err != nil {
			r.wrong("was given an event without a number: %.100q", rest)
			return
		}
		r.ahead = append(r.ahead, event{chat.RoomID(id), chat.Seq(seq)})
		b = rest[n:]
		if r.watch != nil {
			r.stamps = stamped(r.stamps, b)
		}
	}
}

// settle counts what came before a cursor. mu is held.
func (r *reader) settle() {
	for _, e := range r.ahead {
		r.count++
		r.last = time.Now()
		if r.heard != nil {
			r.heard(e.room, e.seq)
		}
		head := r.heads[e.room]
		switch {
		case r.free:
		case head == nil:
			r.wrong("was given %s/%d, of a room that it is not in", e.room, e.seq)
		case e.seq != *head+1:
			r.wrong("was given %s/%d after %d", e.room, e.seq, *head)
		default:
			*head = e.seq
		}
	}
	r.ahead = r.ahead[:0]
	if r.watch != nil {
		r.watch.note(r.stamps)
		r.stamps = r.stamps[:0]
	}
}

// wrong notes a fault. mu is held.
func (r *reader) wrong(format string, args ...any) {
	if r.fault == nil {
		r.fault = fmt.Errorf("%s over %s "+format, append([]any{r.acct.Name, r.via}, args...)...)
	}
}

func (r *reader) notify() {
	select {
	case r.moved <- struct{}{}:
	default:
	}
}

// await waits until ok holds of the reader, with mu held.
func (r *reader) await(ctx context.Context, what string, ok func() bool) error {
	for {
		r.mu.Lock()
		fault, met := r.fault, ok()
		r.mu.Unlock()
		switch {
		case fault != nil:
			return fault
		case met:
			return nil
		}
		select {
		case <-r.moved:
		case <-ctx.Done():
			r.mu.Lock()
			defer r.mu.Unlock()
			return fmt.Errorf("%s over %s is not %s but at %s, and its last way ended with %w: %w", r.acct.Name, r.via, what, r.shown(), r.ended, context.Cause(ctx))
		}
	}
}

func (r *reader) shown() string {
	heads := map[chat.RoomID]chat.Seq{}
	for room, head := range r.heads {
		heads[room] = *head
	}
	return fmt.Sprint(heads)
}

// level waits until the reader has everything up to goal of the rooms it is in.
func (r *reader) level(ctx context.Context, goal map[chat.RoomID]chat.Seq) error {
	return r.await(ctx, "level", func() bool {
		for room, head := range r.heads {
			if *head < goal[room] {
				return false
			}
		}
		return true
	})
}

// open waits until the reader's way has opened n times in all.
func (r *reader) open(ctx context.Context, n int) error {
	return r.await(ctx, "open", func() bool { return r.opens >= n })
}

// state is a copy of how far the reader is.
func (r *reader) state() (place, int, time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := place{cursor: r.cursor, heads: map[chat.RoomID]chat.Seq{}}
	for room, head := range r.heads {
		p.heads[room] = *head
	}
	return p, r.count, r.last
}

// begin is where the next way goes on from. What came half is forgotten.
func (r *reader) begin() chat.Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ahead, r.stamps = r.ahead[:0], r.stamps[:0]
	return r.cursor
}

func (r *reader) opened() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opens++
	r.notify()
}

func (r *reader) openings() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opens
}

// refused notes how a way ended, and whether that should not be.
func (r *reader) refused(err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = err
	if !errors.Is(err, chat.ErrReset) && !errors.Is(err, chat.ErrUnauthorized) && !errors.Is(err, chat.ErrForbidden) {
		return false
	}
	r.wrong("was refused: %w", err)
	r.notify()
	return true
}
