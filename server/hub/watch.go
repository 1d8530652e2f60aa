package hub

import (
	"context"
	"slices"
	"sync"
	"time"

	"parley/app/chat"
)

// What may pile up for one watcher before it counts as behind, and how much is
// read for it at a time.
const (
	maxPending      = chat.MaxBatch
	maxPendingBytes = 256 << 10
)

// How long a user whose last watcher left still counts as online.
const (
	streamGrace = 20 * time.Second
	// PollGrace suits a watcher that comes and goes with each poll: a little
	// more than the longest interval.
	PollGrace = 75 * time.Second
)

// WatchOptions say how a watcher wants to be treated.
type WatchOptions struct {
	// Wake is called when there is something to take, once until the next
	// Take. It runs inside the hub's locks: it must not block or call the hub.
	Wake func()
	// Grace is how long after Close the user still counts as online; 0 is 20 s.
	Grace time.Duration
}

// A Watcher is one reader at one place of a user's feed. Take and CatchUp are
// for one goroutine at a time; Close for any.
type Watcher struct {
	hub    *Hub
	born   uint64
	reader *reader
	wake   func()
	at     place // everything up to here has been taken; owned by the taker

	mu      sync.Mutex
	pending []*Entry
	spare   []*Entry // the slice handed out by the last Take, to be used again
	bytes   int
	behind  bool // pending is of no use: read the log from at
	woken   bool // wake was called since the last Take
}

// Watch starts to watch u's feed after the cursor; the empty cursor is from now
// on. The first Take may already have something. A cursor that is of no use
// is chat.ErrReset.
func (h *Hub) Watch(ctx context.Context, u chat.UserID, after chat.Cursor, o WatchOptions) (*Watcher, error) {
	var at place
	if after != "" {
		var err error
		if at, err = h.parse(after); err != nil {
			return nil, err
		}
	}
	r, err := h.reader(ctx, u)
	if err != nil {
		return nil, err
	}
	defer h.mu.Unlock()
	select {
	case <-h.stopped:
		return nil, chat.ErrUnavailable
	default:
	}
	if after == "" {
		at = h.head.Load().place
	} else if at, err = h.resume(at); err != nil {
		return nil, err
	}
	w := &Watcher{hub: h, born: h.bear(), reader: r, wake: o.Wake, at: at, behind: true}
	if list, ok := h.collect(r, at, maxPending, maxPendingBytes); ok && list.whole {
		w.pending, w.bytes, w.behind = list.entries, list.bytes, false
	}
	r.watchers = r.watchers.with(w)
	r.grace = max(o.Grace, streamGrace)
	delete(h.idle, r)
	h.appear(r)
	return w, nil
}

// resume is where who has come as far as at goes on, or chat.ErrReset. h.mu is held.
func (h *Hub) resume(at place) (place, error) {
	head := h.head.Load().place
	switch {
	case at.pos > head.pos || at.ord > head.ord || head.pos-at.pos > h.maxCatchUp:
		return at, chat.ErrReset
	case skipOne && at.pos < head.pos:
		at = place{pos: at.pos + 1}
	case repeatOne && at.pos > 0:
		at = place{pos: at.pos - 1}
	}
	return at, nil
}

func (w *Watcher) age() uint64 { return w.born }

// Close ends the watch. Wake is not called after it returned.
func (w *Watcher) Close() {
	h, r := w.hub, w.reader
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := r.watchers.find(w); !ok {
		return
	}
	r.watchers = r.watchers.without(w)
	h.linger(r)
}

// Take returns what has come since the last Take, in order, and the cursor past
// it. It does not block and does not touch the store. The slice is good until the
// next Take. When behind, nothing is returned: use CatchUp.
func (w *Watcher) Take() (entries []*Entry, cursor chat.Cursor, behind bool) {
	// The head is read before what is pending: every entry up to it has been
	// handed to this watcher by then, so an empty hand means level with it.
	head := w.hub.head.Load()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woken = false
	if w.behind {
		return nil, w.hub.mint(w.at), true
	}
	entries = w.pending
	clear(w.spare)
	w.pending, w.spare, w.bytes = w.spare[:0], entries, 0
	if cap(entries) > 32 { // a burst is over: an idle watcher stays small
		w.spare = nil
	}
	if n := len(entries); n > 0 {
		last := entries[n-1]
		w.at = last.place
		shuffle(entries)
		return entries, last.cursor, false
	}
	// An entry may have been taken before the head moved past it.
	if head.ord >= w.at.ord {
		w.at = head.place
		return nil, head.cursor, false
	}
	return nil, w.hub.mint(w.at), false
}

