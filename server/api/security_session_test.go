package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"nhooyr.io/websocket"

	"parley/app/chat"
	"parley/server/api"
)

// cookie is the session that v shows.
func (v *visitor) cookie() *http.Cookie {
	v.t.Helper()
	q := v.request("GET", "/", nil)
	list := v.client.Jar.Cookies(q.URL)
	if len(list) != 1 {
		v.t.Fatalf("%d cookies", len(list))
	}
	return list[0]
}

func TestS08Fixation(t *testing.T) {
	w := newWorld(t)
	w.owner()
	v := w.visitor()
	q := v.request("POST", "/api/session", chat.SignIn{Name: "ana", Password: password})
	name := "sid" + q.URL.Port()
	q.AddCookie(&http.Cookie{Name: name, Value: "planted"})
	if a := v.do(q); a.StatusCode != 200 {
		t.Fatal(a)
	}
	first := v.cookie().Value
	if first == "planted" {
		t.Fatal("the planted value became the session")
	}
	v.ask("POST", "/api/session", chat.SignIn{Name: "ana", Password: password}, nil)
	if v.cookie().Value == first {
		t.Error("signing in again kept the session")
	}
	old := w.visitor()
	q = old.request("GET", "/api/snapshot", nil)
	q.AddCookie(&http.Cookie{Name: name, Value: first})
	if a := old.do(q); a.StatusCode != 401 {
		t.Errorf("the session of before: %v", a)
	}
}

func TestS09SecretsAtRest(t *testing.T) {
	w := newWorld(t)
	code, err := w.accounts.NewCode(t.Context())
	must(t, err)
	ana := w.owner()
	bot := ana.program()
	var invite chat.Invite
	ana.ask("POST", "/api/invites", nil, &invite)
	for _, via := range chat.Vias {
		l, err := bot.dial(via, "")
		must(t, err)
		l.close()
	}
	v := w.visitor()
	v.do(v.request("POST", "/api/session", chat.SignIn{Name: "ana", Password: "a wrong password"}))
	v.do(v.request("GET", "/api/snapshot?token="+bot.token+"&password="+password, nil))
	secrets := map[string]string{"session": ana.cookie().Value, "token": bot.token, "invite": invite.Code,
		"set-up code": code, "password": password, "wrong password": "a wrong password"}
	files, err := filepath.Glob(filepath.Join(w.dir, "*"))
	must(t, err)
	if len(files) < 2 {
		t.Fatalf("files: %q", files)
	}
	kept := map[string][]byte{"the log": []byte(w.log.String())}
	for _, f := range files {
		kept[f], err = os.ReadFile(f)
		must(t, err)
	}
	for where, b := range kept {
		for what, secret := range secrets {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s is in %s", what, where)
			}
		}
	}
	if !strings.Contains(w.log.String(), `"route":"GET /api/snapshot"`) {
		t.Error("the log does not have the request that was looked for in it")
	}
}

// endings are ways in which v's session may end, each of another kind.
var endings = map[string]func(w *world, v, other *visitor){
	"signed out": func(_ *world, v, _ *visitor) { v.ask("DELETE", "/api/session", nil, nil) },
	"revoked by another session": func(_ *world, v, other *visitor) {
		var list []chat.Session
		v.ask("GET", "/api/sessions", nil, &list)
		for _, s := range list {
			if s.Current {
				other.ask("DELETE", "/api/sessions/"+s.ID, nil, nil)
			}
		}
	},
	"pushed out by newer ones": func(w *world, _, _ *visitor) {
		for range 20 {
			n := w.visitor()
			n.ask("POST", "/api/session", chat.SignIn{Name: "ben", Password: password}, nil)
		}
	},
	"expired": func(w *world, _, _ *visitor) {
		w.now.advance(91 * 24 * time.Hour)
		must(w.t, w.accounts.Tend(w.t.Context()))
	},
}

