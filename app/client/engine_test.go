package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
	"parley/app/transport"
)

func TestTwoPeopleChat(t *testing.T) {
	in(t, func(w *world) {
		w.say("before")
		w.begin()
		v := w.view()
		w.want("session", model.SignedIn, v.Session)
		w.want("state", model.Open, v.Connection.State)
		w.want("via", chat.WebSocket, v.Connection.Via)
		w.want("reason", model.ReasonBest, v.Connection.Reason.Code)
		w.want("round trip", 7*time.Millisecond, v.Connection.RTT)
		w.engine.Send(w.room, "hello")
		w.say("hello yourself")
		v = w.view()
		texts, pending := shown(v)
		w.want("log", w.log(w.room), texts)
		w.want("pending", []string(nil), pending)
		w.want("waiting", 0, v.Connection.Outbox)
		w.want("unread", 2, v.Unread)
		w.want("API calls", 1, w.asked["snapshot"])
	})
}

func TestFrontDoor(t *testing.T) {
	for state, want := range map[chat.SetUpState]model.Session{
		chat.SetUpOpen: model.SetUpNeeded, chat.SetUpCode: model.SetUpByCode, chat.SetUpDone: model.SignedOut,
	} {
		in(t, func(w *world) {
			w.session, w.setup = "", state
			w.begin()
			v := w.view()
			w.want("session", want, v.Session)
			w.pass(10 * time.Second)
			w.want("trouble", false, w.view().Connection.Trouble)
			w.want("attempts", []string(nil), w.vias())
			if err := w.engine.SignIn(w.t.Context(), chat.SignIn{Name: "nobody"}); !errors.Is(err, chat.ErrForbidden) {
				w.t.Errorf("signing in as nobody: %v", err)
			}
			if err := w.engine.SignIn(w.t.Context(), chat.SignIn{Name: "you"}); err != nil {
				w.t.Fatal(err)
			}
			w.want("session", model.SignedIn, w.view().Session)
			w.want("name", "you", w.view().Me.Name)
			w.want("state", model.Open, w.view().Connection.State)
		})
	}
}

// A server that can not be reached at first is reached later, and meanwhile there is a
// sentence to show.
func TestStartWithoutServer(t *testing.T) {
	in(t, func(w *world) {
		w.dead = true
		w.begin()
		w.want("session", model.SessionUnknown, w.view().Session)
		w.want("trouble", false, w.view().Connection.Trouble)
		w.pass(3 * time.Second)
		v := w.view()
		w.want("trouble", true, v.Connection.Trouble)
		w.want("state", model.Waiting, v.Connection.State)
		if !v.Connection.NextTry.After(time.Now()) {
			w.t.Errorf("the next try is at %v", v.Connection.NextTry)
		}
		w.set(func() { w.dead = false })
		w.engine.TryNow()
		v = w.view()
		w.want("session", model.SignedIn, v.Session)
		w.want("trouble", false, v.Connection.Trouble)
	})
}

// The session ends under way: what was typed and what was not sent stays, and is sent when the
// same person signs in again.
func TestSessionEnds(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.engine.SaveDraft(w.room, "half a sent")
		w.view()
		w.set(func() { w.session = "" })
		w.engine.Send(w.room, "not sent yet")
		v := w.view()
		w.want("session", model.SessionEnded, v.Session)
		_, pending := shown(v)
		w.want("pending", []string{"not sent yet"}, pending)
		w.vias()
		w.pass(time.Hour)
		w.want("attempts", []string(nil), w.vias())

		w.begin() // the page is loaded again
		v = w.view()
		w.want("session", model.SessionEnded, v.Session)
		w.engine.SaveDraft(w.room, "half a sentence")
		if err := w.engine.SignIn(w.t.Context(), chat.SignIn{Name: "you"}); err != nil {
			w.t.Fatal(err)
		}
		v = w.view()
		w.want("session", model.SignedIn, v.Session)
		w.want("draft", "half a sentence", v.Room.Draft)
		w.want("log", []string{"not sent yet"}, w.log(w.room))
		texts, pending := shown(v)
		w.want("shown", []string{"not sent yet"}, texts)
		w.want("pending", []string(nil), pending)
	})
}

