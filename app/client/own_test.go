package client_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
)

// Each tab keeps what was written in it; nothing is lost when all are closed at once.
func TestTabsKeepTheirOwn(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		den := w.server.CreateRoom(w.you.ID, chat.NewRoom{Kind: chat.Private, Name: "Den"}).ID
		first, second := w.open(b), w.open(b)
		w.pass(time.Second)
		w.set(func() { w.dead = true })
		first.engine.Send(w.room, "from one")
		second.engine.Send(w.room, "from two")
		first.engine.SaveDraft(w.room, "half of one")
		second.engine.SaveDraft(den, "half of two")
		w.pass(time.Second)
		first.kill()
		second.kill()

		third := w.open(b)
		v := third.view()
		w.want("draft", "half of one", v.Room.Draft)
		_, pending := shown(v)
		slices.Sort(pending)
		w.want("pending", []string{"from one", "from two"}, pending)
		third.engine.Open(den)
		w.want("draft", "half of two", third.view().Room.Draft)
		w.set(func() { w.dead = false })
		third.engine.TryNow()
		w.pass(time.Minute)
		w.want("sent", 2, len(w.log(w.room)))
		keys, err := w.disk.Keys(w.t.Context(), client.DiskOwn)
		if err != nil || len(keys) != 1 {
			w.t.Errorf("records of ended tabs stay: %q (%v)", keys, err)
		}
	})
}

// What was written in the same room in two tabs is kept, both of it, until there is room for the other.
func TestTabsWithTwoDraftsOfARoom(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first, second := w.open(b), w.open(b)
		w.pass(time.Second)
		first.engine.SaveDraft(w.room, "one thought")
		second.engine.SaveDraft(w.room, "another thought")
		w.pass(time.Second)
		first.kill()
		w.pass(20 * time.Second)
		w.want("draft", "another thought", second.view().Rooms[0].Draft)
		second.engine.SaveDraft(w.room, "")
		w.pass(20 * time.Second)
		w.want("draft of the open room", "", second.view().Rooms[0].Draft)
		second.engine.SaveDraft(w.room, "a third")
		second.engine.SaveDraft(w.room, "")
		second.engine.Open("")
		w.pass(20 * time.Second)
		w.want("draft", "one thought", second.view().Rooms[0].Draft)
	})
}

// A page that is loaded again has its text at once, though the browser holds what the old one held for a
// moment more; and so has one beside it that is not gone.
func TestTabsReload(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first, second := w.open(b), w.open(b)
		w.pass(time.Second)
		first.engine.SaveDraft(w.room, "half of one")
		second.engine.SaveDraft(w.room, "half of two")
		w.pass(time.Second)
		again := first.tab.Reload(300 * time.Millisecond)
		first.dead.Store(true)
		first.cancel()
		began := time.Now()
		p := w.openAs(b, again, "v1")
		for p.view() == nil {
			w.pass(10 * time.Millisecond)
		}
		w.want("draft", "half of one", p.view().Room.Draft)
		w.want("at once", true, time.Since(began) < time.Second)
		w.pass(20 * time.Second)
		w.want("draft", "half of two", second.view().Room.Draft)
		w.want("streams", 1, streams(p, second))
	})
}

// A message that waits in a tab that is closed is sent by another.
func TestTabsFinishForOthers(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first, second := w.open(b), w.open(b)
		w.pass(time.Second)
		w.set(func() {
			w.sending = func(d chat.Draft) (error, error) { return errDown, nil }
		})
		second.engine.Send(w.room, "last words")
		w.pass(time.Second)
		second.kill()
		w.set(func() { w.sending = nil })
		w.pass(20 * time.Second)
		w.want("log", []string{"last words"}, w.log(w.room))
		w.want("shown", []string{"last words"}, first.texts())
	})
}

