package swarm

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// A stopwatch gathers how long messages took, from the writer's first try to a reader that has them and the cursor past them: the
// way through the commit and all transports' buffers. Only those count that were sent since it was last set.
type stopwatch struct {
	mu    sync.Mutex
	since time.Duration
	took  []time.Duration
}

// set begins anew.
func (w *stopwatch) set() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.took = time.Since(started), w.took[:0]
}

func (w *stopwatch) note(stamps []time.Duration) {
	now := time.Since(started)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, at := range stamps {
		if at >= w.since {
			w.took = append(w.took, now-at)
		}
	}
}

// read is what was gathered since it was set, in order.
func (w *stopwatch) read() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.took))
}

var textKey = []byte(`"text":"` + stampMark)

// stamped appends the stamp of the event that b goes on with, if it has one: before the next event begins.
func stamped(stamps []time.Duration, b []byte) []time.Duration {
	if next := bytes.Index(b, roomKey); next >= 0 {
		b = b[:next]
	}
	at := bytes.Index(b, textKey)
	if at < 0 {
		return stamps
	}
	b = b[at+len(textKey):]
	n, err := strconv.ParseInt(string(b[:min(19, len(b))]), 10, 64)
	if err != nil {
		return stamps
	}
	return append(stamps, time.Duration(n))
}

// TestStopwatch holds that the stamp of each message is found, and of nothing else.
func TestStopwatch(t *testing.T) {
	const room = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	w := &stopwatch{}
	r := newReader(nil, nil, "", place{})
	r.free, r.watch = true, w
	w.set()
	message := func(seq string, text string) string {
		return `{"room":"` + room + `","seq":` + seq + `,"nonce":"n","message":{"text":"` + text + `"}}`
	}
	r.take([]byte(`{"events":[` + message("1", stamp()+"one") + `,{"room":"` + room + `","seq":2,"member":{}},` + message("3", "without") + `,` +
		message("4", stamp()+"four") + `],"cursor":"c"}`))
	if got := w.read(); len(got) != 2 || got[0] < 0 || got[1] > time.Since(started) {
		t.Errorf("two stamped messages took %v", got)
	}
	late := stamp()
	w.set()
	r.take([]byte(`{"events":[` + message("5", late+"sent before it was set") + `],"cursor":"c"}`))
	if got := w.read(); len(got) != 0 {
		t.Errorf("what was sent before took %v", got)
	}
	r.take([]byte(`{"events":[` + message("6", stamp()+"half a batch")))
	if r.begin(); len(r.stamps) != 0 {
		t.Error("the stamp of half a batch is kept")
	}
}
