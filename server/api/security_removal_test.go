package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// makes is a new room of v's, with others in it.
func (v *visitor) makes(kind chat.RoomKind, name string, with ...*visitor) chat.RoomID {
	v.t.Helper()
	n := chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: kind, Name: name}
	for _, o := range with {
		n.Members = append(n.Members, o.user.ID)
	}
	var r chat.Room
	v.ask("POST", "/api/rooms", n, &r)
	return r.ID
}

// removals are the ways out of a room.
var removals = map[string]func(creator, gone *visitor, room chat.RoomID) chat.Event{
	"sent out": func(creator, gone *visitor, room chat.RoomID) (e chat.Event) {
		creator.ask("POST", "/api/send", member1(room, gone.user.ID, chat.Left), &e)
		return e
	},
	"left": func(_, gone *visitor, room chat.RoomID) (e chat.Event) {
		gone.ask("POST", "/api/send", member1(room, gone.user.ID, chat.Left), &e)
		return e
	},
}

// told reports whether e is the message of a text.
func told(text string) func(chat.Event) bool {
	return func(e chat.Event) bool { return e.Message != nil && e.Message.Text == text }
}

// TestS21Removal: who goes in the middle of a stream, or while a poll of theirs is held, while others write, reads
// up to the event of going and nothing after it.
func TestS21Removal(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		ben := ana.guest("ben")
		for how, remove := range removals {
			for _, kind := range []chat.RoomKind{chat.Public, chat.Private} {
				room := ana.makes(kind, "den", ben)
				l, err := ben.dial(via, ben.snapshot().Cursor)
				must(t, err)
				ana.say(room, "before")
				_, err = until(l, told("before"))
				must(t, err)
				var writing sync.WaitGroup
				for range 2 {
					writing.Go(func() {
						for range 20 {
							if _, err := w.hub.Send(t.Context(), ana.user.ID, message(room, "secret")); err != nil {
								t.Error(err)
							}
						}
					})
				}
				last := remove(ana, ben, room)
				writing.Wait()
				ana.say(room, "after")
				ana.ask("POST", "/api/send", chat.Draft{Room: room, Body: chat.Body{Typing: &chat.Typing{}}}, nil)
				ana.say(w.room, "elsewhere")
				seen, err := until(l, told("elsewhere"))
				must(t, err)
				l.close()
				var newest chat.Seq
				for _, e := range seen {
					if e.Room == room && (e.Signal() || e.Seq > last.Seq) {
						t.Errorf("%s of a %s room at %d: then came %+v", how, kind, last.Seq, e)
					}
					if e.Room == room {
						newest = max(newest, e.Seq)
					}
				}
				if newest != last.Seq {
					t.Errorf("%s of a %s room at %d: the last that came is %d", how, kind, last.Seq, newest)
				}
				if a := ben.do(ben.request("POST", "/api/send", message(room, "x"))); a.StatusCode != 404 {
					t.Errorf("%s of a %s room: and then writes: %v", how, kind, a)
				}
			}
		}
	})
}

// resume reads v's feed from a cursor until the message end, and returns the texts of a room, and all that came of it.
func (v *visitor) resume(via chat.Via, from chat.Cursor, room chat.RoomID, end string) (said []string, all []chat.Event) {
	v.t.Helper()
	l, err := v.dial(via, from)
	must(v.t, err)
	defer l.close()
	seen, err := until(l, told(end))
	must(v.t, err)
	for _, e := range seen {
		if e.Room == room {
			all = append(all, e)
		}
	}
	return texts(all), all
}

