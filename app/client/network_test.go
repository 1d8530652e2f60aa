package client_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

const (
	backoffFirst = 300 * time.Millisecond
	backoffMost  = 30 * time.Second
)

// The pauses between tries double up to 30 s, each a random part of its span, and begin
// anew after the connection was good for a minute.
func TestBackoff(t *testing.T) {
	in(t, func(w *world) {
		w.choice = model.Choice{Via: chat.EventSource}
		w.begin()
		w.engine.Use(w.choice)
		w.view()
		w.vias()
		w.random = 1
		w.ways[chat.EventSource] = way{refuse: errDown}
		w.set(func() { w.follows = nil })
		w.server.Restore() // ends the Follow that goes on, and the next snapshot is answered
		w.pass(3 * time.Minute)
		var pauses []time.Duration
		w.mu.Lock()
		for i := 1; i < len(w.follows); i++ {
			pauses = append(pauses, w.follows[i].at.Sub(w.follows[i-1].at))
		}
		w.mu.Unlock()
		ms := time.Millisecond
		want := []time.Duration{300 * ms, 600 * ms, 1200 * ms, 2400 * ms, 4800 * ms, 9600 * ms, 19200 * ms, 30000 * ms, 30000 * ms, 30000 * ms, 30000 * ms}
		if !slices.Equal(want, pauses) {
			t.Errorf("pauses %v, want %v", pauses, want)
		}
		w.want("state", model.Waiting, w.view().Connection.State)
		w.want("trouble", true, w.view().Connection.Trouble)

		w.set(func() {
			w.ways = map[chat.Via]way{chat.EventSource: {cut: time.Minute}}
			w.random = 0.5
			w.follows = nil
		})
		w.pass(93 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		for i := 1; i < len(w.follows); i++ {
			if d := w.follows[i].at.Sub(w.follows[i-1].at); d != time.Minute+150*ms {
				t.Errorf("after a good minute the pause was %v", d-time.Minute)
			}
		}
		if len(w.follows) < 2 {
			t.Errorf("%d tries", len(w.follows))
		}
	})
}

// What the server asks for in waiting is granted.
func TestRetryAfter(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		tries := []time.Time{}
		w.set(func() {
			w.sending = func(chat.Draft) (error, error) {
				w.mu.Lock()
				defer w.mu.Unlock()
				if tries = append(tries, time.Now()); len(tries) < 3 {
					return &chat.Error{Code: chat.CodeRateLimited, RetryAfterMS: 40_000}, nil
				}
				return nil, nil
			}
		})
		w.engine.Send(w.room, "one")
		w.engine.Send(w.room, "two")
		w.want("waiting", 2, w.view().Connection.Outbox)
		w.pass(2 * time.Minute)
		w.want("log", []string{"one", "two"}, w.log(w.room))
		for i, want := range []time.Duration{40 * time.Second, 40 * time.Second, 0} {
			if d := tries[i+1].Sub(tries[i]); d != want {
				t.Errorf("try %d came after %v, want %v", i+1, d, want)
			}
		}
	})
}

// A way that does not open is given up for the next, with the reason, down to the one
// that works; and tried again later, with growing pauses, until it works.
func TestLadder(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{hang: true}
		w.ways[chat.EventSource] = way{refuse: errDown}
		w.begin()
		w.pass(15 * time.Second)
		v := w.view()
		w.want("via", chat.LongPoll, v.Connection.Via)
		w.want("reason", model.Reason{Code: model.ReasonNeverOpened, Failed: chat.EventSource}, v.Connection.Reason)
		w.want("state", model.Open, v.Connection.State)
		w.want("attempts", []string{"websocket", "websocket", "eventsource", "eventsource", "longpoll"}, w.vias())
		w.say("meanwhile")

		w.pass(10 * time.Minute)
		tried := w.vias()
		if n := len(tried); n < 2 || n > 4 || strings.Join(slices.Compact(slices.Clone(tried)), " ") != "eventsource" {
			t.Errorf("tried again in 10 minutes: %q", tried)
		}
		w.want("state", model.Open, w.view().Connection.State)

		w.set(func() { w.ways = map[chat.Via]way{} })
		w.pass(2 * time.Hour)
		v = w.view()
		w.want("via", chat.WebSocket, v.Connection.Via)
		w.want("reason", model.ReasonBest, v.Connection.Reason.Code)
		w.want("attempts", []string{"eventsource", "websocket"}, w.vias())
		texts, _ := shown(v)
		w.want("log", w.log(w.room), texts)
	})
}

