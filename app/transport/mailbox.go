package transport

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"parley/app/chat"
)

// A mailbox is where what comes by itself waits for its reader: batches in order,
// then the error that ended them.
type mailbox struct {
	mu      sync.Mutex
	batches []chat.Batch
	err     error
	news    chan struct{} // has one when something was put
	room    chan struct{} // has one when something was taken
}

// mailboxSize bounds the batches in a mailbox; small ones share a place.
const mailboxSize = 64

func newMailbox() *mailbox {
	return &mailbox{news: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put adds a batch, or reports that there is no room now. It never blocks.
func (m *mailbox) put(b chat.Batch) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.batches)
	if n > 0 && len(m.batches[n-1].Events)+len(b.Events) <= chat.MaxBatch {
		last := &m.batches[n-1]
		last.Events, last.Cursor = append(last.Events, b.Events...), b.Cursor
	} else if n == mailboxSize {
		return false
	} else {
		m.batches = append(m.batches, b)
	}
	poke(m.news)
	return true
}

// end says that nothing more will come; the first to say so is heard.
func (m *mailbox) end(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
	poke(m.news)
}

// rescue makes a panic the mailbox's end. Defer it where batches come from: in
// a browser a panic there would end the whole program.
func (m *mailbox) rescue() {
	if r := recover(); r != nil {
		m.end(fmt.Errorf("fault while following: %v\n%s", r, debug.Stack()))
	}
}

// take waits for the next batch or the end, at most for quiet.
func (m *mailbox) take(ctx context.Context, quiet time.Duration) (chat.Batch, error) {
	silent := time.NewTimer(quiet)
	defer silent.Stop()
	for {
		m.mu.Lock()
		if len(m.batches) > 0 {
			b := m.batches[0]
			m.batches = m.batches[1:]
			m.mu.Unlock()
			poke(m.room)
			return b, nil
		}
		err := m.err
		m.mu.Unlock()
		if err != nil {
			return chat.Batch{}, err
		}
		select {
		case <-m.news:
		case <-silent.C:
			return chat.Batch{}, ErrSilent
		case <-ctx.Done():
			return chat.Batch{}, ctx.Err()
		}
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
