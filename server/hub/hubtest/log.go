package hubtest

import (
	"context"
	"errors"
	"testing"

	"parley/app/chat"
	"parley/server/hub"
)

func testEmpty(t *testing.T, w *world) {
	if head, err := w.s.Head(w.ctx); head != 0 || err != nil {
		t.Fatalf("Head = %d, %v", head, err)
	}
	if w.s.Epoch() == "" {
		t.Fatal("the log has no epoch")
	}
	same(t, "After", []hub.Logged{}, w.log())
	if id, err := w.s.First(w.ctx); chat.CodeOf(err) != chat.CodeNotFound {
		t.Fatalf("First = %q, %v", id, err)
	}
	ana := w.user("ana")
	page, seen, err := w.s.AfterFor(w.ctx, ana, 0, 10)
	if len(page) != 0 || seen != 0 || err != nil {
		t.Fatalf("AfterFor = %v, %d, %v", page, seen, err)
	}
	w.group()
}

func testOrder(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	one, two := w.create(ana, chat.Private, ben), w.create(ben, chat.Private, ana)
	var group []hub.Append
	for i := range 30 {
		room, from := one, ana
		if i%3 == 0 {
			room, from = two, ben
		}
		group = append(group, w.draft(from, chat.Draft{Room: room, Body: message("text")}))
	}
	results := append(w.group(group[:11]...), w.group(group[11:]...)...)
	log := w.log()
	seqs := map[chat.RoomID]chat.Seq{}
	for i, l := range log {
		seqs[l.Event.Room]++
		if l.Pos != hub.Pos(i+1) || l.Event.Seq != seqs[l.Event.Room] {
			t.Fatalf("entry %d of the log is at %d, event %d of its room", i, l.Pos, l.Event.Seq)
		}
	}
	var appended []hub.Logged
	for _, r := range results {
		appended = append(appended, r.New...)
	}
	same(t, "what is read is what was answered", appended, log[len(log)-len(appended):])
	if head, err := w.s.Head(w.ctx); head != log[len(log)-1].Pos || err != nil {
		t.Fatalf("Head = %d, %v", head, err)
	}
}

func testIdempotent(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room := w.create(ana, chat.Public)
	w.send(ben, room, joined(ben))
	a := w.draft(ben, chat.Draft{Room: room, Body: message("once")})
	first := w.one(a)
	in := w.draft(ben, chat.Draft{Room: room, Body: left(ben)})
	results := w.group(in, in, a, a) // also within one group
	for i, want := range []chat.Event{results[0].Event, results[0].Event, first.Event, first.Event} {
		same(t, "the answer", want, results[i].Event)
		if results[i].Err != nil || (len(results[i].New) != 0) != (i == 0) {
			t.Fatalf("result %d: %+v", i, results[i])
		}
	}
	a.At = w.now() // when it is repeated makes no difference, nor that ben has left since
	same(t, "the answer later", hub.Appended{Event: first.Event}, w.one(a))
	w.refuse(chat.CodeNotFound, w.draft(ben, chat.Draft{Room: room, Body: message("gone")}))

	other := a
	other.From = ana // the same nonce of somebody else is another draft
	if r := w.one(other); len(r.New) != 1 {
		t.Fatalf("ana's draft under ben's nonce: %+v", r)
	}
	named := w.draft(ana, chat.Draft{Room: room, Body: chat.Body{Member: &chat.Member{User: ben, Name: "boss", State: chat.Joined}}})
	r := w.one(named)
	if r.Event.Member.Name != "ben" {
		t.Fatalf("the name told is %q", r.Event.Member.Name)
	}
	named.Draft.Member = &chat.Member{User: ben, State: chat.Joined}
	same(t, "the answer to the same without a name", hub.Appended{Event: r.Event}, w.one(named))
}

func testConflict(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room, other := w.create(ana, chat.Private, ben), w.create(ana, chat.Private)
	a := w.draft(ana, chat.Draft{Room: room, Body: message("one")})
	first := w.one(a)
	for _, d := range []chat.Draft{
		{Nonce: a.Draft.Nonce, Room: room, Body: message("two")},
		{Nonce: a.Draft.Nonce, Room: other, Body: message("one")},
		{Nonce: a.Draft.Nonce, Room: room, Body: edited(first.Event.Seq, "one")},
		{Nonce: a.Draft.Nonce, Room: room, Body: left(ben)},
	} {
		w.refuse(chat.CodeConflict, w.draft(ana, d))
	}
	n := chat.NewRoom{Nonce: a.Draft.Nonce, Kind: chat.Private, Name: "another"}
	w.refuse(chat.CodeConflict, hub.Append{From: ana, At: w.now(), Create: &n})
	same(t, "the answer after all that", hub.Appended{Event: first.Event}, w.one(a))
}

func testRefused(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room := w.create(ana, chat.Private)
	before := w.log()
	say := func(from chat.UserID, room chat.RoomID, text string) hub.Append {
		return w.draft(from, chat.Draft{Room: room, Body: message(text)})
	}
	nobody := chat.NewID[chat.UserID]()
	results := w.group(
		say(ana, room, "one"),
		say(ben, room, "let me in"),
		w.draft(ana, chat.Draft{Room: room, Body: joined(nobody)}),
		say(ana, chat.NewID[chat.RoomID](), "nowhere"),
		w.draft(ana, chat.Draft{Room: room, Body: edited(99, "of nothing")}),
		say(nobody, room, "who am I"),
		hub.Append{From: ana, At: w.now(), Create: &chat.NewRoom{Nonce: "n1", Kind: chat.Private, Name: "r", Members: []chat.UserID{ben, nobody}}},
		hub.Append{From: ana, At: w.now(), Create: &chat.NewRoom{Nonce: "n2", Kind: chat.Direct, Members: []chat.UserID{ana}}},
		w.draft(ana, chat.Draft{Room: room, Body: chat.Body{Typing: &chat.Typing{}}}),
		w.draft(ana, chat.Draft{Room: room}),
		say(ana, room, "two"),
	)
	var appended []hub.Logged
	for i, r := range results {
		wanted := i == 0 || i == len(results)-1
		if _, refused := errors.AsType[*chat.Error](r.Err); refused == wanted || (len(r.New) == 1) != wanted {
			t.Fatalf("result %d: %+v", i, r)
		}
		appended = append(appended, r.New...)
	}
	same(t, "the log", append(before, appended...), w.log())
	same(t, "the texts", []string{"one", "two"}, []string{appended[0].Event.Message.Text, appended[1].Event.Message.Text})
	if room, err := w.s.Room(w.ctx, ana, room); err != nil || room.Head != 4 {
		t.Fatalf("Room = %+v, %v", room, err)
	}
}

