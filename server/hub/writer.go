package hub

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"parley/app/chat"
)

// maxGroup is how many drafts share one commit at the most.
const maxGroup = 256

// A request is one Append on its way through the writer.
type request struct {
	Append
	barrier bool          // appends nothing; answered when all before it is published
	done    chan Appended // buffered: the writer never waits for who asked
}

func (r *request) answer(a Appended) {
	select {
	case r.done <- a:
	default: // answered already, which happens only in a build broken on purpose
	}
}

// write is the one goroutine that appends. It takes what is there and never
// waits to fill a group: alone, a draft is committed at once; under load
// the next group gathers while this one is flushed.
func (h *Hub) write(ctx context.Context) {
	group := make([]*request, 0, maxGroup)
	appends := make([]Append, 0, maxGroup)
	for {
		group, appends = group[:0], appends[:0]
		select {
		case r := <-h.requests:
			group = append(group, r)
		case <-h.stopping:
			// Whatever was accepted before is still committed.
			select {
			case r := <-h.requests:
				group = append(group, r)
			default:
				return
			}
		}
	more:
		for len(group) < maxGroup {
			select {
			case r := <-h.requests:
				group = append(group, r)
			default:
				break more
			}
		}
		now := h.now()
		for _, r := range group {
			if !r.barrier {
				r.At = now
				appends = append(appends, r.Append)
			}
		}
		answerEarly(group)
		results, err := h.appendGroup(ctx, appends)
		for _, r := range group {
			switch {
			case r.barrier:
				r.done <- Appended{}
			case err != nil:
				r.answer(Appended{Err: err})
			default:
				r.answer(results[0])
				results = results[1:]
			}
		}
		// Whoever was answered gets to say more before the next group is taken, if they are ready to: else the first of many
		// to do so would have a commit for itself, while all others wait for the one after. As soon as nobody does, it goes on.
		for n := -1; n < len(h.requests) && n < maxGroup; {
			n = len(h.requests)
			runtime.Gosched()
		}
	}
}

// appendGroup commits and then publishes. Only then may anyone be answered: after
// the answer the event is on disk, and whoever reads finds it.
func (h *Hub) appendGroup(ctx context.Context, appends []Append) ([]Appended, error) {
	if err := h.failure(); err != nil || len(appends) == 0 {
		return nil, err
	}
	results, err := h.store.Append(ctx, appends)
	if err != nil {
		if _, ok := errors.AsType[*chat.Error](err); ok {
			return nil, err // refused as a whole, such as a full disk; the store goes on
		}
		h.fail(err)
		return nil, h.failure()
	}
	var entries []*Entry
	for i, r := range results {
		for _, l := range r.New {
			e, err := h.entry(l)
			if err != nil {
				h.fail(err)
				return nil, h.failure()
			}
			if appends[i].Create != nil {
				e.since = r.New[0].Pos
			}
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		return results, nil
	}
	if err := h.publish(entries); err != nil {
		h.fail(err)
		return nil, h.failure()
	}
	return results, nil
}

// fail stops all writing for good: after a write whose outcome is not known, what
// is in memory and what is on disk may differ, and only a new start makes them agree.
func (h *Hub) fail(err error) {
	h.failOnce.Do(func() {
		h.log.Error("the log can not be written; stopping", "err", err)
		h.failed <- fmt.Errorf("the log can not be written: %w", err)
		close(h.failing)
	})
}

func (h *Hub) failure() error {
	select {
	case <-h.failing:
		return chat.ErrUnavailable
	default:
		return nil
	}
}

// submit passes a to the writer and waits for the outcome. When ctx ends first, the
// outcome is unknown.
func (h *Hub) submit(ctx context.Context, a Append) (Appended, error) {
	return h.queue(ctx, &request{Append: a})
}

// settle waits until all that is committed now is published: what was read from the store
// may be ahead of the feeds for a moment.
func (h *Hub) settle(ctx context.Context) error {
	_, err := h.queue(ctx, &request{barrier: true})
	return err
}

func (h *Hub) queue(ctx context.Context, r *request) (Appended, error) {
	r.done = make(chan Appended, 1)
	h.accepting.RLock()
	select {
	case <-h.stopping:
		h.accepting.RUnlock()
		return Appended{}, chat.ErrUnavailable
	default:
	}
	select {
	case h.requests <- r:
		h.accepting.RUnlock()
	case <-ctx.Done():
		h.accepting.RUnlock()
		return Appended{}, ctx.Err()
	}
	select {
	case res := <-r.done:
		return res, res.Err
	case <-ctx.Done():
		return Appended{}, ctx.Err()
	}
}
