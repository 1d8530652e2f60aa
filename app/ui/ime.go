package ui

import "time"

// A keyPress is what the composer needs to know of a keydown event.
type keyPress struct {
	Key       string // as in KeyboardEvent.key
	Code      int    // KeyboardEvent.keyCode: 229 while an input method has the key
	Shift     bool
	Alt       bool
	Ctrl      bool          // Ctrl or ⌘
	Composing bool          // KeyboardEvent.isComposing, or between compositionstart and compositionend
	SinceEnd  time.Duration // since the last compositionend; below 0 when there was none
	WebKit    bool          // Safari, which ends a composition before the key that ended it
	Touch     bool          // no keyboard but the one on the screen
}

// A deed is what the composer does about a key.
type deed uint8

const (
	leave    deed = iota // nothing: the key is the browser's or the input method's
	post                 // send, or save the edit
	editLast             // edit one's last message
	abandon              // stop editing
)

// graceAfterComposition is how long after the end of a composition WebKit may
// still deliver the Enter that ended it (WebKit bug 165004).
const graceAfterComposition = 100 * time.Millisecond

// inComposition reports whether the key belongs to an input method: then nobody else
// may act on it.
func inComposition(k keyPress) bool {
	if k.Composing || k.Code == 229 {
		return true
	}
	return k.WebKit && k.Key == "Enter" && k.SinceEnd >= 0 && k.SinceEnd < graceAfterComposition
}

// decide returns what to do about a key in the composer, when it is empty or not, and
// editing a message or not.
func decide(k keyPress, empty, editing bool) deed {
	if inComposition(k) {
		return leave
	}
	switch k.Key {
	case "Enter":
		switch {
		case k.Ctrl && !k.Alt && !k.Shift:
			return post
		case k.Shift, k.Alt, k.Ctrl, k.Touch:
			return leave // a new line
		}
		return post
	case "ArrowUp":
		if empty && !editing && !k.Shift && !k.Alt && !k.Ctrl {
			return editLast
		}
	case "Escape":
		if editing {
			return abandon
		}
	}
	return leave
}
