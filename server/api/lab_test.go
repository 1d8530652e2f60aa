package api_test

import (
	"slices"
	"testing"

	"parley/app/chat"
)

// What the server spends is for the owner to see, in a browser: for nobody else, and no program.
func TestCostsAreTheOwners(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	for name, c := range map[string]struct {
		who  *visitor
		want int
	}{
		"owner": {ana, 200}, "member": {ana.guest("ben"), 403}, "token of the owner": {ana.program(), 403}, "anonymous": {w.visitor(), 401},
	} {
		if a := c.who.do(c.who.request("GET", "/api/lab", nil)); a.StatusCode != c.want {
			t.Errorf("%s: %v, want %d", name, a, c.want)
		}
	}
}

// Each way is charged with what it does, over every kind of connection, and with nothing that is over.
func TestCosts(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		cost := func() chat.WayCost {
			var c chat.Costs
			ana.ask("GET", "/api/lab", nil, &c)
			if c.Heap <= 0 || c.Goroutines <= 0 || c.Node == "" || len(c.Ways) != len(chat.Vias) {
				t.Fatalf("it says %+v", c)
			}
			i := slices.Index(chat.Vias[:], via)
			for j, other := range c.Ways {
				if j != i && other != (chat.WayCost{Via: chat.Vias[j]}) {
					t.Errorf("nobody follows by %s, and it cost %+v", chat.Vias[j], other)
				}
			}
			return c.Ways[i]
		}
		if c := cost(); c != (chat.WayCost{Via: via}) {
			t.Fatalf("nobody followed, and it cost %+v", c)
		}
		l, err := ana.dial(via, ana.snapshot().Cursor)
		must(t, err)
		stream := via == chat.EventSource || via == chat.WebSocket
		w.eventually(func() bool { c := cost(); return c.Writes > 0 && (c.Open == 1) == stream })
		before := cost()
		ana.say(w.room, "one")
		_, err = until(l, func(e chat.Event) bool { return e.Message != nil })
		must(t, err)
		w.eventually(func() bool {
			c := cost()
			return c.Writes > before.Writes && c.Bytes > before.Bytes+50 && c.Work > before.Work
		})
		if c := cost(); (c.Requests == 1) != stream {
			t.Errorf("it took %d requests", c.Requests)
		}
		l.close()
		w.eventually(func() bool { return cost().Open == 0 })
	})
}