// Someone else signs in on the same browser: nothing of the first is left.
func TestSomeoneElseSignsIn(t *testing.T) {
	in(t, func(w *world) {
		den := w.server.CreateRoom(w.you.ID, chat.NewRoom{Kind: chat.Private, Name: "Den"}).ID
		w.tell(w.you.ID, chat.Draft{Room: den, Body: chat.Body{Message: &chat.Message{Text: "a secret"}}})
		w.begin()
		w.view()
		w.set(func() { w.session = "" })
		w.engine.Send(den, "another secret")
		w.pass(time.Second)
		if err := w.engine.SignIn(w.t.Context(), chat.SignIn{Name: "ana"}); err != nil {
			w.t.Fatal(err)
		}
		w.pass(time.Second)
		v := w.view()
		w.want("who", "ana", v.Me.Name)
		for _, r := range v.Rooms {
			if r.ID == den {
				w.t.Error("the other's room is shown")
			}
		}
		w.noSecrets()
	})
}

func (w *world) noSecrets() {
	w.t.Helper()
	for _, key := range []string{client.DiskKnown, client.DiskOwn, client.DiskLearnt} {
		b, err := w.disk.Load(context.Background(), key)
		if err != nil || strings.Contains(string(b), "secret") {
			w.t.Errorf("on disk is %s: %s (%v)", key, b, err)
		}
	}
}

func TestSignOut(t *testing.T) {
	in(t, func(w *world) {
		w.say("a secret")
		w.begin()
		w.engine.SaveDraft(w.room, "my secret")
		w.engine.Use(model.Choice{Via: chat.LongPoll})
		w.pass(time.Second)
		w.set(func() { w.dead = true })
		if err := w.engine.SignOut(w.t.Context()); !errors.Is(err, errDown) {
			w.t.Errorf("signing out without a server: %v", err)
		}
		w.want("session", model.SignedIn, w.view().Session)
		w.set(func() { w.dead = false })
		if err := w.engine.SignOut(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.noSecrets()
		v := w.view()
		w.want("session", model.SignedOut, v.Session)
		w.want("rooms", 0, len(v.Rooms))
		w.pass(time.Minute)
		w.noSecrets()
		w.begin()
		w.want("session", model.SignedOut, w.view().Session)
		w.want("choice", chat.LongPoll, w.view().Connection.Choice.Via)
	})
}

// A choice is kept at once, though what came before waits for a disk that does not answer: whoever chooses may leave at once.
func TestChoiceDoesNotWait(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		release := make(chan struct{})
		w.set(func() {
			w.writing = func() error {
				<-release
				return nil
			}
		})
		w.say("hello")
		w.pass(4 * time.Second) // that is being written down
		w.engine.Use(model.Choice{Via: chat.LongPoll})
		w.want("choice", chat.LongPoll, w.view().Connection.Choice.Via)
		b, err := w.disk.LoadChoice()
		if want := string(chat.LongPoll); err != nil || !strings.Contains(string(b), want) {
			w.t.Errorf("on disk is %q (%v), want %s", b, err, want)
		}
		close(release)
	})
}

// What was known is shown at once after a reload, without a server; what was not
// sent is sent later, under the same name.
func TestReload(t *testing.T) {
	in(t, func(w *world) {
		for i := range 30 {
			w.say(fmt.Sprint(i))
		}
		w.begin()
		w.say("30")
		w.pass(time.Second)
		texts, _ := shown(w.view())
		w.set(func() { w.dead = true })
		w.engine.Send(w.room, "from afar")
		w.engine.SaveDraft(w.room, "and more")
		w.pass(400 * time.Millisecond)

		w.begin()
		v := w.view()
		again, pending := shown(v)
		w.want("log", texts, again)
		w.want("pending", []string{"from afar"}, pending)
		w.want("draft", "and more", v.Room.Draft)
		w.want("session", model.SignedIn, v.Session)

		w.set(func() { w.dead = false })
		w.say("31")
		w.pass(time.Minute)
		v = w.view()
		texts, pending = shown(v)
		w.want("log", w.log(w.room)[13:], texts[len(texts)-20:])
		w.want("pending", []string(nil), pending)
		w.want("last", "from afar", texts[len(texts)-1])
	})
}

