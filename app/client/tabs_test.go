package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
)

// peeks is how often tabs asked the server for what they may have missed.
func (w *world) peeks() (n int) {
	w.set(func() { n = w.asked["peek"] })
	return n
}

func TestTabsShareAStream(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		w.say("before")
		pages := []*page{w.open(b)}
		w.pass(time.Second)
		for range 3 {
			pages = append(pages, w.open(b))
		}
		w.pass(time.Second)
		w.want("streams", 1, streams(pages...))
		for i := range 20 {
			w.say(fmt.Sprint("ana ", i))
			pages[i%4].engine.Send(w.room, fmt.Sprint("tab ", i%4, " ", i))
			w.pass(10 * time.Millisecond)
		}
		w.pass(time.Second)
		for _, p := range pages {
			w.want("log", w.log(w.room), p.texts())
			w.want("via", chat.WebSocket, p.view().Connection.Via)
			w.want("state", model.Open, p.view().Connection.State)
		}
		w.want("questions", true, w.peeks() < 12)

		// A choice made anywhere holds everywhere.
		pages[2].engine.Use(model.Choice{Via: chat.EventSource})
		w.pass(4 * time.Second)
		w.want("streams", 1, streams(pages...))
		for _, p := range pages {
			w.want("via", chat.EventSource, p.view().Connection.Via)
			w.want("reason", model.ReasonChosen, p.view().Connection.Reason.Code)
			w.want("round trip", 7*time.Millisecond, p.view().Connection.RTT)
		}

		// Nobody asks while nothing happens.
		asked := w.peeks()
		w.pass(10 * time.Minute)
		w.want("questions in silence", asked, w.peeks())
		w.want("streams", 1, streams(pages...))

		// A room that nobody knew: each begins anew, and nothing is missing.
		den := w.server.CreateRoom(w.ana.ID, chat.NewRoom{Kind: chat.Private, Name: "Den", Members: []chat.UserID{w.you.ID}}).ID
		for i := range 5 {
			w.tell(w.ana.ID, chat.Draft{Room: den, Body: chat.Body{Message: &chat.Message{Text: fmt.Sprint(i)}}})
			w.pass(time.Duration(i) * time.Millisecond)
		}
		w.pass(time.Second)
		for _, p := range pages {
			p.engine.Open(den)
			w.want("log", w.log(den), p.texts())
		}
		w.want("streams", 1, streams(pages...))
	})
}

// What the leading tab shows of trouble the others show too, and what the person does there helps.
func TestTabsInTrouble(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		pages := []*page{w.open(b)}
		w.pass(time.Second)
		pages = append(pages, w.open(b))
		w.pass(time.Second)
		w.set(func() {
			w.dead = true
			for _, v := range chat.Vias {
				w.ways[v] = way{refuse: errDown}
			}
		})
		w.server.Restore() // ends the stream
		w.pass(20 * time.Second)
		for _, p := range pages {
			w.want("trouble", true, p.view().Connection.Trouble)
		}
		pages[1].engine.Send(w.room, "later")
		w.set(func() { w.dead, w.ways = false, map[chat.Via]way{} })
		pages[1].engine.TryNow()
		w.pass(time.Second)
		for _, p := range pages {
			w.want("state", model.Open, p.view().Connection.State)
			w.want("trouble", false, p.view().Connection.Trouble)
			w.want("log", []string{"later"}, p.texts())
		}
		w.want("streams", 1, streams(pages...))
	})
}

// A leading tab that the person does not see serves one that they see.
func TestTabsLeadUnseen(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first := w.open(b)
		w.pass(time.Second)
		first.engine.Use(model.Choice{Via: chat.Poll, Every: time.Second})
		first.engine.SetVisible(false)
		second := w.open(b)
		w.pass(5 * time.Second)
		w.say("seen soon")
		w.pass(2 * time.Second)
		w.want("log", []string{"seen soon"}, second.texts())
		second.engine.SetVisible(false)
		w.pass(time.Minute)
		w.vias()
		w.pass(10 * time.Minute)
		w.want("streams", 1, streams(first, second))
		w.want("streams of the second", 0, streams(second))
	})
}

// The browser stops the leading tab without ending it: the others do without, and come back.
func TestTabsLeaderFrozen(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first := w.open(b)
		w.pass(time.Second)
		second := w.open(b)
		w.pass(time.Second)
		w.want("streams of the second", 0, streams(second))
		first.tab.Freeze(true)
		w.say("in between")
		w.pass(10 * time.Second)
		w.want("log", []string{"in between"}, second.texts())
		w.want("streams of the second", 1, streams(second))
		w.pass(time.Hour)
		w.want("streams of the second", 1, streams(second))
		first.tab.Freeze(false)
		w.say("afterwards")
		w.pass(7 * time.Second)
		w.want("streams of the second", 0, streams(second))
		w.want("log", []string{"in between", "afterwards"}, second.texts())
		w.say("and on")
		w.want("log", []string{"in between", "afterwards", "and on"}, second.texts())
	})
}

