package hub

import (
	"errors"
	"testing"

	"parley/app/chat"
)

// FuzzCursor: whatever a stranger hands in as a cursor is a reset or a place
// that is written in exactly this way, so no two cursors mean one place.
func FuzzCursor(f *testing.F) {
	h := &Hub{epoch: "EPOCH12345", boot: "BOOT1234"}
	for _, p := range []place{{}, {pos: 1}, {pos: 1 << 40, ord: 77}} {
		f.Add(string(h.mint(p)))
	}
	for _, s := range []string{"", ".", "...", "EPOCH12345.-1", "EPOCH12345.01", "EPOCH12345.zzzzzzzzzzzzzzzzzz", "OTHER.1", "EPOCH12345.1.OTHER.5", "EPOCH12345.1.BOOT1234.+5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := h.parse(chat.Cursor(s))
		if err != nil {
			if !errors.Is(err, chat.ErrReset) {
				t.Fatalf("parse(%q) = %v, want a reset", s, err)
			}
			return
		}
		if p.pos < 0 || p.ord < 0 {
			t.Fatalf("parse(%q) = %+v, a place before the beginning", s, p)
		}
		back, err := h.parse(h.mint(p))
		if err != nil || back != p {
			t.Fatalf("parse(mint(%+v)) = %+v, %v", p, back, err)
		}
	})
}

func TestCursorForgetsAnotherLife(t *testing.T) {
	h := &Hub{epoch: "EPOCH", boot: "ONE"}
	c := h.mint(place{pos: 9, ord: 4})
	h.boot = "TWO"
	if p, err := h.parse(c); err != nil || p != (place{pos: 9}) {
		t.Errorf("after a restart %q is %+v, %v; want pos 9 alone", c, p, err)
	}
	h.epoch = "OTHER"
	if _, err := h.parse(c); !errors.Is(err, chat.ErrReset) {
		t.Errorf("in another epoch %q is %v, want a reset", c, err)
	}
}
