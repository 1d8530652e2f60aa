package api_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/server/hub"
)

// Somebody sets the server's clock, again and again and far: what is told is dated by it, and
// nothing else is different. (T17)
func TestClockJumps(t *testing.T) {
	day := 24 * time.Hour
	jumps := []time.Duration{time.Hour, -time.Hour, day, -day, time.Until(time.Unix(0, 0)), time.Until(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)),
		-time.Second, -time.Second, 0}
	for _, via := range chat.Vias {
		t.Run(string(via), func(t *testing.T) {
			t.Parallel()
			wall := &clock{}
			w := newWorld(t, setting{hub: func(o *hub.Options) { o.Now = wall.Now }})
			ana := w.owner()
			ben := ana.guest("ben")
			cursor := ben.snapshot().Cursor
			l, err := ben.dial(via, cursor)
			must(t, err)
			var want []string
			var events []chat.Event
			for i, jump := range jumps {
				wall.set(jump)
				for k := range 20 {
					text := fmt.Sprint(i, " ", k)
					d := message(w.room, text)
					var e, again chat.Event
					ana.ask("POST", "/api/send", d, &e)
					if off := time.Until(e.At) - jump; off.Abs() > time.Minute {
						t.Fatalf("%q is dated %v: the clock does not reach the log, so this tests nothing", text, e.At)
					}
					wall.set(-jump) // an answer that was lost, asked for at another time
					ana.ask("POST", "/api/send", d, &again)
					wall.set(jump)
					if d := cmp.Diff(e, again); d != "" {
						t.Fatalf("sent again: %s", d)
					}
					want = append(want, text)
				}
				last := want[len(want)-1]
				got, err := until(l, func(e chat.Event) bool { return e.Message != nil && e.Message.Text == last })
				must(t, err)
				events = append(events, got...)
				if i%3 == 2 { // comes back with a cursor of another time
					l.close()
					cursor = ben.snapshot().Cursor
					l, err = ben.dial(via, cursor)
					must(t, err)
				}
			}
			l.close()
			if d := cmp.Diff(want, texts(events)); d != "" {
				t.Errorf("over the feed: %s", d)
			}
			var last chat.Seq
			for _, e := range events {
				if e.Room != w.room || e.Signal() {
					continue
				}
				if e.Seq <= last {
					t.Errorf("%d comes after %d", e.Seq, last)
				}
				last = e.Seq
			}
			var history []chat.Event
			for before, more := chat.Seq(0), true; more; {
				var h chat.History
				ben.ask("GET", fmt.Sprintf("/api/rooms/%s/events?before=%d&limit=100", w.room, before), nil, &h)
				history = append(h.Events, history...)
				before, more = history[0].Seq, h.More
			}
			if d := cmp.Diff(want, texts(history)); d != "" {
				t.Errorf("in the history: %s", d)
			}
		})
	}
}
