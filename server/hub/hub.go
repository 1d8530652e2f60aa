package hub

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/app/chat"
)

// Options of a Hub; the zero value of each field is a sensible default.
type Options struct {
	Log        *slog.Logger
	Ring       int              // entries of the log kept in memory; 16,384
	RingBytes  int              // their size as JSON; 32 MiB
	MaxCatchUp int              // positions a cursor may lie behind before it is a reset; 100,000
	Beat       time.Duration    // how long a Link's feed may be silent; Heartbeat
	Now        func() time.Time // stamps events and judges what is stale; decides nothing else
}

// A Hub appends to the log and serves feeds. There is one for a Store.
type Hub struct {
	store      Store
	log        *slog.Logger
	now        func() time.Time
	epoch      string // of the log, shortened: part of each cursor
	boot       string // names this life of the process
	maxCatchUp Pos
	beat       time.Duration

	requests  chan *request // to the writer
	accepting sync.RWMutex  // held for reading while a request is handed over, for writing to stop that
	stopping  chan struct{} // closed: nothing more is accepted
	stopped   chan struct{} // closed: the writer is done; feeds end
	failing   chan struct{} // closed: the store failed
	failed    chan error    // says why, once
	failOnce  sync.Once
	stopOnce  sync.Once
	workers   sync.WaitGroup

	head atomic.Pointer[mark] // past everything spread to the watchers

	mu      sync.Mutex
	tail    *tail
	births  uint64 // of readers and watchers so far
	readers map[chat.UserID]*reader
	rooms   map[chat.RoomID]byAge[*reader] // the readers who are members now
	idle    map[*reader]struct{}           // those with no watcher
	changed map[*reader]struct{}           // those whose presence is to be told
	here    []told                         // who is here, as it was told last; nil: to be made anew
	dirty   []*Watcher                     // to be woken by level
}

// A mark is a place and its cursor.
type mark struct {
	place
	cursor chat.Cursor
}

// New makes the hub of a store and starts it. The caller closes it, before the store.
func New(ctx context.Context, s Store, o Options) (*Hub, error) {
	h := &Hub{
		store: s, log: o.Log, now: o.Now, epoch: s.Epoch(), boot: rand.Text()[:8],
		maxCatchUp: Pos(cmp.Or(o.MaxCatchUp, 100_000)), beat: cmp.Or(o.Beat, Heartbeat),
		requests: make(chan *request, 4*maxGroup),
		stopping: make(chan struct{}), stopped: make(chan struct{}),
		failing: make(chan struct{}), failed: make(chan error, 1),
		readers: map[chat.UserID]*reader{}, rooms: map[chat.RoomID]byAge[*reader]{},
		idle: map[*reader]struct{}{}, changed: map[*reader]struct{}{},
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now
	}
	if len(h.epoch) > 10 {
		h.epoch = h.epoch[:10]
	}
	if err := h.load(ctx, cmp.Or(o.Ring, 16_384), cmp.Or(o.RingBytes, 32<<20)); err != nil {
		return nil, err
	}
	// A commit that has begun is carried through, whoever gives up meanwhile.
	work := context.WithoutCancel(ctx)
	h.workers.Go(func() {
		h.write(work)
		close(h.stopped)
	})
	h.workers.Go(h.presence)
	return h, nil
}

// load fills the tail with the newest part of the log, so that clients that come
// back after a restart are served from memory.
func (h *Hub) load(ctx context.Context, ring, ringBytes int) error {
	head, err := h.store.Head(ctx)
	if err != nil {
		return fmt.Errorf("hub: reading the head of the log: %w", err)
	}
	floor := max(0, head-Pos(ring/2))
	h.tail = newTail(ring, ringBytes, floor)
	for at := floor; at < head; {
		logged, err := h.store.After(ctx, at, 1024)
		if err != nil {
			return fmt.Errorf("hub: reading the log after %d: %w", at, err)
		}
		if len(logged) == 0 {
			return fmt.Errorf("hub: the log ends at %d, before its head %d", at, head)
		}
		for _, l := range logged {
			e, err := h.entry(l)
			if err != nil {
				return err
			}
			h.spread(e)
			at = l.Pos
		}
	}
	p := place{pos: head, ord: h.tail.next - 1}
	h.head.Store(&mark{place: p, cursor: h.mint(p)})
	return nil
}

// Failed says, once, that the log can not be written any more: the process should
// end and start again.
func (h *Hub) Failed() <-chan error { return h.failed }

// Close commits what was accepted, ends all feeds and waits for the hub's goroutines.
func (h *Hub) Close() error {
	h.stopOnce.Do(func() {
		h.accepting.Lock()
		defer h.accepting.Unlock()
		close(h.stopping)
	})
	h.workers.Wait()
	return nil
}

// Send appends d for u, or passes it on if it is a signal. See chat.Link.
func (h *Hub) Send(ctx context.Context, u chat.UserID, d chat.Draft) (chat.Event, error) {
	if err := d.Validate(); err != nil {
		return chat.Event{}, err
	}
	if d.Signal() {
		return h.sendSignal(ctx, u, d)
	}
	res, err := h.submit(ctx, Append{From: u, Draft: d})
	return res.Event, err
}

func (h *Hub) sendSignal(ctx context.Context, u chat.UserID, d chat.Draft) (chat.Event, error) {
	r, err := h.reader(ctx, u)
	if err != nil {
		return chat.Event{}, err
	}
	defer h.mu.Unlock()
	if !r.covers(d.Room, h.tailHead()+1) {
		return chat.Event{}, chat.ErrNotFound
	}
	ev := chat.Event{Room: d.Room, From: u, Nonce: d.Nonce, Body: d.Body}
	return ev, h.signal(ev)
}

// bear numbers a reader or a watcher by age. h.mu is held.
func (h *Hub) bear() uint64 {
	h.births++
	return h.births
}
