package hubtest

import (
	"fmt"
	"slices"
	"testing"

	"parley/app/chat"
)

func testSnapshot(t *testing.T, w *world) {
	ana, ben, ming := w.user("ana"), w.user("ben"), w.user("小明")
	w.user("nobody's friend")
	self := w.create(ana, chat.Self)
	room := w.create(ana, chat.Private, ben, ming)
	w.create(ben, chat.Private)
	for i := range 60 {
		w.say(ben, room, fmt.Sprint(i))
	}
	w.say(ming, room, "goodbye")
	w.send(ming, room, left(ming))

	snap, pos, err := w.s.Snapshot(w.ctx, ana)
	if err != nil {
		t.Fatal(err)
	}
	head, err := w.s.Head(w.ctx)
	if err != nil || pos != head {
		t.Fatalf("the snapshot holds at %d; the head is %d, %v", pos, head, err)
	}
	history := w.history(ana, room, 100)
	want := []chat.Room{
		{ID: self, Kind: chat.Self, Creator: ana, Members: []chat.UserID{ana}, Head: 2, Events: w.history(ana, self, 10)},
		{ID: room, Kind: chat.Private, Name: snap.Rooms[1].Name, Creator: ana, Members: []chat.UserID{ana, ben}, Head: 66, Unread: 61,
			Events: history[len(history)-50:], More: true},
	}
	slices.Sort(want[1].Members)
	slices.Sort(snap.Rooms[1].Members)
	same(t, "the rooms", want, snap.Rooms)
	if snap.You != ana || snap.Self != self || snap.Cursor != "" || snap.Online != nil {
		t.Fatalf("Snapshot = %+v", snap)
	}
	names := map[chat.UserID]string{}
	for _, u := range snap.Users {
		names[u.ID] = u.Name
	}
	// Whoever wrote what is shown is named, though they left.
	same(t, "the users", map[chat.UserID]string{ana: "ana", ben: "ben", ming: "小明"}, names)
	same(t, "the one room", snap.Rooms[1].Events, w.room(ana, room).Events)
	if _, _, err := w.s.Snapshot(w.ctx, chat.NewID[chat.UserID]()); chat.CodeOf(err) != chat.CodeNotFound {
		t.Fatalf("the snapshot of nobody: %v", err)
	}
}

func testUnread(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	self, room := w.create(ana, chat.Self), w.create(ben, chat.Private, ana)
	other := w.create(ben, chat.Private)
	check := func(what string, read chat.Seq, unread int) {
		t.Helper()
		if r := w.room(ana, room); r.Read != read || r.Unread != unread {
			t.Fatalf("%s: read %d, unread %d; want %d and %d", what, r.Read, r.Unread, read, unread)
		}
	}
	check("at first", 0, 0)
	one := w.say(ben, room, "one")
	w.say(ana, room, "my own")
	w.say(ben, room, "two")
	w.send(ben, room, edited(one.Seq, "one and a half"))
	check("two said", 0, 2)
	w.send(ana, self, read(room, one.Seq))
	check("one read", one.Seq, 1)
	three := w.say(ben, room, "three")
	check("another said", one.Seq, 2)
	w.send(ben, room, deleted(three.Seq))
	check("and deleted", one.Seq, 1)
	head := w.room(ana, room).Head
	w.send(ana, self, read(room, head))
	check("all read", head, 0)
	w.send(ana, self, read(room, 2)) // of another device, late
	check("all read, once more", head, 0)
	if r := w.room(ben, room); r.Read != 0 || r.Unread != 1 {
		t.Fatalf("ben has read %d, and not %d", r.Read, r.Unread)
	}

	w.refuse(chat.CodeNotFound, w.draft(ana, chat.Draft{Room: self, Body: read(room, head+1)}))
	w.refuse(chat.CodeNotFound, w.draft(ana, chat.Draft{Room: self, Body: read(other, 1)}))
	w.refuse(chat.CodeInvalid, w.draft(ana, chat.Draft{Room: room, Body: read(room, 1)}))
	w.refuse(chat.CodeNotFound, w.draft(ben, chat.Draft{Room: self, Body: read(room, 1)}))

	w.send(ben, room, left(ana))
	w.say(ben, room, "not for ana")
	w.send(ben, room, joined(ana))
	check("away and back", head, 0)
	w.say(ben, room, "welcome back")
	check("and greeted", head, 1)
}

