package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// An actor is who tries something in a room of ana's.
var actors = []string{"creator", "member", "ex-member", "stranger", "token of a member", "anonymous"}

// rooms are the kinds of room in which it is tried.
var kinds = []chat.RoomKind{chat.Public, chat.Private, chat.Direct, chat.Self}

// scene is one room and those who try.
type scene struct {
	*world
	kind   chat.RoomKind
	room   chat.RoomID
	people map[string]*visitor
	own    map[string]chat.Seq // a message of each who could write one
	victim chat.UserID         // a member whom others may try to send away
	outer  chat.UserID         // who is in no room of these
}

// newCast is those who try, in a world of their own.
func newCast(t *testing.T) *scene {
	w := newWorld(t)
	ana := w.owner()
	s := &scene{world: w, people: map[string]*visitor{"creator": ana, "anonymous": w.visitor()}}
	for _, name := range []string{"member", "ex-member", "stranger"} {
		s.people[name] = ana.guest(name)
	}
	s.people["token of a member"] = s.people["member"].program()
	s.victim, s.outer = ana.guest("victim").user.ID, ana.guest("outer").user.ID
	return s
}

// stage gives the cast a room, fresh where they could change who is in it, with a message of each
// who is, and once was.
func (s *scene) stage(kind chat.RoomKind) {
	ana, member, ex := s.people["creator"], s.people["member"].user.ID, s.people["ex-member"].user.ID
	s.kind, s.own = kind, map[string]chat.Seq{}
	n := chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: kind, Name: "room", Members: []chat.UserID{member, ex, s.victim}}
	if kind == chat.Direct {
		n.Name, n.Members = "", []chat.UserID{member, s.victim} // nobody can leave one
	}
	if kind == chat.Self {
		s.room = ana.snapshot().Self
	} else {
		var r chat.Room
		ana.ask("POST", "/api/rooms", n, &r)
		s.room = r.ID
	}
	for name, v := range s.people {
		var e chat.Event
		if a := v.do(v.request("POST", "/api/send", message(s.room, "mine"))); a.StatusCode == 200 {
			must(s.t, jsonOf(a, &e))
			s.own[name] = e.Seq
		}
	}
	if kind == chat.Public || kind == chat.Private {
		ana.ask("POST", "/api/send", member1(s.room, ex, chat.Left), nil)
	}
}

func member1(room chat.RoomID, u chat.UserID, state chat.MemberState) chat.Draft {
	return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Member: &chat.Member{User: u, State: state}}}
}

// actions are everything one can try with a room.
var actions = map[string]func(s *scene, v *visitor) *http.Request{
	"read": func(s *scene, v *visitor) *http.Request {
		return v.request("GET", "/api/rooms/"+string(s.room)+"/events", nil)
	},
	"compare": func(s *scene, v *visitor) *http.Request {
		return v.request("GET", "/api/rooms/"+string(s.room)+"/digest", nil)
	},
	"write": func(s *scene, v *visitor) *http.Request { return v.request("POST", "/api/send", message(s.room, "x")) },
	"type": func(s *scene, v *visitor) *http.Request {
		return v.request("POST", "/api/send", chat.Draft{Room: s.room, Body: chat.Body{Typing: &chat.Typing{}}})
	},
	"edit another's": func(s *scene, v *visitor) *http.Request {
		return v.request("POST", "/api/send", draft(s.room, chat.Body{Edit: &chat.Edit{Seq: s.others(v), Text: "x"}}))
	},
	"delete another's": func(s *scene, v *visitor) *http.Request {
		return v.request("POST", "/api/send", draft(s.room, chat.Body{Delete: &chat.Delete{Seq: s.others(v)}}))
	},
	"rename": func(s *scene, v *visitor) *http.Request {
		return v.request("POST", "/api/send", draft(s.room, chat.Body{Change: &chat.Change{Kind: s.kind, Name: "new"}}))
	},
	"change the kind": func(s *scene, v *visitor) *http.Request {
		kind := map[bool]chat.RoomKind{true: chat.Private, false: chat.Public}[s.kind == chat.Public]
		return v.request("POST", "/api/send", draft(s.room, chat.Body{Change: &chat.Change{Kind: kind, Name: "new"}}))
	},
	"bring someone": func(s *scene, v *visitor) *http.Request {
		return v.request("POST", "/api/send", member1(s.room, s.outer, chat.Joined))
	},
	"send someone out": func(s *scene, v *visitor) *http.Request {
		return v.request("POST", "/api/send", member1(s.room, s.victim, chat.Left))
	},
	"come in": func(s *scene, v *visitor) *http.Request {
		return v.request("POST", "/api/send", member1(s.room, s.me(v), chat.Joined))
	},
	"leave": func(s *scene, v *visitor) *http.Request {
		return v.request("POST", "/api/send", member1(s.room, s.me(v), chat.Left))
	},
	"mark read": func(s *scene, v *visitor) *http.Request {
		self := chat.NewID[chat.RoomID]()
		if v.user.ID != "" {
			self = v.snapshot().Self
		}
		return v.request("POST", "/api/send", draft(self, chat.Body{Read: &chat.Read{Room: s.room, Seq: 1}}))
	},
}