// While a better way is tried, the one in use goes on, and the person is told.
func TestTryingUp(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{hang: true}
		w.begin()
		w.pass(10 * time.Second)
		w.want("via", chat.EventSource, w.view().Connection.Via)
		for w.view().Connection.Reason.Code != model.ReasonTrying {
			w.pass(time.Second)
		}
		w.say("still heard")
		v := w.view()
		texts, _ := shown(v)
		w.want("log", []string{"still heard"}, texts)
		w.want("via", chat.EventSource, v.Connection.Via)
		w.want("state", model.Open, v.Connection.State)
		w.pass(4 * time.Second)
		w.want("reason", model.Reason{Code: model.ReasonNeverOpened, Failed: chat.WebSocket}, w.view().Connection.Reason)
	})
}

// When nothing answers, no way is to blame: the best is still the first to be tried.
func TestServerDownBlamesNoWay(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		w.set(func() { w.dead = true })
		w.say("lost?")
		w.pass(5 * time.Minute)
		w.set(func() { w.dead = false })
		w.pass(time.Minute)
		v := w.view()
		w.want("via", chat.WebSocket, v.Connection.Via)
		w.want("reason", model.ReasonBest, v.Connection.Reason.Code)
		if got := w.vias(); slices.ContainsFunc(got, func(s string) bool { return s != "websocket" }) {
			t.Errorf("attempts: %q", got)
		}
		texts, _ := shown(v)
		w.want("log", []string{"lost?"}, texts)
	})
}

// A way that opens and then says nothing more is dead, and given up.
func TestSilentWay(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{silent: true}
		w.begin()
		w.want("via", chat.WebSocket, w.view().Connection.Via)
		w.say("unheard")
		w.pass(46 * time.Second)
		v := w.view()
		w.want("via", chat.EventSource, v.Connection.Via)
		w.want("reason", model.Reason{Code: model.ReasonDied, Failed: chat.WebSocket}, v.Connection.Reason)
		texts, _ := shown(v)
		w.want("log", []string{"unheard"}, texts)
	})
}

// A way that is cut again and again is given up; one that is cut now and then is not.
func TestCutWay(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{cut: 2 * time.Minute}
		w.begin()
		w.pass(20 * time.Minute)
		w.want("via", chat.WebSocket, w.view().Connection.Via)
		w.set(func() { w.ways[chat.WebSocket] = way{cut: 5 * time.Second} })
		w.pass(3 * time.Minute)
		v := w.view()
		w.want("via", chat.EventSource, v.Connection.Via)
		w.want("reason", model.ReasonCut, v.Connection.Reason.Code)
	})
}

// The clock on the wall may jump; nothing depends on it.
func TestClockJumps(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		for i, jump := range []time.Duration{time.Hour, -2 * time.Hour, 24 * time.Hour, -100 * 365 * 24 * time.Hour, 0} {
			w.set(func() { w.wall = jump })
			w.engine.Send(w.room, fmt.Sprint("mine ", i))
			w.view()
			w.say(fmt.Sprint("ana's ", i))
			w.pass(30 * time.Second)
			texts, pending := shown(w.view())
			w.want("log", w.log(w.room), texts)
			w.want("pending", []string(nil), pending)
		}
		w.want("via", chat.WebSocket, w.view().Connection.Via)
		w.want("state", model.Open, w.view().Connection.State)
		w.want("attempts", []string{"websocket"}, w.vias())
	})
}

// After a sleep the connection is found dead at once, and the way is not blamed for it.
func TestSleep(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{silent: true}
		w.begin()
		w.want("state", model.Open, w.view().Connection.State)
		w.set(func() { w.wall = 8 * time.Hour; w.dead = true })
		w.say("good morning")
		w.pass(21 * time.Second) // until something happens by itself
		w.want("state", model.Waiting, w.view().Connection.State)
		w.set(func() { w.dead = false; w.ways = map[chat.Via]way{} })
		w.pass(backoffMost)
		v := w.view()
		w.want("state", model.Open, v.Connection.State)
		w.want("via", chat.WebSocket, v.Connection.Via)
		w.want("reason", model.ReasonBest, v.Connection.Reason.Code)
		texts, _ := shown(v)
		w.want("log", []string{"good morning"}, texts)
	})
}

