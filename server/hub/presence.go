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
	if err := h.signal(chat.Event{Body: chat.Body{Presence: &p}}); err != nil {
		h.log.Error("telling presence", "err", err)
	}
}

// online returns which of the users are here now.
func (h *Hub) online(users []chat.User) []chat.UserID {
	h.mu.Lock()
	defer h.mu.Unlock()
	var on []chat.UserID
	for _, u := range users {
		if r := h.readers[u.ID]; r != nil && r.online {
			on = append(on, u.ID)
		}
	}
	return on
}
