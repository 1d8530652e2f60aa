package hubtest

import (
	"testing"

	"parley/app/chat"
	"parley/server/hub"
)

func testCreate(t *testing.T, w *world) {
	ana, ben, ming := w.user("ana"), w.user("ben"), w.user("小明")
	n := chat.NewRoom{Nonce: "n", Kind: chat.Private, Name: "tea", Members: []chat.UserID{ming, ben, ming, ana}}
	r := w.one(hub.Append{From: ana, At: w.now(), Create: &n})
	same(t, "the answer", r.New[0].Event, r.Event)
	same(t, "the first event", chat.Body{Change: &chat.Change{Kind: chat.Private, Name: "tea"}}, r.Event.Body)
	names := map[chat.UserID]string{}
	for i, l := range r.New {
		if l.Pos != hub.Pos(i+1) || l.Event.Seq != chat.Seq(i+1) || l.Event.Room != r.Room || l.Event.From != ana {
			t.Fatalf("event %d: %+v", i, l)
		}
		if i > 0 {
			names[l.Event.Member.User] = l.Event.Member.Name
			if l.Event.Member.State != chat.Joined || l.Event.Nonce != "" {
				t.Fatalf("event %d: %+v", i, l)
			}
		}
	}
	same(t, "who is in", map[chat.UserID]string{ana: "ana", ben: "ben", ming: "小明"}, names)
	for u := range names { // all of them read it from the first event on
		same(t, "the log", r.New, w.logOf(u, 0, 2))
		same(t, "the spans", []hub.Span{{Room: r.Room, From: 1}}, w.spans(u))
	}
	if room, err := w.s.Room(w.ctx, ben, r.Room); err != nil || len(room.Members) != 3 {
		t.Fatalf("Room = %+v, %v", room, err)
	}
}

func testCreateAgain(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	n := chat.NewRoom{Nonce: "n", Kind: chat.Private, Name: "tea", Members: []chat.UserID{ben}}
	a := hub.Append{From: ana, At: w.now(), Create: &n}
	made := w.one(a)
	log := w.log()
	for _, members := range [][]chat.UserID{{ben}, {ben, ben}} {
		again := n
		again.Members = members
		same(t, "the answer", hub.Appended{Event: made.Event, Room: made.Room}, w.one(hub.Append{From: ana, At: w.now(), Create: &again}))
	}
	other := n
	other.Name = "coffee"
	w.refuse(chat.CodeConflict, hub.Append{From: ana, At: w.now(), Create: &other})
	w.refuse(chat.CodeConflict, w.draft(ana, chat.Draft{Nonce: "n", Room: made.Room, Body: message("text")}))
	same(t, "the log", log, w.log())
}

func testDirect(t *testing.T, w *world) {
	ana, ben, ming := w.user("ana"), w.user("ben"), w.user("小明")
	two := w.create(ana, chat.Direct, ben)
	three := w.create(ana, chat.Direct, ben, ming)
	log := w.log()
	if again := w.create(ben, chat.Direct, ana, ben); again != two {
		t.Fatalf("there are two rooms of the same two: %s and %s", two, again)
	}
	if again := w.create(ming, chat.Direct, ben, ana, ana); again != three {
		t.Fatalf("there are two rooms of the same three: %s and %s", three, again)
	}
	same(t, "the log", log, w.log())
	if other := w.create(ming, chat.Direct, ana); other == two || other == three {
		t.Fatal("other people were given the same room")
	}
	w.refuse(chat.CodeForbidden, w.draft(ana, chat.Draft{Room: two, Body: left(ana)}))
	w.refuse(chat.CodeForbidden, w.draft(ana, chat.Draft{Room: two, Body: joined(ming)}))

	// Both ask at once.
	x, y := w.user("x"), w.user("y")
	results := w.group(
		hub.Append{From: x, At: w.now(), Create: &chat.NewRoom{Nonce: "n", Kind: chat.Direct, Members: []chat.UserID{y}}},
		hub.Append{From: y, At: w.now(), Create: &chat.NewRoom{Nonce: "n", Kind: chat.Direct, Members: []chat.UserID{x}}})
	if results[0].Room != results[1].Room || len(results[1].New) != 0 || results[1].Event.Seq != 1 {
		t.Fatalf("asked at once: %+v and %+v", results[0], results[1])
	}
}

func testSelf(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	self := w.create(ana, chat.Self)
	if again := w.create(ana, chat.Self); again != self {
		t.Fatalf("ana has two self rooms: %s and %s", self, again)
	}
	if other := w.create(ben, chat.Self); other == self {
		t.Fatal("two people share a self room")
	}
	snap, _, err := w.s.Snapshot(w.ctx, ana)
	if err != nil || snap.Self != self || snap.You != ana {
		t.Fatalf("Snapshot = %+v, %v", snap, err)
	}
	w.refuse(chat.CodeForbidden, w.draft(ana, chat.Draft{Room: self, Body: joined(ben)}))
	w.refuse(chat.CodeForbidden, w.draft(ana, chat.Draft{Room: self, Body: left(ana)}))
}