// Offline, messages wait; online again, they go at once, in order.
func TestOffline(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		w.set(func() { w.dead = true })
		w.engine.SetOnline(false)
		w.pass(4 * time.Second)
		v := w.view()
		w.want("state", model.Offline, v.Connection.State)
		w.want("trouble", true, v.Connection.Trouble)
		var want []string
		for i := range 5 {
			want = append(want, fmt.Sprint(i))
			w.engine.Send(w.room, want[i])
		}
		v = w.view()
		w.want("waiting", 5, v.Connection.Outbox)
		for _, r := range v.Room.Pending.Rows {
			w.want("state of a message", model.Queued, r.State)
		}
		w.pass(10 * time.Minute)
		w.set(func() { w.dead = false })
		w.engine.SetOnline(true)
		v = w.view()
		w.want("state", model.Open, v.Connection.State)
		w.want("log", want, w.log(w.room))
		w.want("waiting", 0, w.view().Connection.Outbox)
	})
}

// A server whose storage is full is told again until it has space: a message waits, says why, and is sent once.
func TestStorageFull(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		tries := 0
		w.set(func() {
			w.sending = func(chat.Draft) (before, after error) {
				tries++
				return chat.Errorf(chat.CodeStorageFull, "full"), nil
			}
		})
		w.engine.Send(w.room, "kept")
		w.pass(5 * time.Minute)
		rows := w.view().Room.Pending.Rows
		if len(rows) != 1 || rows[0].State != model.Queued || rows[0].Fault != chat.CodeStorageFull {
			t.Errorf("what waits: %+v", rows)
		}
		if tries < 5 {
			t.Errorf("%d tries in five minutes", tries)
		}
		w.set(func() { w.sending = nil })
		w.pass(backoffMost)
		w.want("log", []string{"kept"}, w.log(w.room))
		w.want("waiting", 0, w.view().Connection.Outbox)
	})
}

// The browser says that the network is another one while a way that will not open is tried:
// what is made of its failure is overtaken, and still something is tried.
func TestOnlineWhileOpening(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{refuse: errDown}
		w.ways[chat.EventSource] = way{hang: true}
		w.begin()
		w.pass(time.Second)
		w.want("via", chat.EventSource, w.view().Connection.Via)
		w.engine.SetOnline(false)
		w.engine.SetOnline(true)
		w.set(func() { w.ways = map[chat.Via]way{} })
		w.pass(15 * time.Second)
		v := w.view()
		w.want("state", model.Open, v.Connection.State)
		w.want("via", chat.WebSocket, v.Connection.Via)
	})
}

// Whatever becomes of answers, each room gets each message once and in order.
func TestOutbox(t *testing.T) {
	for seed := range uint64(20) {
		in(t, func(w *world) {
			random, fate := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
			den := w.server.CreateRoom(w.you.ID, chat.NewRoom{Kind: chat.Private, Name: "Den", Members: []chat.UserID{w.ana.ID}}).ID
			w.sending = func(chat.Draft) (error, error) {
				w.mu.Lock()
				defer w.mu.Unlock()
				switch fate.IntN(4) {
				case 0:
					return errDown, nil
				case 1, 2:
					return nil, errDown // done, but the answer is lost
				}
				return nil, nil
			}
			w.random = 0.3
			w.begin()
			w.view()
			want := map[chat.RoomID][]string{}
			for i := range 30 {
				room := []chat.RoomID{w.room, den}[random.IntN(2)]
				text := fmt.Sprint(i)
				want[room] = append(want[room], text)
				w.engine.Send(room, text)
				if random.IntN(3) == 0 {
					w.engine.Use(model.Choice{Via: chat.Vias[random.IntN(4)], Every: time.Second})
				}
				w.pass(time.Duration(random.IntN(400)) * time.Millisecond)
				if random.IntN(8) == 0 {
					w.begin() // the page is loaded again
				}
			}
			w.pass(30 * time.Minute)
			for room, texts := range want {
				w.want("log", texts, w.log(room))
				w.engine.Open(room)
				got, pending := shown(w.view())
				w.want("shown", texts, got)
				w.want("pending", []string(nil), pending)
			}
		})
	}
}

