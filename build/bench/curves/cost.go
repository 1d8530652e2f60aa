package curves

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// How long something is measured, and how often at least.
const (
	enough = 300 * time.Millisecond
	least  = 3
)

// cost is what a call of f takes: the median of all after the first.
func cost(ctx context.Context, f func() error) (time.Duration, error) {
	if err := f(); err != nil {
		return 0, err
	}
	var took []time.Duration
	for began := time.Now(); time.Since(began) < enough || len(took) < least; {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// delivery is what it takes from handing over a signal until one reader holds it: what an event takes after its commit.
func delivery(ctx context.Context, h *hub.Hub, from, to chat.UserID, room chat.RoomID) (time.Duration, error) {
	const many = 64
	w, err := h.Watch(ctx, to, "", hub.WatchOptions{Wake: func() {}})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	all, err := cost(ctx, func() error {
		for range many {
			if _, err := h.Send(ctx, from, chat.Draft{Room: room, Body: chat.Body{Typing: &chat.Typing{}}}); err != nil {
				return err
			}
			entries, _, _ := w.Take()
			if !slices.ContainsFunc(entries, func(e *hub.Entry) bool { return e.Event.Typing != nil }) {
				return fmt.Errorf("a signal was not delivered: there were %d others", len(entries))
			}
		}
		return nil
	})
	return all / many, err
}

// comeBack is what it takes a reader to be level again from a cursor, after which there are so many events for them.
func comeBack(ctx context.Context, h *hub.Hub, u chat.UserID, from chat.Cursor, want int) (time.Duration, error) {
	return cost(ctx, func() error {
		w, err := h.Watch(ctx, u, from, hub.WatchOptions{Wake: func() {}})
		if err != nil {
			return err
		}
		defer w.Close()
		got := 0
		for {
			entries, _, behind := w.Take()
			if behind {
				if entries, _, _, err = w.CatchUp(ctx); err != nil {
					return err
				}
			}
			for _, e := range entries {
				if !e.Event.Signal() {
					got++
				}
			}
			if !behind && len(entries) == 0 {
				break
			}
		}
		if got != want {
			return fmt.Errorf("who was %d events behind was given %d", want, got)
		}
		return nil
	})
}

// snapshot is what it takes to read where u begins.
func snapshot(ctx context.Context, h *hub.Hub, u chat.UserID, rooms int) (time.Duration, error) {
	return cost(ctx, func() error {
		s, err := h.Snapshot(ctx, u)
		if err == nil && len(s.Rooms) != rooms {
			err = fmt.Errorf("a snapshot has %d rooms instead of %d", len(s.Rooms), rooms)
		}
		return err
	})
}

// page is what it takes to read a whole page of a room before seq, 0 for the newest.
func page(ctx context.Context, h *hub.Hub, u chat.UserID, room chat.RoomID, before chat.Seq) (time.Duration, error) {
	return cost(ctx, func() error {
		p, err := h.History(ctx, u, room, before, chat.MaxPage)
		if err == nil && len(p.Events) != chat.MaxPage {
			err = fmt.Errorf("a page has %d events instead of %d", len(p.Events), chat.MaxPage)
		}
		return err
	})
}

// atOnce is how many senders append at once.
const atOnce = 64

// appended sends n drafts through the hub, by many at once, and returns what each took of the time. next makes the i-th.
func appended(ctx context.Context, h *hub.Hub, n int, next func(i int) (chat.UserID, chat.Draft)) (time.Duration, error) {
	var taken atomic.Int64
	failed := make(chan error, atOnce)
	began := time.Now()
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := int(taken.Add(1)) - 1; i < n; i = int(taken.Add(1)) - 1 {
				u, d := next(i)
				if _, err := h.Send(ctx, u, d); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return 0, err
	default:
		return took / time.Duration(n), nil
	}
}

// behind is how many events a reader lies behind who comes back.
const behind = 1_000

// grow is appended, and returns the cursor that the last 1,000 of the drafts come after. It is the same for all; whoever
// has the shortest snapshot does to ask for it.
func grow(ctx context.Context, h *hub.Hub, n int, user chat.UserID, next func(i int) (chat.UserID, chat.Draft)) (each time.Duration, from chat.Cursor, err error) {
	last := min(n, behind)
	var before, after time.Duration
	if n > last {
		if before, err = appended(ctx, h, n-last, next); err != nil {
			return 0, "", err
		}
	}
	s, err := h.Snapshot(ctx, user)
	if err != nil {
		return 0, "", err
	}
	after, err = appended(ctx, h, last, func(i int) (chat.UserID, chat.Draft) { return next(n - last + i) })
	return (before*time.Duration(n-last) + after*time.Duration(last)) / time.Duration(n), s.Cursor, err
}