func TestS10StreamsEndWithTheSession(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			for ground, set := range grounds {
				t.Run(ground, func(t *testing.T) {
					t.Parallel()
					set.api = func(o *api.Options) { o.Hold = time.Minute }
					w := newWorld(t, set)
					ben := w.owner().guest("ben")
					other := w.visitor()
					other.ask("POST", "/api/session", chat.SignIn{Name: "ben", Password: password}, nil)
					cursor := ben.snapshot().Cursor
					var lines []line
					ended := make(chan error, len(chat.Vias))
					for _, via := range chat.Vias {
						if via == chat.Poll { // has nothing open
							continue
						}
						if via != chat.LongPoll {
							l, err := ben.dial(via, cursor)
							must(t, err)
							lines = append(lines, l)
							go func() { _, err := until(l, func(chat.Event) bool { return false }); ended <- err }()
							continue
						}
						go func() {
							for after := cursor; ; {
								l, err := ben.dial(via, after)
								if err != nil {
									ended <- err
									return
								}
								b, _ := l.next() // it holds one
								after = b.Cursor
							}
						}()
					}
					w.eventually(func() bool { return w.accounts.Live.Len() == 3 })
					end(w, ben, other)
					began := time.Now()
					for range 3 {
						select {
						case err := <-ended:
							if !errors.Is(err, chat.ErrUnauthorized) {
								t.Errorf("a stream ended with %v", err)
							}
						case <-time.After(patience):
							t.Fatal("a stream goes on")
						}
					}
					t.Logf("all ended after %v", time.Since(began)) // 250 ms are promised; a loaded machine may take longer
					for _, via := range chat.Vias {
						if _, err := ben.dial(via, cursor); !errors.Is(err, chat.ErrUnauthorized) {
							t.Errorf("%s afterwards: %v", via, err)
						}
					}
					for _, l := range lines {
						l.close()
					}
				})
			}
		})
	}
}

// A socket whose session is over is heeded no more: nothing is said by it once the end has been answered.
func TestS10SocketIsHeededNoMore(t *testing.T) {
	for ground, set := range grounds {
		t.Run(ground, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, set)
			ana := w.owner()
			bot := ana.program()
			l, err := bot.dial(chat.WebSocket, bot.snapshot().Cursor)
			must(t, err)
			defer l.close()
			ana.revokeTokens()
			for n := range 50 {
				d := message(w.room, fmt.Sprint("after the end ", n))
				b, err := json.Marshal(chat.Request{ID: int64(n + 1), Send: &d})
				must(t, err)
				if l.(*socket).c.Write(t.Context(), websocket.MessageText, b) != nil {
					break
				}
			}
			_, err = until(l, func(chat.Event) bool { return false }) // until it is closed
			if !errors.Is(err, chat.ErrUnauthorized) {
				t.Errorf("the socket ended with %v", err)
			}
			var h chat.History
			ana.ask("GET", "/api/rooms/"+string(w.room)+"/events", nil, &h)
			for _, e := range h.Events {
				if e.Message != nil {
					t.Errorf("%q was taken from a token that had been revoked", e.Message.Text)
				}
			}
		})
	}
}

func TestS10WrongCredentials(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	bot := ana.program()
	sid := ana.cookie()
	show := map[string]func(*http.Request){
		"nothing":                  func(*http.Request) {},
		"rubbish cookie":           func(q *http.Request) { q.AddCookie(&http.Cookie{Name: sid.Name, Value: "rubbish"}) },
		"token as cookie":          func(q *http.Request) { q.AddCookie(&http.Cookie{Name: sid.Name, Value: bot.token}) },
		"session as bearer":        func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+sid.Value) },
		"rubbish bearer":           func(q *http.Request) { q.Header.Set("Authorization", "Bearer parley_rubbish") },
		"basic":                    func(q *http.Request) { q.Header.Set("Authorization", "Basic "+bot.token) },
		"two bearers":              func(q *http.Request) { q.Header["Authorization"] = []string{"Bearer " + bot.token, "Bearer x"} },
		"bad bearer, good cookie":  func(q *http.Request) { q.AddCookie(sid); q.Header.Set("Authorization", "Bearer x") },
		"session of another name":  func(q *http.Request) { q.AddCookie(&http.Cookie{Name: "__Host-sid", Value: sid.Value}) },
		"token with a byte more":   func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+bot.token+"A") },
		"token with other letters": func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+strings.ToLower(bot.token)) },
	}
	for name, edit := range show {
		v := w.visitor()
		for _, via := range chat.Vias {
			if _, err := v.dial(via, "", edit); !errors.Is(err, chat.ErrUnauthorized) {
				t.Errorf("%s by %s: %v", name, via, err)
			}
		}
		q := v.request("GET", "/api/snapshot", nil)
		edit(q)
		if a := v.do(q); a.StatusCode != 401 {
			t.Errorf("%s: %v", name, a)
		}
	}
}

