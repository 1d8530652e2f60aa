package chaos

import (
	"context"
	"slices"
	"sync"
	"time"

	"parley/app/chat"
)

// board is where consumers and senders note how far they are, for those who wait for it.
type board struct {
	mu        sync.Mutex
	heads     map[string]map[chat.RoomID]chat.Seq // of each consumer
	delivered int
	settled   int             // sends that are over
	took      []time.Duration // of answered tries
	changed   chan struct{}   // closed and replaced at each change while someone waits
	waiting   bool
}

func newBoard() *board {
	return &board{heads: map[string]map[chat.RoomID]chat.Seq{}, changed: make(chan struct{})}
}

// begin notes where a consumer begins in a room.
func (b *board) begin(who string, room chat.RoomID, seq chat.Seq) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.heads[who] == nil {
		b.heads[who] = map[chat.RoomID]chat.Seq{}
	}
	b.heads[who][room] = seq
	b.change()
}

// deliver notes the events a consumer was given.
func (b *board) deliver(who string, events []chat.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		if !e.Signal() {
			b.heads[who][e.Room] = e.Seq
			b.delivered++
		}
	}
	b.change()
}

// answered notes a try that was answered.
func (b *board) answered(took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.took = append(b.took, took)
}

// settle notes that a send is over.
func (b *board) settle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled++
	b.change()
}

// change wakes those who wait. b.mu is held.
func (b *board) change() {
	if b.waiting {
		close(b.changed)
		b.changed, b.waiting = make(chan struct{}), false
	}
}

// reach waits until there were so many deliveries and answered sends.
func (b *board) reach(ctx context.Context, deliveries, sends int) error {
	for {
		b.mu.Lock()
		enough := b.delivered >= deliveries && b.settled >= sends
		b.waiting = b.waiting || !enough
		changed := b.changed
		b.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (b *board) deliveries() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.delivered
}

func (b *board) answers() []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.took)
}

// level waits until every consumer is at the heads, and reports whether they all were in time.
func (b *board) level(ctx context.Context, heads map[chat.RoomID]chat.Seq, in time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, in)
	defer cancel()
	for {
		changed, ok := b.check(heads)
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (b *board) check(heads map[chat.RoomID]chat.Seq) (<-chan struct{}, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, at := range b.heads {
		for room, head := range heads {
			if at[room] < head {
				b.waiting = true
				return b.changed, false
			}
		}
	}
	return nil, true
}
