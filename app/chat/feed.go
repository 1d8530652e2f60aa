package chat

import (
	"context"
	"iter"
)

// A Cursor is a place in a feed. It is opaque: only the server looks inside,
// and it may be handed to any transport. The empty cursor is "from now on".
type Cursor string

// A Batch is a run of events of one feed and the cursor past them. An empty batch is a
// sign of life; its cursor may still be new.
type Batch struct {
	Events []Event `json:"events,omitempty"`
	Cursor Cursor  `json:"cursor"`
}

// A Feed is one user's merged view of the logs they may read, in log order.
type Feed interface {
	// Follow yields what comes after the cursor, in order and without gaps, and
	// waits for more. It yields one batch, perhaps empty, as soon as the way is
	// open. It ends with ctx, or after yielding one error: ErrReset (begin again
	// with a Snapshot), ErrUnauthorized, or trouble that may pass. Several may
	// follow one Feed at once. The batch is the caller's once yielded, except
	// that the bodies of its events are shared: never change them.
	Follow(ctx context.Context, after Cursor) iter.Seq2[Batch, error]
}

// A Link is a feed that also takes drafts. The hub gives one to each user; each
// transport is one.
type Link interface {
	Feed
	// Send appends d and returns the event. It returns only after the event is
	// durable. A lost answer means unknown, never failed: sending the same Draft again
	// returns the same Event. The same Nonce with another body is ErrConflict.
	// A signal is not appended; its event has no Seq.
	Send(ctx context.Context, d Draft) (Event, error)
}

// Via names one of the four transports.
type Via string

const (
	Poll        Via = "poll"        // ask again and again
	LongPoll    Via = "longpoll"    // ask, and be answered when there is something
	EventSource Via = "eventsource" // one answer that never ends: server-sent events
	WebSocket   Via = "websocket"   // both directions on one socket
)

// Vias are the four transports, the most immediate first: the order of the ladder.
var Vias = [...]Via{WebSocket, EventSource, LongPoll, Poll}