// from makes requests look as if they came from an address, to a server that trusts its proxy.
func from(ip string) func(*http.Request) {
	return func(q *http.Request) { q.Header.Set("X-Forwarded-For", ip) }
}

func (v *visitor) signIn(ip, name, pass string) answer {
	q := v.request("POST", "/api/session", chat.SignIn{Name: name, Password: pass})
	from(ip)(q)
	return v.do(q)
}

var behindProxy = setting{api: func(o *api.Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }}

func TestS11Guessing(t *testing.T) {
	w := newWorld(t, behindProxy)
	w.owner()
	v := w.visitor()
	count := func(tries int, ip, name func(i int) string) (allowed int) {
		for i := range tries {
			a := v.signIn(ip(i), name(i), "a wrong password")
			switch {
			case a.StatusCode == 401:
				allowed++
			case a.StatusCode != 429 || a.fault().RetryAfterMS < 1 || a.Header.Get("Retry-After") == "":
				t.Fatalf("try %d: %v", i, a)
			}
		}
		return allowed
	}
	one := func(s string) func(int) string { return func(int) string { return s } }
	many := func(before string) func(int) string {
		return func(i int) string { return before + string(rune('a'+i/26%26)) + string(rune('a'+i%26)) }
	}
	ips := func(i int) string { return netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}).String() }

	if n := count(100, one("10.0.0.1"), one("ana")); n != 5 {
		t.Errorf("%d tries of one name from one address", n)
	}
	if a := v.signIn("10.0.0.1", "ana", password); a.StatusCode != 429 {
		t.Errorf("even the right password: %v", a)
	}
	if a := v.signIn("10.0.0.2", "ana", password); a.StatusCode != 200 {
		t.Errorf("the right password from elsewhere: %v", a)
	}
	if n := count(100, one("10.0.0.3"), many("x")); n != 30 {
		t.Errorf("%d tries of many names from one address", n)
	}
	w.now.advance(16 * time.Minute)
	if a := v.signIn("10.0.0.1", "ana", password); a.StatusCode != 200 {
		t.Errorf("after the time: %v", a)
	}
	if n := count(400, ips, many("y")); n != 300 {
		t.Errorf("%d tries from everywhere", n)
	}
}

// TestS66WhoSaysWhereFrom: a header is believed from a proxy that is trusted, and from no one else.
func TestS66WhoSaysWhereFrom(t *testing.T) {
	for name, c := range map[string]struct {
		set     setting
		forward func(i int) string
		want    int
	}{
		"not trusted":            {setting{}, func(i int) string { return fmt.Sprint("10.0.0.", i) }, 5},
		"trusted":                {behindProxy, func(i int) string { return fmt.Sprint("10.0.0.", i) }, 20},
		"trusted, what is first": {behindProxy, func(i int) string { return fmt.Sprint("10.0.0.", i, ", 192.0.2.1") }, 5},
		"trusted, two proxies":   {behindProxy, func(i int) string { return fmt.Sprint("10.0.0.", i, ", 127.0.0.9") }, 20},
		"trusted, rubbish":       {behindProxy, func(i int) string { return fmt.Sprint("x", i) }, 5},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.set)
			w.owner()
			v := w.visitor()
			allowed := 0
			for i := range 20 {
				if v.signIn(c.forward(i), "ana", "a wrong password").StatusCode == 401 {
					allowed++
				}
			}
			if allowed != c.want {
				t.Errorf("%d tries, want %d", allowed, c.want)
			}
		})
	}
	w := newWorld(t)
	w.owner()
	v := w.visitor()
	q := v.request("POST", "/api/session", chat.SignIn{Name: "ana", Password: password})
	q.Header.Set("X-Forwarded-Proto", "https")
	if a := v.do(q); a.StatusCode != 200 || a.Cookies()[0].Secure {
		t.Errorf("by the word of nobody: %v %v", a, a.Cookies())
	}
}

