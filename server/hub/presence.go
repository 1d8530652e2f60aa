package hub

import (
	"time"

	"parley/app/chat"
)

// appear notes that r's user is here. h.mu is held.
func (h *Hub) appear(r *reader) {
	if !r.online {
		h.changed[r] = struct{}{}
	}
}

// linger lets r's user count as here for a while, if nobody watches for them any more. h.mu is held.
func (h *Hub) linger(r *reader) {
	if len(r.watchers) == 0 {
		r.until = h.now().Add(r.grace)
		h.idle[r] = struct{}{}
	}
}

// presence tells, at most once a second, who came and who went, as one signal: a
// crowd that arrives at once costs a few events.
func (h *Hub) presence() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-h.stopped:
			return
		case <-tick.C:
			h.tellPresence()
		}
	}
}

// tellings bounds what all readers together are told in a second, of about 30 bytes each.
const tellings = 1 << 19

// toldAtOnce is how many may come, and how many go, in one second. Everyone is told of everyone, which for a crowd grows as its
// square: the larger it is, the more seconds it takes, so that messages still get through.
func (h *Hub) toldAtOnce() int {
	return min(chat.MaxBatch, max(16, tellings/max(1, len(h.readers))))
}

func (h *Hub) tellPresence() {
	h.mu.Lock()
	defer h.mu.Unlock()
	var p chat.Presence
	most := h.toldAtOnce()
	for r := range h.changed {
		if !r.online && len(p.Online) < most {
			r.online = true
			p.Online = append(p.Online, r.user)
			delete(h.changed, r)
		}
	}
	now := h.now()
	for r := range h.idle {
		if now.Before(r.until) || len(p.Offline) == most {
			continue
		}
		if r.online {
			p.Offline = append(p.Offline, r.user)
		}
		delete(h.changed, r)
		h.forget(r)
	}
	if len(p.Online)+len(p.Offline) == 0 {
		return
	}
	h.here = nil
	if err := h.signal(chat.Event{Body: chat.Body{Presence: &p}}); err != nil {
		h.log.Error("telling presence", "err", err)
	}
}

// told is an event in both its forms.
type told struct {
	event chat.Event
	json  []byte
}

// rollCall returns entries that say who is here, for a watcher that comes from the event at pos and may have missed who came and went:
// no more than maxCalls of them, of which each leads to pos and no further. h.mu is held.
func (h *Hub) rollCall(pos Pos) []*Entry {
	if h.here == nil {
		var on []chat.UserID
		for u, r := range h.readers {
			if r.online {
				on = append(on, u)
			}
		}
		var calls []told
		for anew := true; anew || len(on) > 0; anew = false {
			n := min(len(on), max(chat.MaxBatch, len(h.readers)/maxCalls+1))
			ev := chat.Event{Body: chat.Body{Presence: &chat.Presence{Anew: anew, Online: on[:n]}}}
			ev.At = h.now().UTC().Truncate(time.Millisecond)
			e, err := h.entry(Logged{Event: ev})
			if err != nil {
				h.log.Error("telling who is here", "err", err)
				return nil
			}
			calls, on = append(calls, told{ev, e.JSON}), on[n:]
		}
		h.here = calls
	}
	entries := make([]*Entry, len(h.here))
	at := place{pos: pos}
	for i, t := range h.here {
		entries[i] = &Entry{Pos: pos, Event: t.event, JSON: t.json, place: at, cursor: h.mint(at)}
	}
	return entries
}

// maxCalls bounds how many entries say who is here, well below chat.MaxBatch.
const maxCalls = 64

// online returns which of the users are here now, as was told up to a place past the event at pos.
func (h *Hub) online(users []chat.User, pos Pos) ([]chat.UserID, place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var on []chat.UserID
	for _, u := range users {
		if r := h.readers[u.ID]; r != nil && r.online {
			on = append(on, u.ID)
		}
	}
	return on, h.tail.end(pos)
}
