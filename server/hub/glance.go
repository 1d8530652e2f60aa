package hub

import (
	"time"

	"parley/app/chat"
)

// Glance returns what follows the cursor in u's feed, and the cursor past it: a watch of a moment, for who need not wait and comes back
// soon, and who counts as here for grace after it. No entries means that there is nothing, or that more is to be done about it: then Watch.
func (h *Hub) Glance(u chat.UserID, after chat.Cursor, grace time.Duration) ([]*Entry, chat.Cursor) {
	at, err := h.parse(after)
	if err != nil || after == "" {
		return nil, ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.readers[u]
	if r == nil {
		return nil, ""
	}
	if at, err = h.resume(at); err != nil {
		return nil, ""
	}
	list, ok := h.collect(r, at, maxPending, maxPendingBytes)
	if !ok || len(list.entries) == 0 {
		return nil, ""
	}
	if len(r.watchers) == 0 {
		r.grace = max(grace, streamGrace)
	}
	h.linger(r)
	h.appear(r)
	shuffle(list.entries)
	return list.entries, list.entries[len(list.entries)-1].cursor
}