func TestS12WhoExists(t *testing.T) {
	w := newWorld(t)
	w.owner()
	try := func(name string) (a answer, hashes uint64) {
		v := w.visitor()
		before := w.accounts.Hashes()
		a = v.do(v.request("POST", "/api/session", chat.SignIn{Name: name, Password: "a wrong password"}))
		return a, w.accounts.Hashes() - before
	}
	known, work := try("ana")
	for _, name := range []string{"nobody", "Ana ", "", "\u202eana", strings.Repeat("x", 10_000)} {
		unknown, unknownWork := try(name)
		if unknown.StatusCode != known.StatusCode || unknown.fault().Message != known.fault().Message || unknown.fault().Code != known.fault().Code {
			t.Errorf("%.20q: %v, a user: %v", name, unknown, known)
		}
		// The hash is what takes the time; its parameters are the same for those who do not exist.
		if unknownWork != work || work != 1 {
			t.Errorf("%.20q: %d hashes, a user: %d", name, unknownWork, work)
		}
		known.Header.Set("Content-Length", unknown.Header.Get("Content-Length"))
		unknown.Header.Set("Date", known.Header.Get("Date"))
		if d := cmp.Diff(known.Header, unknown.Header); d != "" {
			t.Errorf("%.20q: headers: %s", name, d)
		}
	}
}

// TestS13Passwords: what is too long, or no text, is refused before it costs anything; what is odd is a password
// like any other.
func TestS13Passwords(t *testing.T) {
	w := newWorld(t)
	w.owner()
	v := w.visitor()
	before := w.accounts.Hashes()
	long := strings.Repeat("x", 1_025)
	for _, c := range []struct {
		path string
		body any
		want int
	}{
		{"/api/session", chat.SignIn{Name: "ana", Password: long}, 400},
		{"/api/session", chat.SignIn{Name: "ana", Password: strings.Repeat("x", 1<<20)}, 413},
		{"/api/session", "{\"name\":\"ana\",\"password\":\"\xff\xfe12345678\"}", 400},
		{"/api/signup", chat.SignUp{Name: "eve", Password: long}, 400},
		{"/api/signup", chat.SignUp{Name: "eve", Password: "short"}, 400},
		{"/api/signup", chat.SignUp{Name: "eve", Password: "Password123"}, 400},
		{"/api/signup", chat.SignUp{Name: "eve maria", Password: "Eve Maria"}, 400},
	} {
		if a := v.do(v.request("POST", c.path, c.body)); a.StatusCode != c.want {
			t.Errorf("%s: %v, want %d", c.path, a, c.want)
		}
	}
	if n := w.accounts.Hashes() - before; n != 0 {
		t.Errorf("%d hashes", n)
	}
	for i, odd := range []string{"a\x00b 12345", "\u202ek7 xq 45", strings.Repeat("漢字密码", 85), strings.Repeat("x7 q", 256), "e\u0301 éé 1234"} {
		name := fmt.Sprint("odd ", i)
		_, err := w.accounts.Add(t.Context(), name, odd, false)
		must(t, err)
		if a := v.do(v.request("POST", "/api/session", chat.SignIn{Name: name, Password: odd})); a.StatusCode != 200 {
			t.Errorf("%q: %v", odd, a)
		}
		if a := v.do(v.request("POST", "/api/session", chat.SignIn{Name: name, Password: odd[:len(odd)-1] + "!"})); a.StatusCode == 200 {
			t.Errorf("%q with another end: %v", odd, a)
		}
	}
}

// TestS16Sessions: one sees and ends one's own sessions and nobody else's, without learning what opens them. The
// twenty-first ends the oldest.
func TestS16Sessions(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben := ana.guest("ben")
	secrets := []string{ben.cookie().Value}
	others := []*visitor{ben}
	for range 20 {
		w.now.advance(time.Second)
		v := w.visitor()
		v.ask("POST", "/api/session", chat.SignIn{Name: "ben", Password: password}, nil)
		v.user = ben.user
		others, secrets = append(others, v), append(secrets, v.cookie().Value)
	}
	if a := ben.do(ben.request("GET", "/api/snapshot", nil)); a.StatusCode != 401 {
		t.Errorf("the oldest of 21: %v", a)
	}
	self, second := others[20], others[19]
	bot := self.program()
	secrets = append(secrets, bot.token)
	var list []chat.Session
	a := self.ask("GET", "/api/sessions", nil, &list)
	tokens, current := 0, 0
	for _, s := range list {
		if s.Token {
			tokens++
		}
		if s.Current {
			current++
		}
	}
	if len(list) != 21 || tokens != 1 || current != 1 {
		t.Errorf("%d sessions, %d tokens, %d current", len(list), tokens, current)
	}
	for _, s := range secrets {
		if bytes.Contains(a.body, []byte(s)) {
			t.Error("a secret is in the list of sessions")
		}
	}
	var hers []chat.Session
	ana.ask("GET", "/api/sessions", nil, &hers)
	if len(hers) != 1 {
		t.Errorf("another account lists %d sessions", len(hers))
	}
	for _, s := range list { // everything but this one
		if a := ana.do(ana.request("DELETE", "/api/sessions/"+s.ID, nil)); a.StatusCode != 404 {
			t.Errorf("ended by another account: %v", a)
		}
		if !s.Current {
			self.ask("DELETE", "/api/sessions/"+s.ID, nil, nil)
			if a := self.do(self.request("DELETE", "/api/sessions/"+s.ID, nil)); a.StatusCode != 404 {
				t.Errorf("ended twice: %v", a)
			}
		}
	}
	for _, v := range []*visitor{second, bot} {
		for _, via := range chat.Vias {
			if _, err := v.dial(via, ""); !errors.Is(err, chat.ErrUnauthorized) {
				t.Errorf("%s after it was ended: %v", via, err)
			}
		}
	}
	self.snapshot()
}

