package hub

import (
	"context"
	"fmt"
	"testing"

	"parley/app/chat"
)

// emptyStore is a store with nothing in it.
type emptyStore struct{ Store }

func (emptyStore) Epoch() string                     { return "EPOCH" }
func (emptyStore) Head(context.Context) (Pos, error) { return 0, nil }

func (emptyStore) Spans(context.Context, chat.UserID) ([]Span, error) { return nil, nil }

// TestPresenceOfCrowd counts what a crowd that comes at once is told: everyone of everyone, once, and in no second more than
// what leaves room for messages.
func TestPresenceOfCrowd(t *testing.T) {
	for _, n := range []int{1, 16, 300, 3_000, 8_000} {
		h, err := New(t.Context(), emptyStore{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var first *Watcher
		for i := range n {
			w, err := h.Watch(t.Context(), chat.UserID(fmt.Sprint("user ", i)), "", WatchOptions{Wake: func() {}})
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = w
			}
		}
		most := max(16*n, min(chat.MaxBatch*n, tellings)) // 16 go on however many are told
		told := map[chat.UserID]int{}
		for range 2 * n {
			h.tellPresence()
			entries, _, behind := first.Take()
			if behind {
				t.Fatal("a reader who takes what comes is behind")
			}
			for _, e := range entries {
				if all := n * len(e.Event.Presence.Online); all > most {
					t.Errorf("%d people are told %d things at once, more than %d", n, all, most)
				}
				for _, u := range e.Event.Presence.Online {
					told[u]++
				}
			}
			if len(told) == n {
				break
			}
		}
		h.tellPresence()
		if entries, _, _ := first.Take(); len(told) != n || len(entries) != 0 {
			t.Errorf("of %d people %d were told, and %d entries came afterwards", n, len(told), len(entries))
		}
		for u, times := range told {
			if times != 1 {
				t.Errorf("of %s all were told %d times", u, times)
			}
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
