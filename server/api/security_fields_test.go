package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"parley/app/chat"
)

// eventFields are all that an event says, by its kind. What is not here is nobody's to know.
var eventFields = map[string]string{
	"message":  "room seq from at nonce message.text",
	"edit":     "room seq from at nonce edit.seq edit.text",
	"delete":   "room seq from at nonce delete.seq",
	"member":   "room seq from at nonce member.user member.name member.state",
	"change":   "room seq from at nonce change.kind change.name change.topic",
	"read":     "room seq from at nonce read.room read.seq",
	"typing":   "room from at typing",
	"presence": "at presence.online presence.offline",
	"":         "room seq from at nonce", // deleted
}

// answerFields are all that an answer says beside events, by what was asked.
var answerFields = map[string]string{
	"GET /api/server":               "version setup node protocol head_up head_down",
	"GET /api/snapshot":             "you self cursor online users.id users.name users.owner rooms.id rooms.kind rooms.name rooms.topic rooms.creator rooms.members rooms.head rooms.read rooms.unread rooms.more",
	"GET /api/rooms":                "id kind name topic creator head size",
	"GET /api/rooms/{room}/events":  "more users.id users.name users.owner",
	"GET /api/rooms/{room}/digest":  "from to head count hash",
	"GET /api/sessions":             "id name token current created seen",
	"GET /api/chaos":                "",
	"GET /api/lab":                  "node cpu_ns heap goroutines ways.via ways.open ways.requests ways.writes ways.bytes ways.work_ns ways.goroutines ways.memory ways.redelivered",
	"GET /api/feed":                 "cursor",
	"POST /api/session":             "user.id user.name user.owner",
	"POST /api/tokens":              "id name token",
	"POST /api/invites":             "code url expires",
	"POST /api/rooms":               "id kind name topic creator members head read unread more",
	"POST /api/send":                "",
	"an error":                      "code message field max got retry_after_ms request_id",
	"a frame of a socket's answers": "cursor id error.code error.message error.field error.max error.got error.retry_after_ms error.request_id",
}

// A golden holds what came against the lists above.
type golden struct {
	*testing.T
	kinds map[string]bool // of the events that it saw
}

// answer fails for every field of raw that is not on the list of what was asked.
func (g golden) answer(what string, raw []byte) {
	g.Helper()
	allowed, listed := answerFields[what]
	if !listed {
		g.Errorf("%s is on no list of fields", what)
		return
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		g.Fatalf("%s: %v: %.200s", what, err, raw)
	}
	if what == "POST /api/send" {
		g.event(what, v.(map[string]any))
		return
	}
	for _, path := range g.walk(what, "", v) {
		if !slices.Contains(strings.Fields(allowed), path) {
			g.Errorf("%s says %s: %.300s", what, path, raw)
		}
	}
}

// walk lists the fields in v, lists taken as what is in them; events are held against their own lists.
func (g golden) walk(what, at string, v any) (paths []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			path := strings.TrimPrefix(at+"."+key, ".")
			switch list, ok := inner.([]any); {
			case key == "events" && ok:
				for _, e := range list {
					g.event(what, e.(map[string]any))
				}
			case key == "event":
				g.event(what, inner.(map[string]any))
			default:
				paths = append(paths, g.walk(what, path, inner)...)
			}
		}
		return paths
	case []any:
		for _, inner := range v {
			paths = append(paths, g.walk(what, at, inner)...)
		}
		return paths
	}
	return []string{at}
}

func (g golden) event(what string, e map[string]any) {
	kind := ""
	for k := range eventFields {
		if _, ok := e[k]; ok && k != "" {
			kind = k
		}
	}
	g.kinds[kind] = true
	allowed := strings.Fields(eventFields[kind])
	for key, v := range e {
		paths := []string{key}
		if m, ok := v.(map[string]any); ok && len(m) > 0 {
			paths = nil
			for inner := range m {
				paths = append(paths, key+"."+inner)
			}
		}
		for _, p := range paths {
			if !slices.Contains(allowed, p) {
				g.Errorf("%s: an event of kind %q says %s: %v", what, kind, p, e)
			}
		}
	}
}