// What is refused is shown as failed, with the reason, and blocks nothing; it can be
// tried again, or taken back.
func TestRefused(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		w.set(func() {
			w.sending = func(d chat.Draft) (error, error) {
				if d.Message != nil && strings.HasPrefix(d.Message.Text, "bad") {
					return chat.ErrForbidden, nil
				}
				return nil, nil
			}
		})
		for _, text := range []string{"good", "bad", "bad too", "fine", strings.Repeat("x", chat.MaxText+1)} {
			w.engine.Send(w.room, text)
		}
		v := w.view()
		w.want("log", []string{"good", "fine"}, w.log(w.room))
		rows := v.Room.Pending.Rows
		w.want("failed", 3, len(rows))
		w.want("state", model.Failed, rows[0].State)
		w.want("why", chat.CodeForbidden, rows[0].Fault)
		w.want("why", chat.CodeTooLarge, rows[2].Fault)
		w.want("waiting", 0, v.Connection.Outbox)

		w.want("taken back", "bad", w.engine.Discard(rows[0].Nonce))
		w.want("taken back twice", "", w.engine.Discard(rows[0].Nonce))
		w.set(func() { w.sending = nil })
		w.engine.Retry(rows[1].Nonce)
		v = w.view()
		w.want("log", []string{"good", "fine", "bad too"}, w.log(w.room))
		w.want("left", 1, len(v.Room.Pending.Rows))
	})
}

// A message taken back while its answer is out does not stay, whatever became of it.
func TestDiscardInFlight(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.engine.Use(model.Choice{Via: chat.Poll, Every: time.Minute}) // so the feed does not tell at once
		w.view()
		w.set(func() {
			w.sending = func(d chat.Draft) (error, error) { return nil, errDown }
		})
		w.engine.Send(w.room, "regret")
		rows := w.view().Room.Pending.Rows
		w.want("pending", 1, len(rows))
		w.want("on the server", []string{"regret"}, w.log(w.room))
		w.want("taken back", "regret", w.engine.Discard(rows[0].Nonce))
		v := w.view()
		w.want("pending", 0, len(v.Room.Pending.Rows))
		w.want("waiting", 0, v.Connection.Outbox)
		w.begin() // it is not forgotten over a reload
		w.view()
		w.set(func() { w.sending = nil })
		w.pass(2 * time.Minute)
		w.want("log", []string(nil), w.log(w.room))
	})
}

// Switching at any moment loses, repeats and reorders nothing, and the old way is used
// until the new one is open.
func TestSwitch(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		for i := range 60 {
			w.engine.Use(model.Choice{Via: chat.Vias[i%4], Every: time.Second})
			w.say(fmt.Sprint("ana ", i))
			w.engine.Send(w.room, fmt.Sprint("you ", i))
			if i%3 == 0 {
				w.view()
			}
		}
		w.pass(time.Second)
		v := w.view()
		texts, _ := shown(v)
		w.want("log", w.log(w.room), texts)
		w.want("via", chat.Poll, v.Connection.Via)
		w.want("reason", model.ReasonChosen, v.Connection.Reason.Code)

		w.set(func() { w.ways[chat.LongPoll] = way{hang: true} })
		w.engine.Use(model.Choice{Via: chat.LongPoll})
		w.pass(2 * time.Second)
		w.say("heard over the old")
		w.pass(2 * time.Second)
		v = w.view()
		texts, _ = shown(v)
		w.want("log", w.log(w.room), texts)
		w.want("via", chat.Poll, v.Connection.Via)
		w.begin()
		w.want("choice", chat.LongPoll, w.view().Connection.Choice.Via)
	})
}

// A page that nobody sees asks less often; when it is seen again, it asks at once.
func TestHidden(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.engine.Use(model.Choice{Via: chat.Poll, Every: 2 * time.Second})
		w.pass(time.Second)
		every := func() time.Duration {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.follows[len(w.follows)-1].every
		}
		w.want("seen", 2*time.Second, every())
		w.engine.SetVisible(false)
		w.view()
		w.want("not seen", 30*time.Second, every())
		w.say("while away")
		w.engine.SetVisible(true)
		v := w.view()
		w.want("seen", 2*time.Second, every())
		w.want("state", model.Open, v.Connection.State)
	})
}
