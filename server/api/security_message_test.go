package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// TestS25OthersMessages: only who wrote a message may change it, only a message, and only while in the room; by a
// POST and by a socket. What was refused changes nothing.
func TestS25OthersMessages(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben, eve := ana.guest("ben"), ana.guest("eve")
	room := ana.makes(chat.Public, "den", ben, eve)
	mine := ben.say(room, "mine").Seq
	edited := ben.say(room, "edited").Seq
	var edit chat.Event
	ben.ask("POST", "/api/send", draft(room, chat.Body{Edit: &chat.Edit{Seq: edited, Text: "better"}}), &edit)
	gone := ben.say(room, "gone").Seq
	ben.ask("POST", "/api/send", draft(room, chat.Body{Delete: &chat.Delete{Seq: gone}}), nil)
	before := w.dump()["events"]
	both := func(v *visitor, what string, b chat.Body, want int) {
		t.Helper()
		if a := v.do(v.request("POST", "/api/send", draft(room, b))); a.StatusCode != want {
			t.Errorf("%s by POST: %v, want %d", what, a, want)
		}
		l, err := v.dial(chat.WebSocket, "")
		must(t, err)
		defer l.close()
		d := draft(room, b)
		if f := l.(*socket).ask(t, chat.Request{ID: 1, Send: &d}); f.Error == nil || f.Error.Code.Status() != want {
			t.Errorf("%s by socket: %+v, want %d", what, f, want)
		}
	}
	for who, v := range map[string]*visitor{"the room's creator, who owns the server": ana, "a member": eve, "a member's program": eve.program()} {
		for _, seq := range []chat.Seq{mine, edited} {
			both(v, "an edit by "+who, chat.Body{Edit: &chat.Edit{Seq: seq, Text: "x"}}, 403)
			both(v, "a deletion by "+who, chat.Body{Delete: &chat.Delete{Seq: seq}}, 403)
		}
	}
	for what, seq := range map[string]chat.Seq{"how the room began": 1, "a membership": 2, "an edit": edit.Seq, "what was deleted": gone, "what is not there": 9_999} {
		both(ben, "an edit of "+what, chat.Body{Edit: &chat.Edit{Seq: seq, Text: "x"}}, 404)
		both(ben, "a deletion of "+what, chat.Body{Delete: &chat.Delete{Seq: seq}}, 404)
	}
	both(ben, "an edit of nothing", chat.Body{Edit: &chat.Edit{Text: "x"}}, 400)
	both(ben, "an edit to nothing", chat.Body{Edit: &chat.Edit{Seq: mine, Text: " \u200b"}}, 400)
	both(ben, "an edit beyond the bound", chat.Body{Edit: &chat.Edit{Seq: mine, Text: strings.Repeat("x", chat.MaxText+1)}}, 413)
	if d := cmp.Diff(before, w.dump()["events"]); d != "" {
		t.Error("what was refused changed the log:", d)
	}
	ben.ask("POST", "/api/send", member1(room, ben.user.ID, chat.Left), nil)
	both(ben, "an edit after leaving", chat.Body{Edit: &chat.Edit{Seq: mine, Text: "x"}}, 404)
	both(ben, "a deletion after leaving", chat.Body{Delete: &chat.Delete{Seq: mine}}, 404)
}

// TestS27Deleted: of what was deleted, and of its edits, everyone finds that it was there and nothing of what it said:
// on each way, from a cursor before it, from the tail in memory as from the log, in what is shown at first, in
// older pages, and to who sends it again.
func TestS27Deleted(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		ben := ana.guest("ben")
		early := ben.snapshot().Cursor
		first := message(w.room, "canary one")
		var said chat.Event
		ana.ask("POST", "/api/send", first, &said)
		change := draft(w.room, chat.Body{Edit: &chat.Edit{Seq: said.Seq, Text: "canary two"}})
		ana.ask("POST", "/api/send", change, nil)
		ana.ask("POST", "/api/send", draft(w.room, chat.Body{Delete: &chat.Delete{Seq: said.Seq}}), nil)
		ana.say(w.room, "the end")
		parts := strings.Split(string(early), ".")
		for where, from := range map[string]chat.Cursor{"what is in memory": early, "the log": chat.Cursor(parts[0] + ".0")} {
			l, err := ben.dial(via, from)
			must(t, err)
			blank := map[chat.Seq]bool{}
			for end := false; !end; {
				b, err := l.next()
				must(t, err)
				if strings.Contains(string(l.raw()), "canary") {
					t.Errorf("from %s: %.500s", where, l.raw())
				}
				for _, e := range b.Events {
					if e.Room == w.room && e.Blank() {
						blank[e.Seq] = true
					}
					end = end || told("the end")(e)
				}
			}
			l.close()
			if d := cmp.Diff(map[chat.Seq]bool{said.Seq: true, said.Seq + 1: true}, blank); d != "" {
				t.Errorf("from %s: what is blank: %s", where, d)
			}
		}
		late := ana.guest("late")
		for _, v := range []*visitor{ana, ben, late, ben.program()} {
			for path, body := range v.everything(w.room) {
				if strings.Contains(body, "canary") {
					t.Errorf("%s: %.500s", path, body)
				}
			}
		}
		for what, d := range map[string]chat.Draft{"it": first, "its edit": change} {
			a := ana.ask("POST", "/api/send", d, nil)
			if strings.Contains(string(a.body), "canary") {
				t.Errorf("sending %s again: %v", what, a)
			}
		}
		for table, rows := range w.dump() {
			if strings.Contains(fmt.Sprint(rows), "canary") {
				t.Errorf("the table %s has it still", table)
			}
		}
	})
}