// TestS24Fields: whatever is told on any way, to whoever reads there, has the fields of the list and no other. What
// two say to each other reaches those two.
func TestS24Fields(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		ben, late, eve := ana.guest("ben"), ana.guest("late"), ana.guest("eve")
		people := map[string]*visitor{"creator": ana, "member": ben, "newcomer": late, "stranger": eve, "program": ben.program()}
		cursor := ana.snapshot().Cursor
		room, direct := ana.makes(chat.Private, "den", ben), ana.makes(chat.Direct, "", ben)
		lines := map[string]line{}
		for who, v := range people {
			l, err := v.dial(via, cursor)
			must(t, err)
			defer l.close()
			lines[who] = l
		}
		said := ana.say(room, "one")
		for _, b := range []chat.Body{
			{Edit: &chat.Edit{Seq: said.Seq, Text: "two"}},
			{Change: &chat.Change{Kind: chat.Private, Name: "den", Topic: "a topic"}},
			{Member: &chat.Member{User: late.user.ID, State: chat.Joined}},
		} {
			ana.ask("POST", "/api/send", draft(room, b), nil)
		}
		ana.ask("POST", "/api/send", draft(ana.snapshot().Self, chat.Body{Read: &chat.Read{Room: room, Seq: said.Seq}}), nil)
		ana.ask("POST", "/api/send", chat.Draft{Room: room, Body: chat.Body{Typing: &chat.Typing{}}}, nil)
		ben.say(direct, "between two")
		ana.ask("POST", "/api/send", draft(room, chat.Body{Delete: &chat.Delete{Seq: said.Seq}}), nil)
		ana.say(w.room, "the end")
		want := map[string]string{
			"creator": "message edit delete member change read typing", "member": "message edit delete member change typing", "program": "message edit delete member change typing",
			"newcomer": "message delete member", "stranger": "message",
		}
		for who, l := range lines {
			g := golden{t, map[string]bool{}}
			seen := readGolden(g, l, "the end")
			for kind := range strings.FieldsSeq(want[who]) {
				if !g.kinds[kind] && kind != "edit" { // which a poll that comes after the deletion finds blank
					t.Errorf("%s was told of no %s", who, kind)
				}
			}
			for _, e := range seen {
				if e.Room == direct && (who == "newcomer" || who == "stranger") || e.Room == room && who == "stranger" {
					t.Errorf("%s was told %+v", who, e)
				}
				if e.Read != nil && who != "creator" {
					t.Errorf("%s was told what another has read: %+v", who, e)
				}
			}
			if s, ok := l.(*socket); ok {
				g.answer("a frame of a socket's answers", sentRaw(t, s, `{"id":1,"send":{"nonce":"n`+who+`","room":"`+string(room)+`","message":{"text":"x"}}}`))
				g.answer("a frame of a socket's answers", sentRaw(t, s, `{"id":2,"send":{}}`))
			}
		}
	})
}

// readGolden reads l to a message and holds everything against the lists.
func readGolden(g golden, l line, end string) (seen []chat.Event) {
	g.Helper()
	for {
		b, err := l.next()
		must(g, err)
		g.answer("GET /api/feed", l.raw())
		seen = append(seen, b.Events...)
		if slices.ContainsFunc(b.Events, told(end)) {
			return seen
		}
	}
}

func sentRaw(t *testing.T, s *socket, q string) []byte {
	t.Helper()
	s.ask(t, q)
	return s.last
}

// TestS24Answers: the same of every answer.
func TestS24Answers(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben := ana.guest("ben")
	room := ana.makes(chat.Private, "den", ben)
	ana.makes(chat.Public, "open")
	ben.say(room, "hello")
	g := golden{t, map[string]bool{}}
	for _, v := range []*visitor{ana, ben, ben.program(), w.visitor()} {
		for _, p := range w.api.Routes() {
			method, path, _ := strings.Cut(p, " ")
			if method != "GET" || !strings.HasPrefix(path, "/api/") {
				continue
			}
			a := v.do(v.request("GET", strings.ReplaceAll(path, "{room}", string(room))+"?via=poll", nil))
			if a.StatusCode != 200 {
				g.answer("an error", a.body)
				continue
			}
			g.answer(p, a.body)
		}
	}
	for p, body := range map[string]any{
		"POST /api/session": chat.SignIn{Name: "ana", Password: password}, "POST /api/tokens": chat.NewToken{Name: "bot"}, "POST /api/invites": nil,
		"POST /api/rooms": chat.NewRoom{Nonce: "n", Kind: chat.Private, Name: "x"}, "POST /api/send": message(room, "x"),
	} {
		method, path, _ := strings.Cut(p, " ")
		g.answer(p, ana.ask(method, path, body, nil).body)
		if body != nil {
			g.answer("an error", ana.do(ana.request(method, path, "{")).body)
		}
	}
}