// TestS22OldCursors: a cursor says where, not what. From before a removal, from another account, or made up, it
// brings what its bearer may read, or a reset.
func TestS22OldCursors(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		ben, eve := ana.guest("ben"), ana.guest("eve")
		room := ana.makes(chat.Private, "den", ben)
		ana.say(room, "first")
		early := ben.snapshot().Cursor
		ana.say(room, "while in")
		out := removals["sent out"](ana, ben, room)
		ana.say(room, "hidden")
		late := ana.snapshot().Cursor
		ana.say(room, "hidden too")
		ana.say(w.room, "one")
		said, all := ben.resume(via, early, room, "one")
		if d := cmp.Diff([]string{"while in"}, said); d != "" || all[len(all)-1].Seq != out.Seq {
			t.Errorf("from before the removal: %s, the last is %+v", d, all[len(all)-1])
		}
		epoch, _, _ := strings.Cut(string(early), ".")
		begin := chat.Cursor(epoch + ".0")
		if said, all := ben.resume(via, late, room, "one"); len(all) != 0 {
			t.Errorf("from another's cursor: %q", said)
		}
		for _, from := range []chat.Cursor{early, late, begin} {
			if _, all := eve.resume(via, from, room, "one"); len(all) != 0 {
				t.Errorf("a stranger from %q: %+v", from, all)
			}
		}
		// Back again: what was said in between stays hidden.
		ana.ask("POST", "/api/send", member1(room, ben.user.ID, chat.Joined), nil)
		ana.say(room, "again")
		ana.say(w.room, "two")
		if said, _ := ben.resume(via, early, room, "two"); cmp.Diff([]string{"while in", "again"}, said) != "" {
			t.Errorf("after coming back: %q", said)
		}
		if said, _ := ben.resume(via, begin, room, "two"); cmp.Diff([]string{"first", "while in", "again"}, said) != "" {
			t.Errorf("from the beginning: %q", said)
		}
		boot := strings.Split(string(ana.snapshot().Cursor), ".")
		for _, forged := range []string{
			epoch + ".zzzzzz", epoch + ".1y2p0ij32e8e7", epoch + ".-1", epoch + ".01", epoch + ".1.2", epoch + ".1.x.-5", epoch + ".", epoch,
			"." + boot[1], "AAAA." + boot[1], strings.ToLower(epoch) + "." + boot[1], epoch + ".1%27--", epoch + ".1%00", strings.Repeat("9", 300), epoch + "." + strings.Repeat("z", 200),
		} {
			l, err := ben.dial(via, chat.Cursor(forged))
			if err == nil {
				_, err = l.next()
				l.close()
			}
			if !errors.Is(err, chat.ErrReset) {
				t.Errorf("%.40q: %v, want a reset", forged, err)
			}
		}
	})
}

// everything is what v is answered on every route that reads, made concrete for a room.
func (v *visitor) everything(room chat.RoomID) map[string]string {
	v.t.Helper()
	all := map[string]string{}
	for _, p := range v.api.Routes() {
		method, path, _ := strings.Cut(p, " ")
		if method != "GET" || !strings.HasPrefix(path, "/api/") || path == "/api/feed" {
			continue
		}
		path = strings.ReplaceAll(path, "{room}", string(room))
		a := v.do(v.request("GET", path, nil))
		all[path] = string(a.body)
		if strings.Contains(path, string(room)) && a.StatusCode == http.StatusNotFound {
			all[path] = "" // a refusal, which S20 compares with that of what is not there
		}
	}
	return all
}

