package api_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"nhooyr.io/websocket"

	"parley/app/chat"
	"parley/app/text/texttest"
)

// nasty is text that has done harm elsewhere.
var nasty = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, `javascript:alert(1)`, `</script><script>`,
	`<iframe srcdoc="<script>alert(1)</script>">`, `{{constructor.constructor('alert(1)')()}}`, `[x](javascript:alert(1))`, `![x](data:text/html,<script>)`,
	`' OR 1=1 --`, `'; DROP TABLE users; --`, `" OR ""="`, `%`, `_%`, `\'`, `*`, `NEAR(a b)`, `a AND b OR NOT c`, `"unclosed`, `(((`,
	"line\nbreak", "data: x\n\nevent: bye\ndata: {}", "x\u2028y\u2029z", "\x1b]52;c;eA==\x07", "\r\n\r\nHTTP/1.1 200 OK", "a\x00b", "\u202etxt", "%s%n%d",
}

func TestS30TextStaysText(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	page := ana.ask("GET", "/", nil, nil).body
	for _, text := range nasty {
		got := ana.say(w.room, text)
		if got.Message.Text != text {
			t.Errorf("%q became %q", text, got.Message.Text)
		}
		// A name may be refused, but what is kept is plain.
		name := chat.CleanName(text)
		var r chat.Room
		if a := ana.do(ana.request("POST", "/api/rooms", chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: chat.Private, Name: name})); a.StatusCode == 200 {
			must(t, jsonOf(a, &r))
			if strings.IndexFunc(r.Name, unicode.IsControl) >= 0 {
				t.Errorf("a room is named %q", r.Name)
			}
		}
		for _, path := range []string{"/api/rooms/" + string(w.room) + "/events", "/api/snapshot", "/api/feed?via=poll&after=" + strings.ReplaceAll(text, " ", "+"), "/" + strings.TrimLeft(text, "/")} {
			q := ana.request("GET", "/", nil)
			q.URL.Path, q.URL.RawQuery, _ = strings.Cut(path, "?")
			q.URL.RawQuery = strings.Map(func(r rune) rune {
				if r <= ' ' || r == '#' || r > '~' {
					return '+'
				}
				return r
			}, q.URL.RawQuery)
			a := ana.do(q)
			if kind := a.Header.Get("Content-Type"); a.StatusCode < 300 && path != "/" && !strings.HasPrefix(kind, "application/json") ||
				a.Header.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(string(a.body), "<script") {
				t.Errorf("%q is answered as %q: %.300s", path, kind, a.body)
			}
		}
	}
	if after := ana.ask("GET", "/", nil, nil).body; string(after) != string(page) {
		t.Error("what people write is in the page")
	}
	// On a stream, too, it is one line of data.
	l, err := ana.dial(chat.EventSource, "")
	must(t, err)
	defer l.close()
	for _, text := range append(texttest.Hostile(), nasty...) {
		ana.say(w.room, text)
		seen, err := until(l, func(e chat.Event) bool { return e.Message != nil })
		must(t, err)
		if got := seen[len(seen)-1].Message.Text; got != text {
			t.Errorf("%q came as %q", text, got)
		}
	}
}

func TestS31NoWayToAnotherSite(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	for _, path := range []string{"//evil.example/", "//evil.example/..", "/%2f%2fevil.example", "/\\evil.example", "///evil.example/a/../..", "/r//evil", "/web/..//evil.example", "/http://evil.example"} {
		a := v.do(v.request("GET", path, nil))
		if to := a.Header.Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, "/\\")) {
			t.Errorf("%s leads to %s", path, to)
		}
	}
}

