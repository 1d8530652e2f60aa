package client_test

import (
	"fmt"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
	"parley/app/transport"
)

// What something on the way refuses is given up at once, with that reason.
func TestBlocked(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{refuse: &transport.Astray{Status: 426, Fault: chat.ErrUnavailable}}
		w.begin()
		w.pass(2 * time.Second)
		v := w.view()
		w.want("via", chat.EventSource, v.Connection.Via)
		w.want("reason", model.Reason{Code: model.ReasonBlocked, Failed: chat.WebSocket}, v.Connection.Reason)
		w.want("attempts", []string{"websocket", "eventsource"}, w.vias())
	})
}

// A stream that is open but held back is found out by what it does not bring.
func TestHeld(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{refuse: &transport.Astray{Status: 400}}
		w.ways[chat.EventSource] = way{hold: true}
		w.begin()
		w.pass(2 * time.Second)
		w.want("via", chat.EventSource, w.view().Connection.Via)
		w.say("stuck")
		w.pass(7 * time.Second)
		v := w.view()
		w.want("via", chat.LongPoll, v.Connection.Via)
		w.want("reason", model.Reason{Code: model.ReasonHeld, Failed: chat.EventSource}, v.Connection.Reason)
		texts, _ := shown(v)
		w.want("log", []string{"stuck"}, texts)
	})
}

// A stream that brings what there is is never taken for one that is held back.
func TestNotHeld(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{refuse: &transport.Astray{Status: 400}}
		w.begin()
		for i := range 300 {
			w.say(fmt.Sprint(i))
			w.pass(401 * time.Millisecond)
		}
		w.want("via", chat.EventSource, w.view().Connection.Via)
		w.want("state", model.Open, w.view().Connection.State)
	})
}

// Where silence is cut, the same way is used with signs of life that are closer together.
func TestSilenceIsCut(t *testing.T) {
	for _, via := range []chat.Via{chat.WebSocket, chat.EventSource, chat.LongPoll} {
		in(t, func(w *world) {
			for _, v := range chat.Vias {
				if v == via {
					break
				}
				w.ways[v] = way{refuse: &transport.Astray{Status: 400}}
			}
			w.ways[via] = way{hush: 5 * time.Second}
			w.begin()
			w.pass(15 * time.Second)
			v := w.view()
			w.want("via", via, v.Connection.Via)
			w.want("state", model.Open, v.Connection.State)
			if via == chat.WebSocket {
				w.want("reason", model.Reason{Code: model.ReasonKept, After: 5 * time.Second, Every: 2 * time.Second}, v.Connection.Reason)
			}
			w.vias()
			w.pass(50 * time.Second)
			w.want("attempts", []string(nil), w.vias())
		})
	}
}

// The same for a way that was chosen.
func TestSilenceIsCutOfWhatWasChosen(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.EventSource] = way{hush: 10 * time.Second}
		w.begin()
		w.engine.Use(model.Choice{Via: chat.EventSource})
		w.pass(25 * time.Second)
		w.vias()
		w.pass(2 * time.Minute)
		w.want("attempts", []string(nil), w.vias())
		w.want("reason", model.ReasonChosen, w.view().Connection.Reason.Code)
	})
}

// What is cut at one age, whatever it says, is given up, and the reason says after how long; what
// was seen of one way is believed sooner of the next.
func TestCutAfter(t *testing.T) {
	const age = 50 * time.Second // before a better way is tried again, which is after a minute
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{cut: age}
		w.ways[chat.EventSource] = way{cut: age}
		w.begin()
		for range 5 * 60 {
			w.say("so it is never silent")
			w.pass(time.Second)
		}
		v := w.view()
		w.want("via", chat.LongPoll, v.Connection.Via)
		w.want("reason", model.Reason{Code: model.ReasonCut, Failed: chat.EventSource, After: age}, v.Connection.Reason)
		texts, _ := shown(v)
		w.want("log", w.log(w.room), texts)
		if n := len(w.vias()); n > 7 {
			t.Errorf("%d attempts", n)
		}
	})
}

// What is cut at one age though it was not silent is not helped by signs of life.
func TestSignsOfLifeDoNotHelp(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{cut: 5 * time.Second}
		w.begin()
		w.pass(18 * time.Second)
		v := w.view()
		w.want("via", chat.EventSource, v.Connection.Via)
		w.want("reason", model.Reason{Code: model.ReasonCut, Failed: chat.WebSocket, After: 5 * time.Second}, v.Connection.Reason)
	})
}

// A network that answers in the server's place is said to do so, and no way is blamed for it.
func TestPortal(t *testing.T) {
	in(t, func(w *world) {
		w.portal = true
		w.begin()
		w.pass(20 * time.Second)
		v := w.view()
		w.want("state", model.Waiting, v.Connection.State)
		w.want("reason", model.ReasonPortal, v.Connection.Reason.Code)
		w.set(func() { w.portal = false })
		w.pass(backoffMost)
		w.want("reason", model.ReasonBest, w.view().Connection.Reason.Code)
		w.want("session", model.SignedIn, w.view().Session)

		w.set(func() { w.portal = true })
		w.say("lost?")
		w.server.Restore()
		w.pass(10 * time.Second)
		w.want("reason", model.ReasonPortal, w.view().Connection.Reason.Code)
		w.set(func() { w.portal = false })
		w.pass(backoffMost)
		w.want("via", chat.WebSocket, w.view().Connection.Via)
		w.want("reason", model.ReasonBest, w.view().Connection.Reason.Code)
	})
}

// What was learnt of a network is known at the next start, for a while, and not on another network.
func TestLearntIsRemembered(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{hang: true}
		w.ways[chat.EventSource] = way{hush: 5 * time.Second}
		w.begin()
		w.pass(30 * time.Second)
		w.want("via", chat.EventSource, w.view().Connection.Via)
		w.vias()

		w.begin() // the page is loaded again
		w.pass(20 * time.Second)
		w.want("attempts", []string{"eventsource"}, w.vias())
		w.want("reason", model.Reason{Code: model.ReasonNeverOpened, Failed: chat.WebSocket}, w.view().Connection.Reason)

		w.end()
		w.pass(2 * time.Hour)
		w.begin()
		w.pass(time.Second)
		w.want("attempts after a while", []string{"websocket"}, w.vias())

		w.pass(30 * time.Second)
		w.set(func() { w.ways = map[chat.Via]way{} })
		w.engine.SetOnline(false)
		w.pass(time.Second)
		w.vias()
		w.engine.SetOnline(true)
		w.pass(time.Second)
		w.want("attempts on another network", []string{"websocket"}, w.vias())
		w.want("reason", model.ReasonBest, w.view().Connection.Reason.Code)
	})
}

// A record that makes no sense is as none.
func TestLearntRubbish(t *testing.T) {
	for _, record := range []string{"{", `{"Rung":9,"At":"2999-01-01T00:00:00Z"}`, `{"Rung":-1}`, `{"Rung":2,"At":"2999-01-01T00:00:00Z"}`} {
		in(t, func(w *world) {
			if err := w.disk.Save(t.Context(), client.DiskLearnt, []byte(record)); err != nil {
				t.Fatal(err)
			}
			w.begin()
			w.want("via", chat.WebSocket, w.view().Connection.Via)
		})
	}
}
