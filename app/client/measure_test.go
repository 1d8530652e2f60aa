package client_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
	"parley/app/transport"
)

// kinds are what the time line tells, the oldest first.
func (w *world) kinds() []model.TurnKind {
	w.t.Helper()
	w.engine.Measure(true)
	w.pass(time.Second)
	s := w.view().Connection.Stats
	if s == nil {
		w.t.Fatal("nothing is measured")
	}
	list := make([]model.TurnKind, len(s.Turns))
	for i, t := range s.Turns {
		list[len(list)-1-i] = t.Kind
	}
	return list
}

// breaks is how often a connection was had again in the last hour.
func breaks(s *model.Stats) (n int) {
	for _, v := range s.Reconnects {
		n += v
	}
	return n
}

func (w *world) told(what string, want ...model.TurnKind) {
	w.t.Helper()
	if d := cmp.Diff(want, w.kinds()); d != "" {
		w.t.Errorf("%s:\n%s", what, d)
	}
}

// Numbers are made while someone looks, and only then.
func TestMeasure(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.want("stats before", (*model.Stats)(nil), w.view().Connection.Stats)
		w.say("one")
		w.engine.Measure(true)
		w.pass(10 * time.Second)
		s := w.view().Connection.Stats
		w.want("median", 7*time.Millisecond, s.Median)
		w.want("measured often", true, s.Samples >= 5)
		w.want("messages", 1, s.Messages[model.StatsLine-1]+s.Messages[model.StatsLine-2])
		w.want("the server was asked", 1, w.asked["live"])
		before := w.view().Connection.Stats
		w.pass(2 * time.Second)
		w.want("goes on", true, w.view().Connection.Stats.At.After(before.At))
		w.engine.SetVisible(false)
		hidden := w.view().Connection.Stats
		w.pass(10 * time.Second)
		w.want("unseen", hidden, w.view().Connection.Stats)
		w.engine.SetVisible(true)
		w.engine.Measure(false)
		w.want("stats after", (*model.Stats)(nil), w.view().Connection.Stats)
	})
}

// How far what is shown is behind the log is asked while someone looks, whichever way brings it, and by nobody else.
func TestLag(t *testing.T) {
	for name, c := range map[string]struct {
		choice model.Choice
		way    way
		behind int
	}{
		"websocket":        {model.Choice{Via: chat.WebSocket}, way{}, 0},
		"eventsource":      {model.Choice{Via: chat.EventSource}, way{}, 0},
		"longpoll":         {model.Choice{Via: chat.LongPoll}, way{}, 0},
		"poll":             {model.Choice{Via: chat.Poll, Every: 30 * time.Second}, way{}, 3},
		"held eventsource": {model.Choice{Via: chat.EventSource}, way{hold: true}, 3},
		"held websocket":   {model.Choice{Via: chat.WebSocket}, way{hold: true}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(w *world) {
				w.ways[c.choice.Via] = c.way
				w.begin()
				w.engine.Use(c.choice)
				w.pass(5 * time.Second)
				w.set(func() { w.asked["peek"] = 0 })
				w.pass(20 * time.Second)
				w.want("questions before", 0, w.peeks())
				w.engine.Measure(true)
				w.pass(28 * time.Second) // polls are each half minute
				s := w.view().Connection.Stats
				w.want("behind at first", 0, s.Behind)
				w.want("measured", true, s.Lag[model.StatsLine-1] == 0 && s.Lag[0] == -1)
				for _, text := range []string{"one", "two", "three"} {
					w.say(text)
				}
				w.pass(4 * time.Second)
				v := w.view()
				w.want("behind", c.behind, v.Connection.Stats.Behind)
				w.want("most", c.behind, slices.Max(v.Connection.Stats.Lag[:]))
				w.want("open", model.Open, v.Connection.State)
				w.want("via", c.choice.Via, v.Connection.Via)
				if c.way.hold {
					return
				}
				w.pass(30 * time.Second)
				s = w.view().Connection.Stats
				w.want("behind at last", 0, s.Behind)
				w.want("most of all", c.behind, slices.Max(s.Lag[:]))
				w.engine.SetVisible(false)
				asked := w.peeks()
				w.pass(time.Minute)
				w.want("questions unseen", asked, w.peeks())
			})
		})
	}
}

// What is dropped comes back over the same way, which is not to blame.
func TestDrop(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		w.engine.Drop()
		w.want("state", true, w.view().Connection.State != model.Open)
		w.say("meanwhile")
		w.pass(time.Second)
		v := w.view()
		w.want("state", model.Open, v.Connection.State)
		w.want("via", chat.WebSocket, v.Connection.Via)
		texts, _ := shown(v)
		w.want("log", w.log(w.room), texts)
		w.told("a drop", model.TurnOpened, model.TurnDropped, model.TurnOpened)
		w.want("breaks", 1, breaks(w.view().Connection.Stats))
	})
}

// Who pretends to be offline asks nothing of the network, whatever else happens, and has
// lost nothing afterwards.
func TestPretend(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		w.vias()
		w.engine.Pretend(true)
		w.engine.Pretend(true)
		v := w.view()
		w.want("state", model.Offline, v.Connection.State)
		w.want("pretend", true, v.Connection.Pretend)
		w.say("meanwhile")
		w.engine.Send(w.room, "written offline")
		w.engine.TryNow()
		w.engine.SetOnline(false)
		w.engine.SetOnline(true)
		w.engine.SetVisible(false)
		w.engine.SetVisible(true)
		w.engine.Use(model.Choice{Via: chat.LongPoll})
		w.engine.Measure(true)
		w.set(func() { w.wall = time.Hour }) // as after a sleep
		w.pass(10 * time.Minute)
		w.want("attempts", []string(nil), w.vias())
		v = w.view()
		w.want("state", model.Offline, v.Connection.State)
		texts, pending := shown(v)
		w.want("came", []string(nil), texts)
		w.want("waits", []string{"written offline"}, pending)
		w.engine.Pretend(false)
		v = w.view()
		w.want("state", model.Open, v.Connection.State)
		w.want("pretend", false, v.Connection.Pretend)
		w.want("via", chat.LongPoll, v.Connection.Via)
		texts, pending = shown(v)
		w.want("log", w.log(w.room), texts)
		w.want("still waits", []string(nil), pending)
	})
}