func TestS33Queries(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ana.guest("ben")
	before := len(w.dump())
	for i, text := range append(nasty, strings.Repeat("x ", 10_000)) {
		v := w.visitor()
		if a := v.do(v.request("POST", "/api/session", chat.SignIn{Name: text, Password: text + "12345678"})); a.StatusCode != 401 && a.StatusCode != 429 && a.StatusCode != 400 {
			t.Errorf("signing in as %.40q: %v", text, a)
		}
		if a := v.do(v.request("POST", "/api/signup", chat.SignUp{Invite: text, Name: fmt.Sprint("eve", i), Password: password})); a.StatusCode != 410 && a.StatusCode != 429 {
			t.Errorf("the invite %.40q: %v", text, a)
		}
		for name, body := range map[string]any{
			"room":  message(chat.RoomID(text), "x"),
			"nonce": chat.Draft{Nonce: chat.Nonce(text), Room: w.room, Body: chat.Body{Message: &chat.Message{Text: "x"}}},
			"user":  member1(w.room, chat.UserID(text), chat.Joined),
		} {
			if a := ana.do(ana.request("POST", "/api/send", body)); a.StatusCode != 400 {
				t.Errorf("%s %.40q: %v", name, text, a)
			}
		}
		for _, param := range []string{"before", "limit"} {
			q := ana.request("GET", "/api/rooms/"+string(w.room)+"/events", nil)
			u := q.URL.Query()
			u.Set(param, text)
			q.URL.RawQuery = u.Encode()
			if a := ana.do(q); a.StatusCode != 400 && a.StatusCode != 431 {
				t.Errorf("%s %.40q: %v", param, text, a)
			}
		}
	}
	if after := len(w.dump()); after != before || before == 0 {
		t.Errorf("there were %d tables, now %d", before, after)
	}
}

// TestS33NoQueryIsPutTogether reads the store's source: what it asks the database is written there,
// not made from what people sent.
func TestS33NoQueryIsPutTogether(t *testing.T) {
	files, err := filepath.Glob("../sqlite/*.go")
	must(t, err)
	if len(files) < 5 {
		t.Fatalf("only %d files", len(files))
	}
	made := regexp.MustCompile("(?i)(Sprintf|Sprint|Appendf)\\([^)]*\\b(SELECT|INSERT|UPDATE|DELETE)\\b|[\"`]\\s*(SELECT|INSERT|UPDATE|DELETE)\\b[^\"`]*[\"`]\\s*\\+\\s*[a-z]+\\(")
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		if m := made.Find(b); m != nil {
			t.Errorf("%s: %s", f, m)
		}
	}
}

func TestS34LogLines(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	for _, text := range nasty {
		q := ana.request("GET", "/", nil)
		q.URL.Path, q.URL.RawQuery = "/"+text, "x="+strings.Map(func(r rune) rune {
			if r <= ' ' || r > '~' {
				return '+'
			}
			return r
		}, text)
		q.Header["User-Agent"] = []string{strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r == 0x7f {
				return '?' // which a client of Go's refuses to send; see below for one that does not
			}
			return r
		}, text)}
		ana.do(q)
	}
	q := ana.request("GET", "/", nil)
	q.Header.Set("User-Agent", strings.Repeat("x", 1<<20))
	if res, err := ana.client.Do(q); err == nil { // the server may cut it off before it is sent
		_ = res.Body.Close()
		if res.StatusCode != 431 {
			t.Errorf("a header of a MiB: %s", res.Status)
		}
	}
	w.raw("GET / HTTP/1.1\r\nHost: " + strings.TrimPrefix(w.base, "http://") + "\r\nUser-Agent: \x1b]52;c;eA==\x07\r\nConnection: close\r\n\r\n")
	lines := strings.Split(strings.TrimSuffix(w.log.String(), "\n"), "\n")
	if len(lines) < len(nasty) {
		t.Fatalf("only %d lines", len(lines))
	}
	for _, line := range lines {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil || len(line) > 4<<10 {
			t.Errorf("%d bytes, %v: %.200q", len(line), err, line)
		}
		if i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\u202e' }); i >= 0 || !utf8.ValidString(line) {
			t.Errorf("not plain at %d: %.200q", i, line)
		}
	}
}