func testStranger(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room := w.create(ana, chat.Private)
	w.create(ben, chat.Private) // which no other name may find
	nowhere := chat.NewID[chat.RoomID]()
	// What may not be seen is answered like what is not there.
	for _, r := range []chat.RoomID{room, nowhere, ""} {
		if _, err := w.s.Before(w.ctx, ben, r, 0, 10); chat.CodeOf(err) != chat.CodeNotFound {
			t.Fatalf("Before: %v", err)
		}
		if _, err := w.s.Room(w.ctx, ben, r); chat.CodeOf(err) != chat.CodeNotFound {
			t.Fatalf("Room: %v", err)
		}
		for _, b := range []chat.Body{message("hello"), joined(ben), left(ana), deleted(1), edited(1, "mine")} {
			w.refuse(chat.CodeNotFound, w.draft(ben, chat.Draft{Room: r, Body: b}))
		}
	}
}

func testDelete(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room := w.create(ana, chat.Private, ben)
	kept := w.say(ana, room, "kept")
	a := w.draft(ana, chat.Draft{Room: room, Body: message("secret")})
	said := w.one(a).Event
	e := w.draft(ana, chat.Draft{Room: room, Body: edited(said.Seq, "more secret")})
	edit := w.one(e).Event
	w.refuse(chat.CodeForbidden, w.draft(ben, chat.Draft{Room: room, Body: deleted(said.Seq)}))
	del := w.send(ana, room, deleted(said.Seq))

	said.Body, edit.Body = chat.Body{}, chat.Body{}
	want := []chat.Event{kept, said, edit, del}
	same(t, "the log", want, events(w.log())[3:])
	same(t, "ben's log", want, events(w.logOf(ben, 3, 2)))
	same(t, "the history", want, w.history(ben, room, 2)[3:])
	// A repeated nonce still answers, with what is left.
	same(t, "the message again", hub.Appended{Event: said}, w.one(a))
	same(t, "the edit again", hub.Appended{Event: edit}, w.one(e))
	for _, b := range []chat.Body{deleted(said.Seq), edited(said.Seq, "back"), deleted(edit.Seq), deleted(1)} {
		w.refuse(chat.CodeNotFound, w.draft(ana, chat.Draft{Room: room, Body: b}))
	}
}

func testChange(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room := w.create(ana, chat.Private, ben)
	change := chat.Body{Change: &chat.Change{Kind: chat.Private, Name: "大厅", Topic: "tea"}}
	w.refuse(chat.CodeForbidden, w.draft(ben, chat.Draft{Room: room, Body: change}))
	w.send(ana, room, change)
	r, err := w.s.Room(w.ctx, ben, room)
	if err != nil || r.Name != "大厅" || r.Topic != "tea" || r.Kind != chat.Private || r.Creator != ana {
		t.Fatalf("Room = %+v, %v", r, err)
	}
}

// testEnded gives up before it begins: nothing is appended, and the store goes on.
func testEnded(t *testing.T, w *world) {
	ana := w.user("ana")
	room := w.create(ana, chat.Private)
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, _, err := w.s.Snapshot(ctx, ana); err == nil {
		t.Fatal("Snapshot answers who has gone")
	}
	a := w.draft(ana, chat.Draft{Room: room, Body: message("text")})
	if r, err := w.s.Append(ctx, []hub.Append{a}); err == nil {
		same(t, "what was answered is there", r[0].New, w.log()[2:])
	} else if n := len(w.log()); n != 2 {
		t.Fatalf("Append answered %v, and %d events are there", err, n)
	}
	w.say(ana, room, "more")
}

func testReopen(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room := w.create(ana, chat.Private, ben)
	a := w.draft(ana, chat.Draft{Room: room, Body: message("kept")})
	said := w.one(a)
	w.send(ana, room, left(ben))
	epoch, log := w.s.Epoch(), w.log()
	snap, pos, err := w.s.Snapshot(w.ctx, ana)
	if err != nil {
		t.Fatal(err)
	}

	w.reopen()
	if w.s.Epoch() != epoch {
		t.Fatalf("the epoch was %q and is %q", epoch, w.s.Epoch())
	}
	same(t, "the log", log, w.log())
	again, at, err := w.s.Snapshot(w.ctx, ana)
	if err != nil || at != pos {
		t.Fatalf("Snapshot at %d, %v; want %d", at, err, pos)
	}
	same(t, "the snapshot", snap, again)
	same(t, "the draft again", hub.Appended{Event: said.Event}, w.one(a))
	w.refuse(chat.CodeNotFound, w.draft(ben, chat.Draft{Room: room, Body: message("gone")}))
	if e := w.say(ana, room, "on"); e.Seq != said.Event.Seq+2 {
		t.Fatalf("after %d comes %d", said.Event.Seq+1, e.Seq)
	}
}
