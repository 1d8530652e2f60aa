package ui

import (
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	const never = -1
	enter := func(change func(*keyPress)) keyPress {
		k := keyPress{Key: "Enter", Code: 13, SinceEnd: never}
		change(&k)
		return k
	}
	for _, c := range []struct {
		name           string
		key            keyPress
		empty, editing bool
		want           deed
	}{
		{"enter sends", enter(func(*keyPress) {}), false, false, post},
		{"shift+enter is a new line", enter(func(k *keyPress) { k.Shift = true }), false, false, leave},
		{"alt+enter is a new line", enter(func(k *keyPress) { k.Alt = true }), false, false, leave},
		{"ctrl+enter sends", enter(func(k *keyPress) { k.Ctrl = true }), false, false, post},
		{"enter by touch is a new line", enter(func(k *keyPress) { k.Touch = true }), false, false, leave},
		{"ctrl+enter sends with touch", enter(func(k *keyPress) { k.Touch, k.Ctrl = true, true }), false, false, post},
		{"enter chooses a candidate", enter(func(k *keyPress) { k.Composing = true }), false, false, leave},
		{"enter with key code 229", enter(func(k *keyPress) { k.Code = 229 }), false, false, leave},
		{"ctrl+enter while composing", enter(func(k *keyPress) { k.Ctrl, k.Composing = true, true }), false, false, leave},
		{"safari: enter after the end", enter(func(k *keyPress) { k.WebKit, k.SinceEnd = true, 20*time.Millisecond }), false, false, leave},
		{"safari: enter at the end", enter(func(k *keyPress) { k.WebKit, k.SinceEnd = true, 0 }), false, false, leave},
		{"safari: enter later", enter(func(k *keyPress) { k.WebKit, k.SinceEnd = true, graceAfterComposition }), false, false, post},
		{"safari: enter without composition", enter(func(k *keyPress) { k.WebKit = true }), false, false, post},
		{"elsewhere: enter after the end", enter(func(k *keyPress) { k.SinceEnd = 20 * time.Millisecond }), false, false, post},
		{"enter saves an edit", enter(func(*keyPress) {}), false, true, post},
		{"up in an empty box", keyPress{Key: "ArrowUp", SinceEnd: never}, true, false, editLast},
		{"up in text", keyPress{Key: "ArrowUp", SinceEnd: never}, false, false, leave},
		{"up while editing", keyPress{Key: "ArrowUp", SinceEnd: never}, true, true, leave},
		{"up with shift", keyPress{Key: "ArrowUp", Shift: true, SinceEnd: never}, true, false, leave},
		{"up among candidates", keyPress{Key: "ArrowUp", Composing: true, SinceEnd: never}, true, false, leave},
		{"escape stops editing", keyPress{Key: "Escape", SinceEnd: never}, false, true, abandon},
		{"escape ends a composition", keyPress{Key: "Escape", Composing: true, SinceEnd: never}, false, true, leave},
		{"escape without an edit", keyPress{Key: "Escape", SinceEnd: never}, false, false, leave},
		{"a letter", keyPress{Key: "a", Code: 65, SinceEnd: never}, true, false, leave},
		{"a letter being composed", keyPress{Key: "Process", Code: 229, SinceEnd: never}, true, false, leave},
	} {
		if got := decide(c.key, c.empty, c.editing); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
