package hub

import (
	"context"
	"iter"
	"time"

	"parley/app/chat"
)

// Heartbeat is how long a feed may be silent before an empty batch says that
// the way is open.
const Heartbeat = 20 * time.Second

// Link returns what u has of the hub, in this process and without any transport.
func (h *Hub) Link(u chat.UserID) chat.Link { return link{h, u} }

type link struct {
	hub  *Hub
	user chat.UserID
}

func (l link) Send(ctx context.Context, d chat.Draft) (chat.Event, error) {
	return l.hub.Send(ctx, l.user, d)
}

func (l link) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		wake := make(chan struct{}, 1)
		w, err := l.hub.Watch(ctx, l.user, after, WatchOptions{Wake: func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		}})
		if err != nil {
			if ctx.Err() == nil {
				yield(chat.Batch{}, err)
			}
			return
		}
		defer w.Close()
		beat := time.NewTicker(l.hub.beat)
		defer beat.Stop()
		for due := true; ctx.Err() == nil; {
			entries, cursor, behind := w.Take()
			if behind {
				if entries, cursor, _, err = w.CatchUp(ctx); err != nil {
					if ctx.Err() == nil {
						yield(chat.Batch{}, err)
					}
					return
				}
			}
			if len(entries) > 0 || due {
				if !yield(batch(entries, cursor), nil) {
					return
				}
				due = false
				beat.Reset(l.hub.beat)
			}
			if behind {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-l.hub.stopped:
				yield(chat.Batch{}, chat.ErrUnavailable)
				return
			case <-wake:
			case <-beat.C:
				due = true
			}
		}
	}
}

func batch(entries []*Entry, cursor chat.Cursor) chat.Batch {
	b := chat.Batch{Cursor: cursor}
	for _, e := range entries {
		b.Events = append(b.Events, e.Event)
	}
	return b
}