// A restored backup makes cursors useless: the client begins anew and shows everything once.
func TestReset(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.say("one")
		w.view()
		w.engine.Send(w.room, "two")
		w.view()
		w.server.Restore()
		w.say("three")
		v := w.view()
		texts, _ := shown(v)
		w.want("log", []string{"one", "two", "three"}, texts)
		w.want("snapshots", 2, w.asked["snapshot"])
		w.want("state", model.Open, v.Connection.State)
		w.want("trouble", false, v.Connection.Trouble)
	})
}

// Someone brings the user into a room: it appears, whole, though the feed began in its middle.
func TestNewRoomAppears(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		den := w.server.CreateRoom(w.ana.ID, chat.NewRoom{Kind: chat.Private, Name: "Den", Members: []chat.UserID{w.you.ID}}).ID
		for i := range 5 {
			w.tell(w.ana.ID, chat.Draft{Room: den, Body: chat.Body{Message: &chat.Message{Text: fmt.Sprint(i)}}})
		}
		w.engine.Open(den)
		v := w.view()
		texts, _ := shown(v)
		w.want("log", w.log(den), texts)
		w.want("unread", 5, v.Room.Unread)
		w.want("state", model.Open, v.Connection.State)

		w.tell(w.ana.ID, chat.Draft{Room: den, Body: chat.Body{Member: &chat.Member{User: w.you.ID, State: chat.Left}}})
		if v = w.view(); v.Room != nil {
			w.t.Errorf("the room that the user was sent out of is shown: %+v", v.Room)
		}
	})
}

func TestJoinAndLeave(t *testing.T) {
	in(t, func(w *world) {
		hall := w.server.CreateRoom(w.ana.ID, chat.NewRoom{Kind: chat.Public, Name: "Hall"}).ID
		w.tell(w.ana.ID, chat.Draft{Room: hall, Body: chat.Body{Message: &chat.Message{Text: "welcome"}}})
		w.begin()
		w.view()
		rooms, err := w.engine.Rooms(w.t.Context())
		if err != nil || len(rooms) != 1 || rooms[0].ID != hall {
			w.t.Fatalf("rooms to join: %v, %v", rooms, err)
		}
		if err := w.engine.Join(w.t.Context(), hall); err != nil {
			w.t.Fatal(err)
		}
		w.engine.Open(hall)
		texts, _ := shown(w.view())
		w.want("log", []string{"welcome"}, texts)
		if err := w.engine.Leave(w.t.Context(), hall); err != nil {
			w.t.Fatal(err)
		}
		w.want("rooms", 1, len(w.view().Rooms))
		r, err := w.engine.NewRoom(w.t.Context(), chat.NewRoom{Kind: chat.Private, Name: "Den"})
		if err != nil {
			w.t.Fatal(err)
		}
		w.want("rooms", 2, len(w.view().Rooms))
		if err := w.engine.Add(w.t.Context(), r.ID, w.ana.ID); err != nil {
			w.t.Fatal(err)
		}
		if err := w.engine.Add(w.t.Context(), r.ID, w.ana.ID); !errors.Is(err, chat.ErrConflict) {
			w.t.Errorf("bringing in one who is there: %v", err)
		}
		w.engine.Open(r.ID)
		w.want("members", 2, len(w.view().Room.Members))
		if err := w.engine.Remove(w.t.Context(), r.ID, w.ana.ID); err != nil {
			w.t.Fatal(err)
		}
		w.want("members", 1, len(w.view().Room.Members))
	})
}

func TestLoadOlder(t *testing.T) {
	in(t, func(w *world) {
		for i := range 95 {
			w.say(fmt.Sprint(i))
		}
		w.begin()
		texts, _ := shown(w.view())
		w.want("at first", 20, len(texts))
		w.set(func() { w.dead = true })
		w.engine.LoadOlder(w.room)
		w.want("error", true, w.view().Room.LoadErr)
		w.set(func() { w.dead = false })
		for range 3 {
			w.engine.LoadOlder(w.room)
			w.engine.LoadOlder(w.room) // while the first is on its way: nothing
			w.view()
		}
		v := w.view()
		texts, _ = shown(v)
		w.want("log", w.log(w.room), texts)
		w.want("more", false, v.Room.More)
		w.want("questions", 3, w.asked["history"])
	})
}

