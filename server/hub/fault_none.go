//go:build !fault

package hub

// A build with the tag "fault" can be told to break one promise, which build/chaos has to
// notice: that proves that its checks can fail. In this build, the real one, nothing is broken
// and nothing of it is left: all here is constant, or empty, and compiled away.
const (
	skipOne     = false // a cursor is off by one, forwards
	repeatOne   = false // … backwards
	anyEpoch    = false // a cursor is taken that is of another log
	forgetMore  = false // a full page is taken for the last
	keepRemoved = false // who was sent out of a room goes on reading
	unbounded   = false // a reader that does not keep up is queued for without end
)

// answerEarly acknowledges messages before they are committed.
func answerEarly([]*request) {}

// lose reports whether to lose an entry on its way to a watcher.
func lose() bool { return false }

// shuffle swaps two events of a room.
func shuffle([]*Entry) {}

// own is what a watcher queues of an entry.
func own(e *Entry) *Entry { return e }
