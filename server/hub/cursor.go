package hub

import (
	"strconv"
	"strings"

	"parley/app/chat"
)

// A place is somewhere in the feed: after the event at pos and, in this life
// of the process, after the entry of the tail numbered ord. Signals have
// an ord but no pos of their own, so ord alone can tell whether one was seen.
type place struct {
	pos Pos
	ord int64 // 0: not known
}

// mint writes the cursor for p: EPOCH.POS, and .BOOT.ORD where ord is known,
// numbers in base 36. A cursor is the same for all users: it says where, not what.
func (h *Hub) mint(p place) chat.Cursor {
	var b strings.Builder
	b.Grow(len(h.epoch) + len(h.boot) + 24)
	b.WriteString(h.epoch)
	b.WriteByte('.')
	b.WriteString(strconv.FormatInt(int64(p.pos), 36))
	if p.ord > 0 {
		b.WriteByte('.')
		b.WriteString(h.boot)
		b.WriteByte('.')
		b.WriteString(strconv.FormatInt(p.ord, 36))
	}
	return chat.Cursor(b.String())
}

// parse reads a cursor. One of another epoch, or in another form, is chat.ErrReset.
// The ord of another life of the process is dropped: its pos still holds.
func (h *Hub) parse(c chat.Cursor) (place, error) {
	parts := strings.Split(string(c), ".")
	if len(parts) != 2 && len(parts) != 4 || parts[0] != h.epoch && !anyEpoch {
		return place{}, chat.ErrReset
	}
	pos, ok := parseBase36(parts[1])
	if !ok {
		return place{}, chat.ErrReset
	}
	p := place{pos: Pos(pos)}
	if len(parts) == 4 {
		ord, ok := parseBase36(parts[3])
		if !ok {
			return place{}, chat.ErrReset
		}
		if parts[2] == h.boot {
			p.ord = ord
		}
	}
	return p, nil
}

// parseBase36 accepts only what mint writes, so that a place has one spelling.
func parseBase36(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 36, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 36) == s
}