// CatchUp reads on from the watcher's place, from the tail or, where that does not
// reach, from the store. It returns what it found, perhaps nothing, and whether the watcher is now level:
// then Take serves it again. Call it until it is.
func (w *Watcher) CatchUp(ctx context.Context) (entries []*Entry, cursor chat.Cursor, level bool, err error) {
	h := w.hub
	h.mu.Lock()
	list, ok := h.collect(w.reader, w.at, maxPending, maxPendingBytes)
	if ok {
		switch {
		case list.whole:
			w.at = h.head.Load().place
			w.mu.Lock()
			clear(w.pending)
			w.pending, w.bytes, w.behind = w.pending[:0], 0, false
			w.mu.Unlock()
		default:
			w.at = list.entries[len(list.entries)-1].place
		}
		h.mu.Unlock()
		return list.entries, h.mint(w.at), list.whole, nil
	}
	h.mu.Unlock()

	// The store may hold what is committed but not spread yet; that is left to
	// come by the tail, or it would come twice.
	head := h.head.Load().pos
	logged, pos, err := h.store.AfterFor(ctx, w.reader.user, w.at.pos, maxPending)
	if err != nil {
		return nil, "", false, err
	}
	size := 0
	for _, l := range logged {
		if l.Pos > head {
			break
		}
		e, err := h.entry(l)
		if err != nil {
			return nil, "", false, err
		}
		if size += len(e.JSON); size > maxPendingBytes && len(entries) > 0 {
			pos = entries[len(entries)-1].Pos
			break
		}
		e.cursor = h.mint(place{pos: l.Pos})
		entries = append(entries, e)
	}
	w.at = place{pos: min(pos, head)}
	return entries, h.mint(w.at), false, nil
}

// collected is what collect found.
type collected struct {
	entries []*Entry
	bytes   int
	whole   bool // there is nothing more after them
}

// collect gathers what r sees in the tail after p, within the bounds, but at least one entry; false when the tail
// does not reach back so far. Where it may be that presence was missed, it begins with who is here. h.mu is held.
func (h *Hub) collect(r *reader, p place, most, mostBytes int) (collected, bool) {
	ord, exact, ok := h.tail.after(p)
	if !ok {
		return collected{}, false
	}
	var c collected
	if !exact {
		c.entries = h.rollCall(p.pos)
	}
	calls := len(c.entries)
	c.entries = slices.Grow(c.entries, int(min(h.tail.next-ord, 64)))
	now, head := h.now(), h.tailHead()
	for ; ord < h.tail.next; ord++ {
		e := h.tail.at(ord)
		if !r.sees(e, head, now) {
			continue
		}
		if len(c.entries) > calls && (len(c.entries) >= most || c.bytes+len(e.JSON) > mostBytes) {
			c.whole = forgetMore
			return c, true
		}
		c.entries = append(c.entries, e)
		c.bytes += len(e.JSON)
	}
	c.whole = true
	if n := len(c.entries); n > 0 && n == calls { // nothing else leads past them
		last, head := c.entries[n-1], h.head.Load()
		last.place, last.cursor = head.place, head.cursor
	}
	return c, true
}

// push hands e to the watcher and reports whether it must be woken. h.mu is held.
func (w *Watcher) push(e *Entry) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.behind:
	case !unbounded && (len(w.pending) == maxPending || w.bytes+len(e.JSON) > maxPendingBytes && len(w.pending) > 0):
		clear(w.pending)
		w.pending, w.bytes, w.behind = w.pending[:0], 0, true
	default:
		w.pending = append(w.pending, own(e))
		w.bytes += len(e.JSON)
	}
	wake := !w.woken
	w.woken = true
	return wake
}
