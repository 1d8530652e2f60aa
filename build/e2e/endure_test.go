package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// A browser changes its way 40 times and loses its network 20 times while 1,000 messages flow,
// half of them its own. In the end it shows each once, in the order of the log.
func TestFortySwitches(t *testing.T) {
	const switches, others = 40, 500
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	room := ana.room()
	writer := program(t, server, "writer")
	join(t, server, writer, room)

	sent := map[string]bool{}
	done := make(chan struct{})
	go func() { // bounded by its count, waited for below
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for i := range others {
			if t.Context().Err() != nil || t.Failed() {
				return
			}
			if err := say(t.Context(), server, writer, room, fmt.Sprint("writer ", i)); err != nil {
				t.Errorf("write: %v", err)
				return
			}
			<-tick.C
		}
	}()
	write := func(text string) {
		sent[text] = true
		ana.write(text)
	}
	for i := range switches {
		ana.use(chat.Vias[i%len(chat.Vias)])
		if i%2 == 0 {
			ana.network(false)
			write(fmt.Sprint("ana offline ", i))
			ana.network(true)
		}
		for k := range 12 {
			write(fmt.Sprint("ana ", i, " ", k))
		}
	}
	<-done
	for i := range others {
		sent[fmt.Sprint("writer ", i)] = true
	}
	ana.use(chat.WebSocket)
	ana.carriedBy(chat.WebSocket)
	ana.settled()

	log, err := server.Log(t.Context(), writer, room)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, e := range log {
		if e.Message != nil {
			want = append(want, e.Message.Text)
			if !sent[e.Message.Text] {
				t.Errorf("twice in the log, or never written: %q", e.Message.Text)
			}
			delete(sent, e.Message.Text)
		}
	}
	if len(sent) > 0 {
		t.Errorf("not in the log: %v", sent)
	}
	ana.sees(want[len(want)-1])
	if d := cmp.Diff(want, ana.said()); d != "" {
		t.Errorf("what the timeline says, against the log (-log +timeline):\n%s", d)
	}
	t.Logf("%d messages, %d changes of way, %d times without a network", len(want), switches, switches/2)
}