func draft(room chat.RoomID, b chat.Body) chat.Draft {
	return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: b}
}

func (s *scene) me(v *visitor) chat.UserID {
	if v.user.ID == "" {
		return s.outer
	}
	return v.user.ID
}

// others is a message that v did not write.
func (s *scene) others(v *visitor) chat.Seq {
	for name, seq := range s.own {
		if s.people[name].user.ID != v.user.ID {
			return seq
		}
	}
	return s.own["creator"] // in a self room, all is its owner's
}

// rights is the table: the status for each kind of room in the order of kinds, for each actor in
// the order of actors. Who may not see a room is told that it is not there.
var rights = map[string][4][6]int{
	//                  public                               private                              direct                               self
	"read":             {{200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 404, 404, 404, 404, 401}},
	"compare":          {{200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 404, 404, 404, 404, 401}},
	"write":            {{200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 404, 404, 404, 404, 401}},
	"type":             {{200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 404, 404, 404, 404, 401}},
	"edit another's":   {{403, 403, 404, 404, 403, 401}, {403, 403, 404, 404, 403, 401}, {403, 403, 404, 404, 403, 401}, {200, 404, 404, 404, 404, 401}},
	"delete another's": {{403, 403, 404, 404, 403, 401}, {403, 403, 404, 404, 403, 401}, {403, 403, 404, 404, 403, 401}, {200, 404, 404, 404, 404, 401}},
	"rename":           {{200, 403, 404, 404, 403, 401}, {200, 403, 404, 404, 403, 401}, {403, 403, 404, 404, 403, 401}, {403, 404, 404, 404, 404, 401}},
	"change the kind":  {{403, 403, 404, 404, 403, 401}, {403, 403, 404, 404, 403, 401}, {403, 403, 404, 404, 403, 401}, {403, 404, 404, 404, 404, 401}},
	"bring someone":    {{200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {403, 403, 404, 404, 403, 401}, {403, 404, 404, 404, 404, 401}},
	"send someone out": {{200, 403, 404, 404, 403, 401}, {200, 403, 404, 404, 403, 401}, {403, 403, 404, 404, 403, 401}, {403, 404, 404, 404, 404, 401}},
	"come in":          {{409, 409, 200, 200, 409, 401}, {409, 409, 404, 404, 409, 401}, {403, 403, 404, 404, 403, 401}, {403, 404, 404, 404, 404, 401}},
	"leave":            {{200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {403, 403, 404, 404, 403, 401}, {403, 404, 404, 404, 404, 401}},
	"mark read":        {{200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 200, 404, 404, 200, 401}, {200, 404, 404, 404, 404, 401}},
}

func TestS19Matrix(t *testing.T) {
	for action := range actions {
		if _, ok := rights[action]; !ok {
			t.Errorf("%s is in no row of the table", action)
		}
	}
	s := newCast(t)
	for action, row := range rights {
		for k, kind := range kinds {
			for a, who := range actors {
				s.stage(kind)
				v := s.people[who]
				if got := v.do(actions[action](s, v)); got.StatusCode != row[k][a] {
					t.Errorf("%s in %s by %s: %v, want %d", action, kind, who, got, row[k][a])
				}
			}
		}
	}
}

// TestS19EveryRoute: what no row above tries, is tried here: each route by each who may not.
func TestS19EveryRoute(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben := ana.guest("ben")
	open := map[string]bool{"POST /api/setup": true, "POST /api/signup": true, "POST /api/session": true,
		"GET /api/server": true, "POST /api/reports": true}
	people := map[string]bool{"DELETE /api/session": true, "POST /api/invites": true, "GET /api/sessions": true,
		"DELETE /api/sessions/{id}": true, "POST /api/tokens": true, "GET /api/chaos": true, "PUT /api/chaos": true,
		"GET /api/lab": true}
	bot := ben.program()
	for _, rt := range w.api.Routes() {
		method, path := "", ""
		_, err := fmt.Sscan(rt, &method, &path)
		must(t, err)
		if len(path) < 4 || path[:4] != "/api" || open[rt] {
			continue
		}
		nobody := w.visitor()
		if a := nobody.do(nobody.request(method, path, `{}`)); a.StatusCode != 401 {
			t.Errorf("%s by nobody: %v", rt, a)
		}
		if a := bot.do(bot.request(method, path, `{}`)); (a.StatusCode == 403) != people[rt] {
			t.Errorf("%s by a token: %v", rt, a)
		}
	}
	if a := ben.do(ben.request("POST", "/api/invites", nil)); a.StatusCode != 403 {
		t.Errorf("an invite by one who is not the owner: %v", a)
	}
}

func TestS20OthersIDs(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben, eve := ana.guest("ben"), ana.guest("eve")
	var secret, own chat.Room
	ben.ask("POST", "/api/rooms", chat.NewRoom{Nonce: "n", Kind: chat.Private, Name: "secret"}, &secret)
	eve.ask("POST", "/api/rooms", chat.NewRoom{Nonce: "n", Kind: chat.Private, Name: "own"}, &own)
	seq := ben.say(secret.ID, "hidden").Seq
	eve.say(own.ID, "mine")
	none := chat.NewID[chat.RoomID]()
	l, err := eve.dial(chat.WebSocket, "")
	must(t, err)
	defer l.close()
	s := l.(*socket)
	bodies := map[string]func(room chat.RoomID) chat.Draft{
		"write":  func(r chat.RoomID) chat.Draft { return message(r, "x") },
		"type":   func(r chat.RoomID) chat.Draft { return chat.Draft{Room: r, Body: chat.Body{Typing: &chat.Typing{}}} },
		"edit":   func(r chat.RoomID) chat.Draft { return draft(r, chat.Body{Edit: &chat.Edit{Seq: seq, Text: "x"}}) },
		"delete": func(r chat.RoomID) chat.Draft { return draft(r, chat.Body{Delete: &chat.Delete{Seq: seq}}) },
		"rename": func(r chat.RoomID) chat.Draft {
			return draft(r, chat.Body{Change: &chat.Change{Kind: chat.Private, Name: "x"}})
		},
		"join": func(r chat.RoomID) chat.Draft { return member1(r, eve.user.ID, chat.Joined) },
		"kick": func(r chat.RoomID) chat.Draft { return member1(r, ben.user.ID, chat.Left) },
		"read": func(r chat.RoomID) chat.Draft {
			return draft(eve.snapshot().Self, chat.Body{Read: &chat.Read{Room: r, Seq: 1}})
		},
	}
	for name, body := range bodies {
		// As to a POST, so on a socket: there, and not there, are the same to who may not see.
		post := func(r chat.RoomID) string {
			a := eve.do(eve.request("POST", "/api/send", body(r)))
			e := a.fault()
			e.RequestID = ""
			return fmt.Sprint(a.StatusCode, e)
		}
		ask := func(r chat.RoomID) string {
			d := body(r)
			f := s.ask(t, chat.Request{ID: 1, Send: &d})
			if f.Error == nil {
				return "no error"
			}
			return fmt.Sprint(f.Error.Code.Status(), *f.Error)
		}
		there, gone := post(secret.ID), post(none)
		if there != gone || there[:3] != "404" {
			t.Errorf("%s by POST: %s, not there: %s", name, there, gone)
		}
		if there, gone := ask(secret.ID), ask(none); there != gone || there[:3] != "404" {
			t.Errorf("%s by socket: %s, not there: %s", name, there, gone)
		}
	}
	same := func(what, a, b string) {
		t.Helper()
		x, y := eve.do(eve.request("GET", a, nil)), eve.do(eve.request("GET", b, nil))
		xe, ye := x.fault(), y.fault()
		xe.RequestID, ye.RequestID = "", ""
		if x.StatusCode != 404 || y.StatusCode != 404 || xe != ye {
			t.Errorf("%s: %v, not there: %v", what, x, y)
		}
	}
	same("history", "/api/rooms/"+string(secret.ID)+"/events", "/api/rooms/"+string(none)+"/events")
	same("digest", "/api/rooms/"+string(secret.ID)+"/digest?from=1", "/api/rooms/"+string(none)+"/digest?from=1")
	// An event of another room by its number, in a room that is one's own.
	if a := eve.do(eve.request("POST", "/api/send", draft(own.ID, chat.Body{Delete: &chat.Delete{Seq: 99}}))); a.StatusCode != 404 {
		t.Errorf("a message that is not there: %v", a)
	}
	var sessions []chat.Session
	ben.ask("GET", "/api/sessions", nil, &sessions)
	for _, id := range []string{sessions[0].ID, "X"} {
		if a := eve.do(eve.request("DELETE", "/api/sessions/"+id, nil)); a.StatusCode != 404 {
			t.Errorf("ending %q: %v", id, a)
		}
	}
	ben.snapshot() // is still signed in
	for _, via := range chat.Vias {
		l, err := eve.dial(via, eve.snapshot().Cursor)
		must(t, err)
		ben.say(secret.ID, "also hidden")
		eve.say(own.ID, "seen by "+string(via))
		seen, err := until(l, func(e chat.Event) bool { return e.Message != nil && e.Message.Text == "seen by "+string(via) })
		must(t, err)
		for _, e := range seen {
			if e.Room == secret.ID {
				t.Errorf("%s brought %+v", via, e)
			}
		}
		l.close()
	}
}

func TestS26MassAssignment(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	var i chat.Invite
	ana.ask("POST", "/api/invites", nil, &i)
	v := w.visitor()
	var acc chat.Account
	v.ask("POST", "/api/signup", `{"invite":"`+i.Code+`","name":"eve","password":"`+password+`","owner":true,"role":"owner","id":"`+string(ana.user.ID)+`","user":{"owner":true}}`, &acc)
	if acc.User.Owner || acc.User.ID == ana.user.ID {
		t.Errorf("signed up as %+v", acc.User)
	}
	if a := v.do(v.request("POST", "/api/invites", nil)); a.StatusCode != 403 {
		t.Errorf("the right of an owner: %v", a)
	}
	for name, more := range map[string]string{"from": `"from":"` + string(ana.user.ID) + `"`, "seq": `"seq":7000`, "at": `"at":"1999-01-01T00:00:00Z"`, "pos": `"pos":1`, "You": `"you":"x"`} {
		body := `{"nonce":"n-` + name + `","room":"` + string(w.room) + `","message":{"text":"x","from":"y","seq":9},` + more + `}`
		for how, got := range map[string]chat.Event{"POST": v.sent(body), "socket": v.sentBySocket(`{"id":1,"send":` + body + `,` + more + `}`)} {
			if got.From != acc.User.ID || got.Seq >= 7000 || got.At.Year() < 2020 {
				t.Errorf("%s by %s: %+v", name, how, got)
			}
		}
	}
	var room chat.Room
	v.ask("POST", "/api/rooms", `{"nonce":"r","kind":"private","name":"x","creator":"`+string(ana.user.ID)+`","id":"X","head":99}`, &room)
	if room.Creator != acc.User.ID || room.ID == "X" || room.Head > 5 {
		t.Errorf("made %+v", room)
	}
	want := []string{"x", "x", "x", "x", "x"}
	var h chat.History
	ana.ask("GET", "/api/rooms/"+string(w.room)+"/events", nil, &h)
	if d := cmp.Diff(want, texts(h.Events)); d != "" {
		t.Error(d)
	}
}

func (v *visitor) sent(body string) (e chat.Event) {
	v.t.Helper()
	v.ask("POST", "/api/send", body, &e)
	return e
}

func (v *visitor) sentBySocket(q string) chat.Event {
	v.t.Helper()
	l, err := v.dial(chat.WebSocket, "")
	must(v.t, err)
	defer l.close()
	f := l.(*socket).ask(v.t, q)
	if f.Event == nil {
		v.t.Fatalf("got %+v", f.Error)
	}
	return *f.Event
}

func TestS49TokenScope(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	bot := ana.program()
	for _, rt := range [][2]string{{"DELETE", "/api/session"}, {"GET", "/api/sessions"}, {"DELETE", "/api/sessions/X"}, {"POST", "/api/tokens"}, {"POST", "/api/invites"}} {
		if a := bot.do(bot.request(rt[0], rt[1], `{"name":"x"}`)); a.StatusCode != 403 {
			t.Errorf("%s %s: %v", rt[0], rt[1], a)
		}
	}
	bot.snapshot()
	bot.say(w.room, "hello")
	nobody := w.visitor()
	for _, where := range []string{"token", "access_token", "authorization", "bearer", "auth", "sid"} {
		for _, via := range chat.Vias {
			edit := func(q *http.Request) { q.URL.RawQuery += "&" + where + "=" + bot.token }
			if _, err := nobody.dial(via, "", edit); chat.CodeOf(err) != chat.CodeUnauthorized {
				t.Errorf("a token as %s in the address of %s: %v", where, via, err)
			}
		}
	}
}