// The time line tells how ways failed and what took their place.
func TestTurns(t *testing.T) {
	in(t, func(w *world) {
		w.ways[chat.WebSocket] = way{refuse: &transport.Astray{Status: 403}}
		w.begin()
		w.pass(3 * time.Second)
		w.engine.Measure(true)
		w.pass(time.Second)
		turns := w.view().Connection.Stats.Turns
		if len(turns) < 2 {
			w.t.Fatalf("turns: %+v", turns)
		}
		last, first := turns[len(turns)-2], turns[len(turns)-1]
		w.want("first", model.Turn{Kind: model.TurnLost, At: first.At, Via: chat.WebSocket, Why: model.Reason{Code: model.ReasonBlocked, Failed: chat.WebSocket}, Times: 1}, first)
		w.want("then", model.Turn{Kind: model.TurnOpened, At: last.At, Via: chat.EventSource, Why: model.Reason{Code: model.ReasonBlocked, Failed: chat.WebSocket}, Times: 1}, last)
		w.want("held back", model.No, w.view().Connection.Stats.Buffers)
		w.want("breaks", 0, breaks(w.view().Connection.Stats))
		w.set(func() { w.ways = map[chat.Via]way{} })
		w.pass(5 * time.Minute)
		now := w.view().Connection.Stats.Turns[0]
		w.want("at last", model.Turn{Kind: model.TurnSwitched, At: now.At, Via: chat.WebSocket, From: chat.EventSource, Why: model.Reason{Code: model.ReasonBetter, Failed: chat.EventSource}, Times: 1}, now)
		w.set(func() { w.dead = true })
		w.engine.Drop()
		w.pass(2 * time.Minute)
		now = w.view().Connection.Stats.Turns[0]
		w.want("lost", model.TurnLost, now.Kind)
		w.want("many times", true, now.Times > 2)
	})
}

// What one tab pretends keeps no other from its connection, whichever had it for both.
func TestPretendAmongTabs(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first := w.open(b)
		first.view()
		second := w.open(b)
		w.pass(time.Second)
		second.engine.Measure(true)
		w.pass(10 * time.Second)
		w.want("streams", int32(0), second.streams.Load())
		w.want("measured beside", true, second.view().Connection.Stats.Samples >= 3)
		first.engine.Pretend(true)
		w.pass(2 * time.Second)
		w.say("while the first pretends")
		w.pass(time.Second)
		w.want("first", model.Offline, first.view().Connection.State)
		w.want("second", model.Open, second.view().Connection.State)
		w.want("came", true, slices.Equal(w.log(w.room), second.texts()))
		w.want("came not", 0, len(first.texts()))
		for _, turn := range second.view().Connection.Stats.Turns {
			w.want("names a way", true, turn.Via != "")
		}
		first.engine.Pretend(false)
		second.engine.Pretend(true)
		w.pass(2 * time.Second)
		w.say("while the second pretends")
		w.pass(time.Second)
		w.want("first", model.Open, first.view().Connection.State)
		w.want("second", model.Offline, second.view().Connection.State)
		w.want("came", true, slices.Equal(w.log(w.room), first.texts()))
		second.engine.Pretend(false)
		w.pass(2 * time.Second)
		w.want("came", true, slices.Equal(w.log(w.room), second.texts()))
	})
}

// A drop is of the one stream that the tabs share, whichever of them asks for it, and each tells of it.
func TestDropAmongTabs(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		pages := []*page{w.open(b)}
		w.pass(time.Second)
		pages = append(pages, w.open(b), w.open(b))
		w.pass(2 * time.Second)
		for _, p := range pages {
			p.engine.Measure(true)
		}
		w.pass(2 * time.Second)
		for n, asks := range []int{1, 0, 2} {
			w.want("streams", 1, int(pages[0].streams.Load()))
			w.vias()
			pages[asks].engine.Drop()
			for _, p := range pages {
				w.want("dropped", true, p.view().Connection.State != model.Open)
			}
			w.want("streams when dropped", 0, streams(pages...))
			w.say("after a drop")
			w.pass(3 * time.Second)
			w.want("followed again", []string{"websocket"}, w.vias())
			for _, p := range pages {
				c := p.view().Connection
				w.want("state", model.Open, c.State)
				w.want("via", chat.WebSocket, c.Via)
				w.want("breaks", n+1, breaks(c.Stats))
				w.want("told first", model.TurnOpened, c.Stats.Turns[0].Kind)
				w.want("told before", model.TurnDropped, c.Stats.Turns[1].Kind)
				w.want("log", w.log(w.room), p.texts())
			}
		}
	})
}

// A tab that does without the one that leads, which is silent, drops what is its own.
func TestDropAlone(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first := w.open(b)
		w.pass(time.Second)
		second := w.open(b)
		w.pass(time.Second)
		first.tab.Freeze(true)
		w.pass(10 * time.Second)
		w.want("streams", 2, streams(first, second))
		second.engine.Drop()
		w.want("dropped", true, second.view().Connection.State != model.Open)
		w.want("the other's", 1, streams(first))
		w.pass(2 * time.Second)
		w.want("state", model.Open, second.view().Connection.State)
		w.want("streams", 2, streams(first, second))
	})
}