func (w *world) secrets() (found []string) {
	w.t.Helper()
	keys, err := w.disk.Keys(context.Background(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, key := range keys {
		if b, err := w.disk.Load(context.Background(), key); err != nil || strings.Contains(string(b), "secret") {
			found = append(found, key)
		}
	}
	return found
}

// Who signs out in one tab is signed out in all, and nothing of them is on disk, then or later.
func TestTabsSignOut(t *testing.T) {
	for delay := range 6 {
		in(t, func(w *world) {
			b := client.NewMemoryBrowser()
			first := w.open(b)
			w.pass(time.Second)
			second, third := w.open(b), w.open(b)
			pages := []*page{first, second, third}
			w.say("a secret")
			w.pass(time.Second)
			for i, p := range pages {
				p.engine.SaveDraft(w.room, fmt.Sprint("my secret ", i))
				p.engine.Send(w.room, fmt.Sprint("known secret ", i))
				w.pass(time.Duration(delay*60) * time.Millisecond)
			}
			if err := pages[delay%3].engine.SignOut(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
			w.say("a secret that comes later")
			for _, p := range pages {
				p.engine.SaveDraft(w.room, "typed secret")
				w.want("session", model.SignedOut, p.view().Session)
				w.want("rooms", 0, len(p.view().Rooms))
			}
			w.want("on disk", []string(nil), w.secrets())
			w.pass(time.Minute)
			w.want("on disk later", []string(nil), w.secrets())
			w.want("streams", 0, streams(pages...))

			// Who signs in in one tab is there in all.
			if err := second.engine.SignIn(w.t.Context(), chat.SignIn{Name: "ana"}); err != nil {
				w.t.Fatal(err)
			}
			w.pass(time.Second)
			for _, p := range pages {
				w.want("session", model.SignedIn, p.view().Session)
				w.want("name", "ana", p.view().Me.Name)
			}
			w.want("streams", 1, streams(pages...))
		})
	}
}

// Someone else signs in in one tab while another still shows the first: it goes over to them.
func TestTabsSomeoneElse(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first, second := w.open(b), w.open(b)
		den := w.server.CreateRoom(w.you.ID, chat.NewRoom{Kind: chat.Private, Name: "Den"}).ID
		w.tell(w.you.ID, chat.Draft{Room: den, Body: chat.Body{Message: &chat.Message{Text: "a secret"}}})
		w.pass(time.Second)
		first.engine.SaveDraft(w.room, "my secret")
		w.pass(time.Second)
		first.delay.Store(int64(time.Second)) // it clears the disk after the other has written there
		if err := second.engine.SignIn(w.t.Context(), chat.SignIn{Name: "ana"}); err != nil {
			w.t.Fatal(err)
		}
		second.engine.SaveDraft(w.room, "hers")
		w.pass(5 * time.Second)
		for _, p := range []*page{first, second} {
			w.want("name", "ana", p.view().Me.Name)
			w.want("rooms", 1, len(p.view().Rooms))
		}
		w.want("on disk", []string(nil), w.secrets())
		w.want("streams", 1, streams(first, second))
		second.kill()
		first.kill()
		third := w.open(b)
		w.want("draft", "hers", third.view().Room.Draft)
	})
}

// A page that the one before asked for is not shown to who is here now.
func TestTabsOlderOfSomeoneElse(t *testing.T) {
	in(t, func(w *world) {
		for i := range 60 {
			w.say(fmt.Sprint(i))
		}
		w.paging = make(chan struct{})
		b := client.NewMemoryBrowser()
		first, second := w.open(b), w.open(b)
		w.pass(time.Second)
		first.engine.LoadOlder(w.room)
		w.want("loading", true, first.view().Room.Loading)
		if err := second.engine.SignIn(w.t.Context(), chat.SignIn{Name: "ana"}); err != nil {
			w.t.Fatal(err)
		}
		w.want("name", "ana", first.view().Me.Name)
		close(w.paging)
		w.want("shown", 20, len(first.texts()))
		first.engine.LoadOlder(w.room)
		w.want("log", w.log(w.room), first.texts())
	})
}

// What an ended tab left and could not be written before the person signed out is not written for
// who comes after.
func TestTabsFullDiskAndSomeoneElse(t *testing.T) {
	in(t, func(w *world) {
		b := client.NewMemoryBrowser()
		first, second := w.open(b), w.open(b)
		w.pass(time.Second)
		w.set(func() { w.sending = func(chat.Draft) (error, error) { return errDown, nil } })
		first.engine.Send(w.room, "last words")
		first.engine.SaveDraft(w.room, "one secret")
		second.engine.SaveDraft(w.room, "another secret")
		w.pass(time.Second)
		first.kill()
		let := make(chan struct{})
		w.set(func() {
			w.writing = func() error {
				<-let
				return errFull
			}
		})
		w.pass(20 * time.Second) // what it left is taken in
		_, pending := shown(second.view())
		w.want("pending", []string{"last words"}, pending)
		out := make(chan error, 1)
		go func() { out <- second.engine.SignOut(w.t.Context()) }()
		w.want("session", model.SignedOut, second.view().Session)
		w.set(func() { w.writing = nil })
		close(let)
		if err := <-out; err != nil {
			w.t.Fatal(err)
		}
		if err := second.engine.SignIn(w.t.Context(), chat.SignIn{Name: "ana"}); err != nil {
			w.t.Fatal(err)
		}
		second.engine.SaveDraft(w.room, "hers")
		w.pass(time.Minute)
		w.want("on disk", []string(nil), w.secrets())
		w.faults = nil
	})
}