func testSpans(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room := w.create(ana, chat.Private)
	w.say(ana, room, "before") // 3
	in := w.one(w.draft(ana, chat.Draft{Room: room, Body: joined(ben)})).New[0]
	heard := w.one(w.draft(ben, chat.Draft{Room: room, Body: message("heard")})).New[0]
	out := w.one(w.draft(ana, chat.Draft{Room: room, Body: left(ben)})).New[0]
	w.say(ana, room, "missed")
	same(t, "the log of one who left", []hub.Logged{in, heard, out}, w.logOf(ben, 0, 2))
	if _, err := w.s.Before(w.ctx, ben, room, 0, 5); chat.CodeOf(err) != chat.CodeNotFound {
		t.Fatalf("Before: %v", err)
	}
	w.refuse(chat.CodeConflict, w.draft(ana, chat.Draft{Room: room, Body: left(ben)}))

	back := w.one(w.draft(ana, chat.Draft{Room: room, Body: joined(ben)})).New[0]
	w.refuse(chat.CodeConflict, w.draft(ana, chat.Draft{Room: room, Body: joined(ben)}))
	more := w.one(w.draft(ana, chat.Draft{Room: room, Body: message("more")})).New[0]
	mine := []hub.Logged{in, heard, out, back, more}
	for limit := 1; limit < 7; limit++ {
		same(t, "the log of one who came back", mine, w.logOf(ben, 0, limit))
		same(t, "the history of one who came back", events(mine), w.history(ben, room, limit))
	}
	same(t, "the spans", []hub.Span{{Room: room, From: in.Pos, To: out.Pos + 1}, {Room: room, From: back.Pos}}, w.spans(ben))

	// Coming and going in one group.
	w.group(
		w.draft(ben, chat.Draft{Room: room, Body: left(ben)}),
		w.draft(ben, chat.Draft{Room: room, Body: message("refused")}),
		w.draft(ana, chat.Draft{Room: room, Body: joined(ben)}),
		w.draft(ben, chat.Draft{Room: room, Body: message("heard again")}))
	last := w.log()[len(w.log())-3:]
	same(t, "the log after that", append(mine, last...), w.logOf(ben, 0, 4))
}

// testNewcomers: a private room is read from one's coming on.
func testNewcomers(t *testing.T, w *world) {
	ana, ben, ming := w.user("ana"), w.user("ben"), w.user("小明")
	room := w.create(ana, chat.Private, ben)
	w.say(ana, room, "earlier")
	in := w.send(ben, room, joined(ming)) // a member may bring others
	late := w.say(ana, room, "later")
	same(t, "the history", []chat.Event{in, late}, w.history(ming, room, 1))
	r, err := w.s.Room(w.ctx, ming, room)
	if err != nil || r.More || r.Unread != 1 || r.Head != late.Seq {
		t.Fatalf("Room = %+v, %v", r, err)
	}
	same(t, "the events shown", []chat.Event{in, late}, r.Events)
	w.refuse(chat.CodeForbidden, w.draft(ming, chat.Draft{Room: room, Body: left(ben)}))
	w.send(ana, room, left(ben)) // whoever created it may send others out
}

// testPublic: a public room is open, with all of its history.
func testPublic(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	w.create(ana, chat.Private)
	hall, other := w.create(ana, chat.Public), w.create(ana, chat.Public)
	if first, err := w.s.First(w.ctx); err != nil || first != hall {
		t.Fatalf("First = %s, %v; want %s", first, err, hall)
	}
	w.say(ana, hall, "welcome")
	rooms, err := w.s.Public(w.ctx, ben, 10)
	if err != nil || len(rooms) != 2 || rooms[0].ID != hall || rooms[1].ID != other || rooms[0].Name == "" || len(rooms[0].Members) != 0 || rooms[0].Size != 1 {
		t.Fatalf("Public = %+v, %v", rooms, err)
	}
	if _, err := w.s.Before(w.ctx, ben, hall, 0, 5); chat.CodeOf(err) != chat.CodeNotFound {
		t.Fatalf("Before, from outside: %v", err)
	}
	w.refuse(chat.CodeNotFound, w.draft(ben, chat.Draft{Room: hall, Body: joined(ana)}))
	in := w.one(w.draft(ben, chat.Draft{Room: hall, Body: joined(ben)})).New[0]
	same(t, "the log begins with one's coming", []hub.Logged{in}, w.logOf(ben, 0, 5))
	if all := w.history(ben, hall, 2); len(all) != 4 {
		t.Fatalf("the history has %d events", len(all))
	}
	if r, err := w.s.Room(w.ctx, ben, hall); err != nil || r.Unread != 0 || len(r.Events) != 4 {
		t.Fatalf("Room = %+v, %v", r, err)
	}
	rooms, err = w.s.Public(w.ctx, ben, 10)
	if err != nil || len(rooms) != 1 || rooms[0].ID != other {
		t.Fatalf("Public = %+v, %v", rooms, err)
	}
	if rooms, err = w.s.Public(w.ctx, w.user("cleo"), 10); err != nil || len(rooms) != 2 || rooms[0].Size != 2 || rooms[1].Size != 1 {
		t.Fatalf("Public = %+v, %v", rooms, err)
	}
	w.send(ben, hall, left(ben))
	if rooms, err = w.s.Public(w.ctx, ben, 1); err != nil || len(rooms) != 1 || rooms[0].ID != hall {
		t.Fatalf("Public of 1 = %+v, %v", rooms, err)
	}
}

func (w *world) spans(u chat.UserID) []hub.Span {
	w.t.Helper()
	spans, err := w.s.Spans(w.ctx, u)
	if err != nil {
		w.t.Fatalf("Spans: %v", err)
	}
	return spans
}