// A page on its way when the session ends is not waited for: it can be asked for again.
func TestOlderWhenTheSessionEnds(t *testing.T) {
	in(t, func(w *world) {
		for i := range 60 {
			w.say(fmt.Sprint(i))
		}
		w.paging = make(chan struct{})
		w.begin()
		w.view()
		w.engine.LoadOlder(w.room)
		w.want("loading", true, w.view().Room.Loading)
		w.set(func() { w.session = "" })
		w.engine.Send(w.room, "who am I")
		v := w.view()
		w.want("session", model.SessionEnded, v.Session)
		w.want("loading", false, v.Room.Loading)
		if err := w.engine.SignIn(w.t.Context(), chat.SignIn{Name: "you"}); err != nil {
			w.t.Fatal(err)
		}
		w.view()
		close(w.paging)
		texts, _ := shown(w.view())
		w.want("of the session before", 21, len(texts))
		w.engine.LoadOlder(w.room)
		v = w.view()
		texts, _ = shown(v)
		w.want("log", w.log(w.room), texts)
		w.want("loading", false, v.Room.Loading)
	})
}

// Who waits to be in a room is not left waiting when the session ends meanwhile.
func TestJoinWhenTheSessionEnds(t *testing.T) {
	in(t, func(w *world) {
		hall := w.server.CreateRoom(w.ana.ID, chat.NewRoom{Kind: chat.Public, Name: "Hall"}).ID
		p := w.open(client.NewMemoryBrowser())
		p.view()
		p.delay.Store(int64(time.Second))
		joined := make(chan error, 1)
		go func() { joined <- p.engine.Join(w.t.Context(), hall) }()
		w.pass(100 * time.Millisecond)
		w.set(func() { w.session = "" })
		p.engine.Send(w.room, "who am I")
		w.want("session", model.SessionEnded, p.view().Session)
		w.pass(5 * time.Second)
		w.want("waits", 1, len(joined))
	})
}

// Who signs in while the answer to the session before is on its way waits for their own.
func TestSignInBeforeAnOlderAnswer(t *testing.T) {
	in(t, func(w *world) {
		p := w.open(client.NewMemoryBrowser())
		p.view()
		p.delay.Store(int64(time.Second))
		go func() { _ = p.engine.Join(w.t.Context(), w.room) }()
		w.pass(100 * time.Millisecond)
		w.set(func() { w.session = "" })
		p.engine.Send(w.room, "who am I")
		w.pass(time.Second)
		if err := p.engine.SignIn(w.t.Context(), chat.SignIn{Name: "you"}); err != nil {
			w.t.Fatal(err)
		}
		w.want("session", model.SignedIn, p.view().Session)
	})
}

// Read marks and typing are told now and then, not at each movement.
func TestMarksAndTyping(t *testing.T) {
	in(t, func(w *world) {
		var events []chat.Event
		for i := range 30 {
			events = append(events, w.say(fmt.Sprint(i)))
		}
		marks, typed := 0, 0
		w.sending = func(d chat.Draft) (error, error) {
			w.set(func() {
				if d.Read != nil {
					marks++
				}
				if d.Typing != nil {
					typed++
				}
			})
			return nil, nil
		}
		w.begin()
		w.view()
		for _, e := range events {
			w.engine.Read(w.room, e.Seq)
			w.engine.Read(w.room, e.Seq-1)
			w.engine.Typing(w.room)
			w.pass(100 * time.Millisecond)
		}
		w.pass(2 * time.Second)
		v := w.view()
		w.want("unread", 0, v.Unread)
		if marks < 2 || marks > 5 {
			w.t.Errorf("%d read marks were sent in 5 s", marks)
		}
		w.want("typing", 1, typed)
		w.want("on the server", 0, w.server.Snapshot(w.you.ID, 1).Rooms[0].Unread+w.server.Snapshot(w.you.ID, 1).Rooms[1].Unread)

		w.tell(w.ana.ID, chat.Draft{Room: w.room, Body: chat.Body{Typing: &chat.Typing{}}})
		w.want("ana writes", []string{"ana"}, w.view().Room.Typing)
		w.pass(7 * time.Second)
		w.want("ana stopped", []string(nil), w.view().Room.Typing)
	})
}