func TestS52Bodies(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	bodies := map[string]struct {
		body string
		want int
	}{
		"too large":     {`{"nonce":"n","room":"` + string(w.room) + `","message":{"text":"x"},"pad":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
		"deep":          {strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000), 400},
		"33 deep":       {strings.Repeat(`[`, 33) + strings.Repeat("]", 33), 400},
		"twice":         {`{"nonce":"n","nonce":"m","room":"` + string(w.room) + `","message":{"text":"x"}}`, 400},
		"twice, nested": {`{"nonce":"n","room":"` + string(w.room) + `","message":{"text":"x","Text":"y"}}`, 400},
		"huge number":   {`{"nonce":"n","room":"` + string(w.room) + `","edit":{"seq":1e999,"text":"x"}}`, 400},
		"large number":  {`{"nonce":"n","room":"` + string(w.room) + `","edit":{"seq":99999999999999999999,"text":"x"}}`, 400},
		"not UTF-8":     {"{\"nonce\":\"n\",\"room\":\"" + string(w.room) + "\",\"message\":{\"text\":\"\xff\"}}", 400},
		"many keys":     {"{" + strings.Join(keys(1_001), ",") + "}", 400},
		"more after":    {`{} {}`, 400},
		"broken off":    {`{"nonce":`, 400},
		"nothing":       {``, 400},
		"null":          {`null`, 400},
		"array":         {`[]`, 400},
		"string":        {`"x"`, 400},
	}
	for name, c := range bodies {
		if a := ana.do(ana.request("POST", "/api/send", c.body)); a.StatusCode != c.want || a.fault().Message == "" {
			t.Errorf("%s: %v, want %d", name, a, c.want)
		}
		l, err := ana.dial(chat.WebSocket, "")
		must(t, err)
		s := l.(*socket)
		typ := websocket.MessageText
		err = s.c.Write(t.Context(), typ, []byte(`{"id":5,"send":`+c.body+`}`))
		for f := (chat.Frame{}); err == nil && f.Error == nil && f.Event == nil && f.ID == 0; {
			f, err = s.frame()
			if f.Event != nil || f.ID != 0 && f.Error == nil && name != "null" {
				t.Errorf("%s on a socket: %+v", name, f)
			}
		}
		if name == "too large" && websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("too large on a socket: %v", err)
		}
		s.close()
	}
	// At the bound, it goes.
	text := strings.Repeat("x", chat.MaxText)
	ana.say(w.room, text)
	if a := ana.do(ana.request("POST", "/api/send", message(w.room, text+"x"))); a.StatusCode != 413 || a.fault().Max != chat.MaxText || a.fault().Got != chat.MaxText+1 {
		t.Errorf("a letter more: %v", a)
	}
}

func keys(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf(`"k%d":1`, i))
	}
	return list
}

func TestS52Fragments(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	bot := ana.program()
	c := bot.open(chat.WebSocket, 1)[0]
	defer func() { _ = c.Close() }()
	// A message in 100,000 fragments of nothing, and then one of a byte too many.
	var b []byte
	b = append(b, 0x01, 0x80, 0, 0, 0, 0)
	for range 100_000 {
		b = append(b, 0x00, 0x80, 0, 0, 0, 0)
	}
	b = append(b, 0x00, 0x80|127)
	b = binary.BigEndian.AppendUint64(b, chat.MaxFrame+1)
	b = append(b, 0, 0, 0, 0)
	b = append(b, make([]byte, chat.MaxFrame+1)...)
	go func() { _, _ = c.Write(b) }() // which the server need not read to the end
	all, _ := io.ReadAll(c)           // it ends with the close frame, or a reset after it
	if !strings.Contains(string(all), "\x03\xf1") {
		t.Errorf("no close 1009 in %d bytes", len(all))
	}
	ana.snapshot() // everyone else goes on
}
