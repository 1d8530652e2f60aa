package hub

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// knownStore is an empty store that knows some people.
type knownStore struct {
	emptyStore
	users []chat.User
}

func (s knownStore) Snapshot(_ context.Context, u chat.UserID) (chat.Snapshot, Pos, error) {
	return chat.Snapshot{You: u, Users: s.users}, 0, nil
}

// TestPresenceIsWhole compares who a client takes to be here, by its snapshot and all that it was given since, with who is: however
// it comes back, and whatever was told while it was not there.
func TestPresenceIsWhole(t *testing.T) {
	store := knownStore{users: []chat.User{{ID: "ana"}, {ID: "ben"}, {ID: "chloe"}, {ID: "dan"}}}
	start := func(t *testing.T) *Hub {
		h, err := New(t.Context(), store, Options{Ring: 16})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
		return h
	}
	come := func(t *testing.T, h *Hub, u chat.UserID, after chat.Cursor) *Watcher {
		w, err := h.Watch(t.Context(), u, after, WatchOptions{Wake: func() {}})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	arrive := func(t *testing.T, h *Hub, users ...chat.UserID) {
		for _, u := range users {
			come(t, h, u, "")
		}
		h.tellPresence()
	}
	leave := func(h *Hub, users ...chat.UserID) {
		h.mu.Lock()
		for _, u := range users {
			r := h.readers[u]
			r.watchers, r.until = nil, h.now()
			h.idle[r] = struct{}{}
		}
		h.mu.Unlock()
		h.tellPresence()
	}
	fill := func(t *testing.T, h *Hub) { // typing, more than the tail holds
		h.mu.Lock()
		defer h.mu.Unlock()
		for range 40 {
			if err := h.signal(chat.Event{Room: "r", From: "dan", Body: chat.Body{Typing: &chat.Typing{}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name string
		away func(t *testing.T, h *Hub) *Hub // what happens between the cursor and the return, and the hub that is returned to
		want []chat.UserID
	}{
		{"they come", func(t *testing.T, h *Hub) *Hub { arrive(t, h, "ben", "chloe"); return h }, []chat.UserID{"ben", "chloe", "dan"}},
		{"they go", func(t *testing.T, h *Hub) *Hub { leave(h, "dan"); return h }, nil},
		{"come and go", func(t *testing.T, h *Hub) *Hub { arrive(t, h, "ben"); leave(h, "ben"); arrive(t, h, "chloe"); return h }, []chat.UserID{"chloe", "dan"}},
		{"more is told than is kept", func(t *testing.T, h *Hub) *Hub { arrive(t, h, "ben"); leave(h, "dan"); fill(t, h); return h }, []chat.UserID{"ben"}},
		{"a restart", func(t *testing.T, _ *Hub) *Hub { h := start(t); arrive(t, h, "chloe"); return h }, []chat.UserID{"chloe"}},
		{"a restart, and nobody is here yet", func(t *testing.T, _ *Hub) *Hub { return start(t) }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := start(t)
			arrive(t, h, "dan")
			s, err := h.Snapshot(t.Context(), "ana")
			if err != nil {
				t.Fatal(err)
			}
			online := map[chat.UserID]bool{}
			for _, u := range s.Online {
				online[u] = true
			}
			h = test.away(t, h)
			cursor := s.Cursor
			for visit := range 3 { // the second and third find nothing new
				w := come(t, h, "ana", cursor)
				entries, next, behind := w.Take()
				if behind {
					t.Fatal("the tail is short, and yet the watcher is behind")
				}
				if visit > 0 && len(entries) > 0 {
					t.Errorf("visit %d is given %d entries again", visit, len(entries))
				}
				for _, e := range entries {
					p := e.Event.Presence
					if p == nil {
						continue
					}
					if p.Anew {
						clear(online)
					}
					for _, u := range p.Online {
						online[u] = true
					}
					for _, u := range p.Offline {
						delete(online, u)
					}
				}
				cursor = next
				w.Close()
			}
			var got []chat.UserID
			for u := range online {
				got = append(got, u)
			}
			slices.Sort(got)
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("who is here (-want +got):\n%s", d)
			}
		})
	}
}
