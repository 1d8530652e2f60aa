package ui

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/text"
)

// view is a screen with something in every part.
func view() *model.View {
	ana := chat.User{ID: "ANAAAAAAAAAAAAAAAAAAAAAAAA", Name: "ana", Owner: true}
	ming := chat.User{ID: "MINGAAAAAAAAAAAAAAAAAAAAAA", Name: "小明"}
	people := []model.Person{{User: ana, Online: true}, {User: ming}}
	at := time.Date(2026, 3, 1, 14, 3, 0, 0, time.UTC)
	row := func(seq chat.Seq, u chat.User, s string) model.Row {
		return model.Row{Seq: seq, From: u.ID, Name: u.Name, Mine: u == ana, At: at, First: true, Text: s}
	}
	deleted := row(4, ming, "")
	deleted.Deleted = true
	failed := row(0, ana, "**refused**")
	failed.Nonce, failed.State, failed.Fault = "N1", model.Failed, chat.CodeForbidden
	const room = "ROOMAAAAAAAAAAAAAAAAAAAAAA"
	return &model.View{
		Session: model.SignedIn, Me: ana, People: people,
		Connection: model.Connection{Via: chat.WebSocket, State: model.Open, RTT: 12 * time.Millisecond, Choice: model.Choice{Auto: true}},
		Rooms:      []model.RoomItem{{ID: room, Kind: chat.Public, Name: "General", Current: true}, {ID: "DIRECTAAAAAAAAAAAAAAAAAAAA", Kind: chat.Direct, Name: "小明", Peer: ming.ID, Unread: 3}},
		Room: &model.RoomView{
			ID: room, Kind: chat.Public, Name: "General", Members: people, Head: 5, FirstNew: 3,
			Chunks: []model.Chunk{{Index: 0, Version: 1, Rows: []model.Row{
				{Kind: model.RowCreated, Seq: 1, Name: "ana", At: at}, {Kind: model.RowDay, Seq: 2, At: at}, row(2, ana, "hello"),
				{Kind: model.RowNew, Seq: 3, At: at}, row(3, ming, "你好 `x`"), deleted, {Kind: model.RowJoined, Seq: 5, User: "小明", By: "ana", At: at},
			}}},
			Pending: model.Chunk{Index: 1, Version: 1, Rows: []model.Row{failed}},
			Typing:  []string{"小明"},
		},
	}
}

// opened is a shell that shows v in a language, as it would in a browser.
func opened(v *model.View, lang string, at place) *shell {
	s := newShell(nil)
	s.w = wordsFor(lang)
	s.dates = newDates(s.w)
	s.view, s.place = v, at
	if v.Room != nil {
		s.asked = v.Room.ID
		s.members.see(v.Room.Members)
	}
	return s
}

// plain is what is written on the screen.
func plain(ui app.UI) string {
	s := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(app.HTMLString(ui), " ")
	return strings.Join(strings.Fields(html.UnescapeString(s)), " ")
}

// A row that can not be drawn says so in its place. (T24)
func TestFaultOfARow(t *testing.T) {
	for lang, want := range map[string]string{"en": "This message can't be shown.", "zh": "此消息无法显示。"} {
		s := opened(view(), lang, place{kind: atRoom, room: view().Room.ID})
		rows := s.view.Room.Chunks[0].Rows
		poison := &row{Row: rows[2], s: s}
		if got := plain(poison); !strings.Contains(got, "hello") {
			t.Fatalf("%s: the row was %q before", lang, got)
		}
		s.dates = nil // no time can be told
		poison = &row{Row: rows[2], s: s}
		if got := plain(poison); got != want {
			t.Errorf("%s: the row is %q", lang, got)
		}
		item := s.view.Rooms[0]
		item.LastAt = rows[2].At
		if got := plain(s.roomRow(item, false)); got != "General" {
			t.Errorf("%s: the row of its room is %q", lang, got)
		}
	}
}

// Every page of older events has the timeline look whether it needs the next, also one that changes nothing to be seen. (T24)
func TestPageOfNothingIsNoticed(t *testing.T) {
	s := opened(view(), "en", place{})
	before := s.timelineKey()
	s.view.Room.First--
	if s.timelineKey() == before {
		t.Error("it is not")
	}
}