func (w *world) room(u chat.UserID, id chat.RoomID) chat.Room {
	w.t.Helper()
	r, err := w.s.Room(w.ctx, u, id)
	if err != nil {
		w.t.Fatalf("Room: %v", err)
	}
	return r
}

// testReplay applies to an old snapshot what came after it, one event of every
// kind, and holds the outcome against a new snapshot after each.
func testReplay(t *testing.T, w *world) {
	ana, ben, ming := w.user("ana"), w.user("ben"), w.user("小明")
	self, room := w.create(ana, chat.Self), w.create(ana, chat.Private, ben)
	dropped := w.create(ben, chat.Private, ana)
	said := w.say(ben, room, "one")
	own := w.say(ana, room, "mine")
	old, pos, err := w.s.Snapshot(w.ctx, ana)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		from chat.UserID
		room chat.RoomID
		body chat.Body
	}{
		{ben, room, message("two")},
		{ana, self, read(room, said.Seq)},
		{ben, room, edited(said.Seq, "won")},
		{ben, room, message("three")},
		{ben, room, deleted(said.Seq)},
		{ana, room, edited(own.Seq, "my own")},
		{ana, room, deleted(own.Seq)},
		{ana, room, chat.Body{Change: &chat.Change{Kind: chat.Private, Name: "tea", Topic: "green"}}},
		{ben, room, joined(ming)},
		{ming, room, message("hello")},
		{ben, room, left(ben)},
		{ben, dropped, left(ana)},
		{ben, dropped, message("not for ana")},
	} {
		w.send(step.from, step.room, step.body)
		got := replay(old, events(w.logOf(ana, pos, 3)))
		want, _, err := w.s.Snapshot(w.ctx, ana)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []chat.Snapshot{want, got} {
			for i := range s.Rooms {
				slices.Sort(s.Rooms[i].Members)
			}
		}
		same(t, "the rooms after "+encode(step.body), want.Rooms, got.Rooms)
	}
}

// replay is what a client makes of a snapshot and the events after it.
func replay(old chat.Snapshot, events []chat.Event) chat.Snapshot {
	snap := old
	snap.Rooms = slices.Clone(old.Rooms)
	for i := range snap.Rooms {
		snap.Rooms[i].Members = slices.Clone(snap.Rooms[i].Members)
		snap.Rooms[i].Events = slices.Clone(snap.Rooms[i].Events)
	}
	find := func(id chat.RoomID) int {
		return slices.IndexFunc(snap.Rooms, func(r chat.Room) bool { return r.ID == id })
	}
	for _, e := range events {
		r := &snap.Rooms[find(e.Room)]
		r.Head, r.Events = e.Seq, append(r.Events, e)
		switch {
		case e.Delete != nil:
			for i := range r.Events {
				if o := &r.Events[i]; o.Seq == e.Delete.Seq || o.Edit != nil && o.Edit.Seq == e.Delete.Seq {
					o.Body = chat.Body{}
				}
			}
		case e.Change != nil:
			r.Name, r.Topic = e.Change.Name, e.Change.Topic
		case e.Member != nil && e.Member.State == chat.Joined:
			r.Members = append(r.Members, e.Member.User)
		case e.Member != nil && e.Member.User == old.You:
			snap.Rooms = slices.DeleteFunc(snap.Rooms, func(r chat.Room) bool { return r.ID == e.Room })
		case e.Member != nil:
			r.Members = slices.DeleteFunc(r.Members, func(u chat.UserID) bool { return u == e.Member.User })
		case e.Read != nil:
			other := &snap.Rooms[find(e.Read.Room)]
			other.Read = max(other.Read, e.Read.Seq)
		}
	}
	for i := range snap.Rooms {
		r := &snap.Rooms[i]
		r.Unread = 0
		for _, e := range r.Events {
			if e.Message != nil && e.From != old.You && e.Seq > r.Read {
				r.Unread++
			}
		}
	}
	return snap
}