// TestMarkOnItsWayWhenTheSessionEnds: what was read is told after signing in again.
func TestMarkOnItsWayWhenTheSessionEnds(t *testing.T) {
	in(t, func(w *world) {
		e := w.say("read me")
		reached, let := make(chan struct{}), make(chan struct{})
		held := false
		w.sending = func(d chat.Draft) (error, error) {
			if d.Read == nil || held {
				return nil, nil
			}
			held = true
			close(reached)
			<-let
			return errDown, nil
		}
		w.begin()
		w.view()
		w.engine.Read(w.room, e.Seq)
		<-reached
		w.set(func() { w.session = "" })
		w.engine.Send(w.room, "who am I")
		w.want("session", model.SessionEnded, w.view().Session)
		close(let)
		if err := w.engine.SignIn(w.t.Context(), chat.SignIn{Name: "you"}); err != nil {
			w.t.Fatal(err)
		}
		w.pass(10 * time.Second)
		w.want("on the server", 0, w.server.Snapshot(w.you.ID, 1).Rooms[0].Unread+w.server.Snapshot(w.you.ID, 1).Rooms[1].Unread)
	})
}

// A fault in what shows the view, or in a transport, is reported and costs no more than itself.
func TestFaultsAreCaught(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		n := 0
		stop := w.engine.Watch(func(*model.View) {
			if n++; n == 1 {
				panic("can not draw")
			}
		})
		w.view() // drawn once, before there is more to draw: views that are overtaken are passed over
		w.say("go on")
		w.view()
		stop()
		w.sending = func(chat.Draft) (error, error) { panic("can not send") }
		w.engine.Send(w.room, "hello")
		w.view()
		w.set(func() { w.sending = nil })
		w.pass(time.Second)
		w.want("log", []string{"go on", "hello"}, w.log(w.room))
		if n < 2 {
			w.t.Errorf("drawn %d times", n)
		}
		var rest []string
		for _, f := range w.faults {
			if !strings.Contains(f, "can not draw") && !strings.Contains(f, "can not send") {
				rest = append(rest, f)
			}
		}
		if len(w.faults) < 2 {
			w.t.Errorf("reported: %q", w.faults)
		}
		w.faults = rest
	})
}

// What could not be written to disk is written once it can be, though nothing more happens.
func TestFullDisk(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		w.set(func() { w.writing = func() error { return errFull } })
		w.say("the last that came")
		w.pass(time.Second)
		w.set(func() { w.dead = true })
		w.engine.SaveDraft(w.room, "half a thought")
		w.pass(10 * time.Minute)
		if n := len(w.faults); n < 10 || n > 100 {
			w.t.Errorf("it was tried %d times", n)
		}
		w.faults = nil
		w.set(func() { w.writing = nil })
		w.pass(time.Minute)
		for key, text := range map[string]string{client.DiskOwn: "half a thought", client.DiskKnown: "the last that came"} {
			if b, err := w.disk.Load(w.t.Context(), key); err != nil || !strings.Contains(string(b), text) {
				w.t.Errorf("on disk is %s: %s (%v)", key, b, err)
			}
		}
	})
}

// What is on disk may be anything; the program starts all the same.
func TestRubbishOnDisk(t *testing.T) {
	for _, rubbish := range []string{"", "{", "null", `{"version":99}`, `{"version":1,"known":{"you":"x"}}`, `[1]`} {
		in(t, func(w *world) {
			for _, key := range []string{client.DiskKnown, client.DiskOwn, client.DiskLearnt} {
				if err := w.disk.Save(w.t.Context(), key, []byte(rubbish)); err != nil {
					w.t.Fatal(err)
				}
			}
			if err := w.disk.SaveChoice([]byte(rubbish)); err != nil {
				w.t.Fatal(err)
			}
			w.begin()
			w.want("session", model.SignedIn, w.view().Session)
			w.want("choice", true, w.view().Connection.Choice.Auto)
			w.faults = nil
		})
	}
}

var _ transport.Transport = link{}