// Tabs open, crash, freeze and write at any moment: two seconds later each shows all, once, in order.
func TestTabsAtAnyMoment(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			do   string
			tab  int
			wait time.Duration
		}
		gen := rapid.Custom(func(r *rapid.T) step {
			return step{
				rapid.SampledFrom([]string{"say", "say", "say", "send", "send", "lead", "lead", "kill", "open", "open", "switch", "room", "slow", "freeze"}).Draw(r, "do"),
				rapid.IntRange(0, 3).Draw(r, "tab"),
				rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 50 * time.Millisecond, 99 * time.Millisecond, time.Second, 4 * time.Second}).Draw(r, "wait"),
			}
		})
		steps := rapid.SliceOfN(gen, 20, 60).Draw(r, "steps")
		fault := ""
		in(t, func(w *world) {
			b := client.NewMemoryBrowser()
			pages := []*page{w.open(b), w.open(b)}
			kill := func(i int) {
				pages[i].kill()
				if pages = slices.Delete(pages, i, i+1); len(pages) == 0 {
					pages = append(pages, w.open(b))
				}
			}
			rooms, froze := []chat.RoomID{w.room}, false
			for n, s := range steps {
				i := s.tab % len(pages)
				switch s.do {
				case "say":
					w.tell(w.ana.ID, chat.Draft{Room: rooms[n%len(rooms)], Body: chat.Body{Message: &chat.Message{Text: fmt.Sprint("ana ", n)}}})
				case "send":
					pages[i].engine.Send(w.room, fmt.Sprint("you ", n))
				case "lead":
					if i := leader(pages); i >= 0 {
						kill(i)
					}
				case "kill":
					kill(i)
				case "open":
					if len(pages) < 5 {
						pages = append(pages, w.open(b))
					}
				case "switch":
					pages[i].engine.Use(model.Choice{Via: chat.Vias[n%4], Every: time.Second})
				case "slow":
					pages[i].delay.Store(int64(40 * time.Millisecond))
				case "freeze":
					froze = true
					pages[i].tab.Freeze(true)
					w.say(fmt.Sprint("unheard ", n))
					<-time.After(s.wait)
					pages[i].tab.Freeze(false)
				case "room":
					if len(rooms) < 4 {
						rooms = append(rooms, w.server.CreateRoom(w.ana.ID, chat.NewRoom{Kind: chat.Private, Name: "Den", Members: []chat.UserID{w.you.ID}}).ID)
					}
				}
				if s.wait > 0 {
					<-time.After(s.wait)
				}
			}
			w.pass(2 * time.Second)
			if froze { // what it did not hear it learns of later
				w.pass(10 * time.Second)
			}
			for i, p := range pages {
				for _, room := range rooms {
					p.engine.Open(room)
					if want, got := w.log(room), p.texts(); !slices.Equal(want, got) {
						fault += fmt.Sprintf("tab %d: want %q, got %q\n", i, want, got)
					}
				}
			}
			if n := streams(pages...); n != 1 {
				fault += fmt.Sprintf("%d streams\n", n)
			}
			w.pass(20 * time.Second) // what a tab left that crashed, another sends
			seen := map[string]bool{}
			for _, text := range w.log(w.room) {
				if seen[text] {
					fault += "twice in the log: " + text + "\n"
				}
				seen[text] = true
			}
			for _, p := range pages {
				if want, got := w.log(rooms[len(rooms)-1]), p.texts(); !slices.Equal(want, got) {
					fault += fmt.Sprintf("later: want %q, got %q\n", want, got)
				}
				p.kill()
			}
		})
		if fault != "" {
			r.Fatalf("%s", fault)
		}
	})
}

// Programs of two versions do not share a stream.
func TestTabsOfTwoVersions(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		var pages []*page
		for _, v := range []string{"v1", "v2", "v2", "v1"} {
			pages = append(pages, w.openAs(b, b.Open(), v))
		}
		w.pass(10 * time.Second)
		w.want("streams", 2, streams(pages...))
		w.say("to all")
		for _, p := range pages {
			w.want("log", []string{"to all"}, p.texts())
		}
	})
}

// lockless is a browser without locks, as it is outside secure contexts.
type lockless struct{ *client.MemoryTab }

var errNoLocks = errors.New("there are no locks")

func (lockless) Hold(context.Context, string) (func(), error) { return nil, errNoLocks }
func (lockless) Try(context.Context, string) (func(), bool, error) {
	return nil, false, errNoLocks
}

// Without locks every tab follows by itself; choices and signing out are still everywhere at once.
func TestTabsWithoutLocks(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first := w.openAs(b, lockless{b.Open()}, "v1")
		second := w.openAs(b, lockless{b.Open()}, "v1")
		w.pass(time.Second)
		w.want("streams", 2, streams(first, second))
		first.engine.Use(model.Choice{Via: chat.LongPoll})
		w.say("to both")
		first.engine.SaveDraft(w.room, "a secret")
		w.pass(time.Second)
		for _, p := range []*page{first, second} {
			w.want("log", []string{"to both"}, p.texts())
			w.want("via", chat.LongPoll, p.view().Connection.Via)
		}
		first.kill()
		third := w.openAs(b, lockless{b.Open()}, "v1")
		w.want("draft", "a secret", third.view().Room.Draft)
		if err := third.engine.SignOut(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.want("session", model.SignedOut, second.view().Session)
		w.want("on disk", []string(nil), w.secrets())
		second.kill()
		third.kill()
	})
}
