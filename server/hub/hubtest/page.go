package hubtest

import (
	"fmt"
	"testing"

	"parley/app/chat"
	"parley/server/hub"
)

func testPages(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	room := w.create(ana, chat.Private, ben)
	var group []hub.Append
	for i := range 60 {
		group = append(group, w.draft(ana, chat.Draft{Room: room, Body: message(fmt.Sprint(i))}))
	}
	w.group(group...)
	all := w.log()
	for _, limit := range []int{1, 7, 62, 63, 64, 1000} {
		same(t, "the history", events(all), w.history(ben, room, limit))
		same(t, "ben's log", all, w.logOf(ben, 0, limit))
	}
	for _, seq := range []chat.Seq{1, 2, 30, 63, 64, 1000} {
		page, err := w.s.Before(w.ctx, ben, room, seq, 5)
		if err != nil {
			t.Fatal(err)
		}
		to := min(int(seq)-1, len(all))
		from := max(0, to-5)
		same(t, fmt.Sprintf("the page before %d", seq), chat.History{Events: events(all[from:to]), More: from > 0}, page)
	}
	for _, pos := range []hub.Pos{0, 1, 30, 62, 63, 1000} {
		page, seen, err := w.s.AfterFor(w.ctx, ben, pos, 5)
		if err != nil {
			t.Fatal(err)
		}
		from := min(int(pos), len(all))
		to := min(from+5, len(all))
		same(t, fmt.Sprintf("what comes after %d", pos), all[from:to], page)
		if want := max(pos, hub.Pos(to)); seen != want {
			t.Fatalf("AfterFor(%d) looked to %d; want %d", pos, seen, want)
		}
	}
}

// testPagesOfOthers: what is not for a reader does not end their pages, nor slow
// them to a crawl: a page looks as far as it must.
func testPagesOfOthers(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	theirs, both := w.create(ana, chat.Private), w.create(ana, chat.Private, ben)
	for i := range 5 {
		var group []hub.Append
		for range 50 {
			group = append(group, w.draft(ana, chat.Draft{Room: theirs, Body: message("not for ben")}))
		}
		w.group(group...)
		w.say(ana, both, fmt.Sprint(i))
	}
	w.say(ana, theirs, "the end")
	var want []hub.Logged
	for _, l := range w.log() {
		if l.Event.Room == both {
			want = append(want, l)
		}
	}
	for _, limit := range []int{1, 3, 100} {
		same(t, "ben's log", want, w.logOf(ben, 0, limit))
	}
	page, seen, err := w.s.AfterFor(w.ctx, ben, want[len(want)-1].Pos, 10)
	head, _ := w.s.Head(w.ctx)
	if err != nil || len(page) != 0 || seen != head {
		t.Fatalf("AfterFor the last = %v, %d, %v; want nothing, as far as %d", page, seen, err, head)
	}
}

// testPagesOfGone: a page names those who wrote in it and have left, and nobody else.
func testPagesOfGone(t *testing.T, w *world) {
	ana, ben, cai := w.user("ana"), w.user("ben"), w.user("cai")
	room := w.create(ana, chat.Private, ben)
	w.say(ben, room, "I was here")
	w.send(ben, room, left(ben))
	gone, other := w.say(ana, room, "so he was"), w.create(cai, chat.Private)
	w.say(cai, other, "elsewhere")
	page, err := w.s.Before(w.ctx, ana, room, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "who is named", []chat.User{{ID: ben, Name: "ben"}}, page.Users)
	if page, err = w.s.Before(w.ctx, ana, room, gone.Seq+1, 1); err != nil || page.Users != nil {
		t.Fatalf("the page of ana alone names %v, %v", page.Users, err)
	}
}

// testManyRooms merges the logs of many rooms, one busy and the others not.
func testManyRooms(t *testing.T, w *world) {
	ana, ben := w.user("ana"), w.user("ben")
	var rooms []chat.RoomID
	for i := range 40 {
		if i%4 == 3 {
			w.create(ana, chat.Private)
			continue
		}
		rooms = append(rooms, w.create(ana, chat.Private, ben))
	}
	for i := range 40 {
		var group []hub.Append
		for j := range 8 {
			room := rooms[0]
			if j%2 == 0 {
				room = rooms[(i*7+j*5)%len(rooms)]
			}
			group = append(group, w.draft(ana, chat.Draft{Room: room, Body: message("text")}))
		}
		if i == 20 {
			group = append(group, w.draft(ben, chat.Draft{Room: rooms[3], Body: left(ben)}))
		}
		w.group(group...)
	}
	var want []hub.Logged
	spans := w.spans(ben)
	for _, l := range w.log() {
		for _, s := range spans {
			if s.Room == l.Event.Room && s.From <= l.Pos && (s.To == 0 || l.Pos < s.To) {
				want = append(want, l)
			}
		}
	}
	if len(want) < 300 || len(want) == len(w.log()) {
		t.Fatalf("%d of %d events are a poor test", len(want), len(w.log()))
	}
	for _, limit := range []int{1, 10, 33, 256} {
		same(t, "ben's log", want, w.logOf(ben, 0, limit))
	}
}