func TestRoomIsShown(t *testing.T) {
	for lang, wants := range map[string][]string{
		"en": {"General", "hello", "你好", "Message deleted", "New", "ana added 小明", "Not sent: you can't post in this room.", "Retry", "小明 is writing…", "WebSocket", "12 ms", "Direct messages"},
		"zh": {"General", "消息已删除", "新消息", "ana 邀请 小明 加入了房间", "未发送：您没有在此房间发言的权限。", "重试", "小明 正在输入…", "私信"},
	} {
		got := plain(opened(view(), lang, place{kind: atRoom, room: view().Room.ID}))
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not on the screen:\n%s", lang, want, got)
			}
		}
	}
}

func TestWhatIsShownWhen(t *testing.T) {
	with := func(change func(*model.View)) *model.View {
		v := view()
		change(v)
		return v
	}
	for _, c := range []struct {
		name string
		v    *model.View
		at   place
		want string
	}{
		{"set up", with(func(v *model.View) { v.Session = model.SetUpNeeded }), place{}, "Set up your server"},
		{"set up by code", with(func(v *model.View) { v.Session = model.SetUpByCode }), place{}, "Setup code"},
		{"sign in", with(func(v *model.View) { v.Session = model.SignedOut }), place{}, "Welcome back"},
		{"an invite", with(func(v *model.View) { v.Session = model.SignedOut }), place{kind: atJoin, secret: "X"}, "Join the conversation"},
		{"an invite without a code", with(func(v *model.View) { v.Session = model.SignedOut }), place{kind: atJoin}, "Welcome back"},
		{"session ended", with(func(v *model.View) { v.Session = model.SessionEnded }), place{}, "You were signed out on this device."},
		{"short trouble", with(func(v *model.View) { v.Connection.State = model.Connecting }), place{}, "Connecting"},
		{"trouble", with(func(v *model.View) { v.Connection.State, v.Connection.Trouble = model.Connecting, true }), place{}, "Connection lost. Reconnecting"},
		{"offline", with(func(v *model.View) {
			v.Connection.State, v.Connection.Trouble, v.Connection.Outbox = model.Offline, true, 2
		}), place{}, "2 messages will be sent"},
		{"waiting", with(func(v *model.View) {
			v.Connection.State, v.Connection.Trouble, v.Connection.NextTry = model.Waiting, true, time.Now().Add(9*time.Second)
		}), place{}, "Try now"},
		{"catching up", with(func(v *model.View) { v.Connection.CatchUp = true }), place{}, "Catching up"},
		{"no such room", with(func(v *model.View) { v.Room = nil }), place{kind: atRoom, room: "X"}, "You are not in this room"},
		{"account", view(), place{kind: atSettings, page: "account"}, "Where you are signed in"},
		{"connection", view(), place{kind: atSettings, page: "connection"}, "Long polling"},
		{"appearance", view(), place{kind: atSettings, page: "appearance"}, "As the system"},
		{"language", view(), place{kind: atSettings, page: "language"}, "简体中文"},
		{"alone as the owner", with(func(v *model.View) { v.Room.Members, v.People = v.Room.Members[:1], v.People[:1] }), place{}, "Bring in the others"},
	} {
		if got := plain(opened(c.v, "en", c.at)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q is not on the screen:\n%s", c.name, c.want, got)
		}
	}
}

// TestS61PageIsTheSame: what the server draws depends on neither address nor person.
func TestS61PageIsTheSame(t *testing.T) {
	first := regexp.MustCompile(`data-pane="none"|class="[a-z -]*"`).FindAllString(app.HTMLString(newShell(nil)), -1)
	for range 3 {
		again := regexp.MustCompile(`data-pane="none"|class="[a-z -]*"`).FindAllString(app.HTMLString(newShell(nil)), -1)
		if d := cmp.Diff(len(first), len(again)); d != "" {
			t.Error(d)
		}
	}
	if got := plain(newShell(nil)); got != "" {
		t.Errorf("the page says %q before anybody is known", got)
	}
}