// TestS23NothingAfterRemoval: no route tells one who was sent out anything of the room: not that it is there, what
// it is called, who is in it, what was said or how much of it is unread.
func TestS23NothingAfterRemoval(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben := ana.guest("ben")
	hall := ana.makes(chat.Private, "hall", ben)
	ben.ask("POST", "/api/send", member1(w.room, ben.user.ID, chat.Left), nil) // so that he knows carl from the one room alone
	carl := ana.guest("canary person")
	room := ana.makes(chat.Private, "canary room", ben, carl)
	ana.ask("POST", "/api/send", draft(room, chat.Body{Change: &chat.Change{Kind: chat.Private, Name: "canary room", Topic: "canary topic"}}), nil)
	carl.say(room, "canary text")
	for where, query := range map[string]string{"snapshot": "/api/snapshot", "history": "/api/rooms/" + string(room) + "/events"} {
		if body := string(ben.ask("GET", query, nil, nil).body); !strings.Contains(body, "canary text") {
			t.Fatalf("a member does not find the text in the %s: this test looks in the wrong place", where)
		}
	}
	cursor := ben.snapshot().Cursor
	removals["sent out"](ana, ben, room)
	carl.say(room, "canary later")
	for _, v := range []*visitor{ben, ben.program()} {
		for path, body := range v.everything(room) {
			for _, secret := range []string{"canary", string(room), string(carl.user.ID)} {
				if strings.Contains(body, secret) {
					t.Errorf("%s tells %q: %.2000s", path, secret, body)
				}
			}
		}
		for _, via := range chat.Vias {
			ana.say(hall, "end of "+string(via))
			_, all := v.resume(via, cursor, room, "end of "+string(via))
			for _, e := range all {
				if e.Message != nil || e.Member == nil || e.Member.User != ben.user.ID || e.Member.State != chat.Left {
					t.Errorf("%s brings %+v", via, e)
				}
			}
		}
	}
	for what, d := range map[string]chat.Draft{
		"marking it read": draft(ben.snapshot().Self, chat.Body{Read: &chat.Read{Room: room, Seq: 1}}),
		"typing":          {Room: room, Body: chat.Body{Typing: &chat.Typing{}}},
		"coming back":     member1(room, ben.user.ID, chat.Joined),
	} {
		if a := ben.do(ben.request("POST", "/api/send", d)); a.StatusCode != 404 {
			t.Errorf("%s: %v", what, a)
		}
	}
}

// TestS28HiddenRooms: the list of public rooms names no other, and ids are no way to find one.
func TestS28HiddenRooms(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben, eve := ana.guest("ben"), ana.guest("eve")
	hidden := map[string]chat.RoomID{"private": ana.makes(chat.Private, "canary", ben), "direct": ana.makes(chat.Direct, "", ben), "self": ana.snapshot().Self}
	open := ana.makes(chat.Public, "open to all")
	list := string(eve.ask("GET", "/api/rooms", nil, nil).body)
	if !strings.Contains(list, string(open)) || strings.Contains(list, "canary") {
		t.Errorf("a stranger is shown %s", list)
	}
	for kind, id := range hidden {
		for path, body := range eve.everything(id) {
			if strings.Contains(body, string(id)) || strings.Contains(body, "canary") {
				t.Errorf("%s tells of a %s room: %s", path, kind, body)
			}
		}
		// A letter off is as far away as any.
		near := id[:25] + map[bool]chat.RoomID{true: "B", false: "A"}[id[25] == 'A']
		for path := range map[string]bool{"/events": true, "/digest": true} {
			x, y := eve.do(eve.request("GET", "/api/rooms/"+string(id)+path, nil)), eve.do(eve.request("GET", "/api/rooms/"+string(near)+path, nil))
			xe, ye := x.fault(), y.fault()
			xe.RequestID, ye.RequestID = "", ""
			if x.StatusCode != 404 || y.StatusCode != 404 || xe != ye {
				t.Errorf("a %s room at %s: %v, one that is not there: %v", kind, path, x, y)
			}
		}
	}
	ids := map[string]bool{}
	for range 50 {
		id := string(ana.makes(chat.Private, "x"))
		if len(id) != 26 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" || ids[id[:8]] {
			t.Errorf("the id %q is not 130 random bits", id)
		}
		ids[id[:8]] = true
	}
}

// TestS29OwnersReadNoMore: owning the server is no right to read what people say in rooms that its owner is not in.
func TestS29OwnersReadNoMore(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben, eve := ana.guest("ben"), ana.guest("eve")
	for name, room := range map[string]chat.RoomID{"private": ben.makes(chat.Private, "canary", eve), "direct": ben.makes(chat.Direct, "", eve), "self": ben.snapshot().Self} {
		cursor := ana.snapshot().Cursor
		ben.say(room, "canary")
		for path, body := range ana.everything(room) {
			if strings.Contains(body, "canary") || strings.Contains(body, string(room)) {
				t.Errorf("%s: %s tells the owner: %s", name, path, body)
			}
		}
		for _, via := range chat.Vias {
			end := fmt.Sprint("end of ", name, " by ", via)
			ben.say(w.room, end)
			if _, all := ana.resume(via, cursor, room, end); len(all) > 0 {
				t.Errorf("%s: %s brings the owner %+v", name, via, all)
			}
		}
	}
}