// TestS14Invites: an invite is for several people and seven days, and is nothing to anyone without all of its letters. Its
// code is in the part of the address that browsers do not send.
func TestS14Invites(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	var i chat.Invite
	ana.ask("POST", "/api/invites", nil, &i)
	if before, after, ok := strings.Cut(i.URL, "#"); !ok || after != i.Code || strings.Contains(before, i.Code) {
		t.Errorf("the link is %s", i.URL)
	}
	in := func(code, name string) answer {
		v := w.visitor()
		return v.do(v.request("POST", "/api/signup", chat.SignUp{Invite: code, Name: name, Password: password}))
	}
	for n, bad := range []string{"", i.Code[1:], i.Code + "A", strings.ToLower(i.Code), i.Code + " ", i.URL, ana.cookie().Value} {
		if a := in(bad, fmt.Sprint("bad ", n)); a.StatusCode != 410 {
			t.Errorf("%q: %v", bad, a)
		}
		if a := in(bad, "ana"); a.StatusCode != 410 { // nor does it tell who is there
			t.Errorf("%q with a name that is taken: %v", bad, a)
		}
	}
	if a := in(i.Code, "ben"); a.StatusCode != 200 {
		t.Errorf("the first: %v", a)
	}
	if a := in(i.Code, "carl"); a.StatusCode != 200 {
		t.Errorf("the second: %v", a)
	}
	w.now.advance(7*24*time.Hour - time.Minute)
	if a := in(i.Code, "dora"); a.StatusCode != 200 {
		t.Errorf("a minute before its end: %v", a)
	}
	w.now.advance(2 * time.Minute)
	if a := in(i.Code, "eve"); a.StatusCode != 410 {
		t.Errorf("a minute after its end: %v", a)
	}
}

// eventually waits until something is so.
func (w *world) eventually(so func() bool) {
	w.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !so() {
		select {
		case <-tick.C:
		case <-late:
			w.t.Fatal("it never came to pass")
		}
	}
}

// TestS35Impersonation: by invite nobody takes a name that looks like another's, or like the server's; the invite is not
// used up by it. What is taken is not told to those without an invite.
func TestS35Impersonation(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ana.guest("Mark")
	var i chat.Invite
	ana.ask("POST", "/api/invites", nil, &i)
	v := w.visitor()
	in := func(code, name string) int {
		w.now.advance(16 * time.Minute) // past the throttle
		return v.do(v.request("POST", "/api/signup", chat.SignUp{Invite: code, Name: name, Password: password})).StatusCode
	}
	for name, want := range map[string]int{
		"аnа": 409, "ANA": 409, "ａｎａ": 409, "rnark": 409, "mаrk": 409, "MАRК": 409, "admin": 400, "Ѕystem": 400, "【管理员】": 400,
		"ana\u200b": 400, "\u202eana": 400, "ana\u3164": 400, "a" + strings.Repeat("\u0301", 300): 400, strings.Repeat("x", 65): 413,
	} {
		if got := in(i.Code, name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
		if got := in("not an invite", name); want == 409 && got != 410 {
			t.Errorf("%q without an invite: %d", name, got)
		}
	}
	if got := in(i.Code, "marc"); got != 200 {
		t.Errorf("another name: %d", got)
	}
	// Who runs the server may give what others may not take.
	_, err := w.accounts.Add(t.Context(), "admin", password, false)
	must(t, err)
}