// TestS30OnlyOurElements: a message becomes elements of this list, whatever it says.
func TestS30OnlyOurElements(t *testing.T) {
	allowed := map[string]bool{"div": true, "p": true, "code": true, "pre": true, "em": true, "strong": true, "del": true, "a": true, "ul": true, "ol": true, "li": true, "blockquote": true, "hr": true}
	s := newShell(nil)
	for _, md := range []string{
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "![x](https://a.example/x.png)", "<https://a.example/\"onclick=\"alert(1)>",
		"# h\n> q\n\n- a\n  1. b\n\n```html\n<b>\n```\n\n---\n**b** *i* ~~s~~ `c` https://a.example", "`<svg onload=alert(1)>`", "```<script>\nx", "[a](https://a.example/'><img>)",
	} {
		page := app.HTMLString(app.Div().Body(s.message(text.Parse(md))...))
		for _, tag := range regexp.MustCompile(`<\s*([a-zA-Z0-9]+)`).FindAllStringSubmatch(page, -1) {
			if !allowed[tag[1]] {
				t.Errorf("%q makes a %s:\n%s", md, tag[1], page)
			}
		}
		for _, a := range regexp.MustCompile(`<a [^>]*>`).FindAllString(page, -1) {
			if !strings.Contains(a, `rel="noopener noreferrer nofollow"`) || !strings.Contains(a, `target="_blank"`) {
				t.Errorf("%q makes the link %s", md, a)
			}
		}
	}
}

func TestPlaceOf(t *testing.T) {
	const room = "ROOMAAAAAAAAAAAAAAAAAAAAAA"
	for addr, want := range map[string]place{
		"/": {}, "/r/" + room: {kind: atRoom, room: room}, "/r/" + room + "#people": {kind: atRoom, room: room, people: true}, "/r/ABC": {kind: atRoom},
		"/settings/abc": {kind: atSettings}, "/settings": {kind: atSettings}, "/settings/connection": {kind: atSettings, page: "connection"},
		"/join#CODE": {kind: atJoin, secret: "CODE"}, "/setup#K7QD-2M9F": {kind: atSetup, secret: "K7QD-2M9F"}, "/elsewhere": {kind: atRoom}, "/web/nothing": {kind: atRoom},
	} {
		u, err := url.Parse("http://localhost" + addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := placeOf(u); got != want {
			t.Errorf("%s is %+v, want %+v", addr, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"ana": "A", "Ana Bell": "AB", "ana b. chen": "AC", "小明": "小", "王 小明": "王", "x-y": "XY", "1st": "1", "": "\uFFFD", "☺": "☺"} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestDays(t *testing.T) {
	now := time.Date(2026, 3, 2, 0, 30, 0, 0, time.Local)
	for ago, want := range map[time.Duration]int{0: 0, 29 * time.Minute: 0, 31 * time.Minute: 1, 25 * time.Hour: 2} {
		if got := days(now.Add(-ago), now); got != want {
			t.Errorf("%v before %v is %d days, want %d", ago, now, got, want)
		}
	}
}

func TestNeighbour(t *testing.T) {
	v := view()
	v.Rooms = []model.RoomItem{{ID: "A"}, {ID: "B"}, {ID: "C", Unread: 1}}
	s := opened(v, "en", place{})
	for _, c := range []struct {
		at     chat.RoomID
		step   int
		unread bool
		want   string
	}{{"A", 1, false, "/r/B"}, {"A", 1, true, "/r/C"}, {"A", -1, false, ""}, {"C", 1, false, ""}, {"C", -1, false, "/r/B"}, {"", 1, false, "/r/A"}, {"", -1, false, "/r/C"}} {
		s.asked = c.at
		if got := s.neighbour(c.step, c.unread); got != c.want {
			t.Errorf("from %q by %d (unread %v): %q, want %q", c.at, c.step, c.unread, got, c.want)
		}
	}
}

// A message that waits for space on the server says so, and not that a connection is missing.
func TestWaitsForSpace(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		r := &row{s: opened(view(), lang, place{}), Row: model.Row{Mine: true, State: model.Queued}}
		if got, want := r.stateWord(), ", "+r.s.w.Row.Queued; got != want {
			t.Errorf("without a connection it says %q; want %q", got, want)
		}
		r.Row.Fault = chat.CodeStorageFull
		if got, want := r.stateWord(), ", "+r.s.w.Fault.StorageFull; got != want {
			t.Errorf("without space it says %q; want %q", got, want)
		}
	}
}
