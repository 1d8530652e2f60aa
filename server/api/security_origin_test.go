package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// raw sends bytes as they are and returns the status line of what comes back.
func (w *world) raw(text string) string {
	w.t.Helper()
	c, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", strings.TrimPrefix(w.base, "http://"))
	must(w.t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, text)
	must(w.t, err)
	line, err := bufio.NewReader(c).ReadString('\n')
	must(w.t, err)
	return strings.TrimSpace(line)
}

// asking fails the test when anything in this process asks over HTTP as programs do
// that think of nothing. The clients of the tests have their own way.
type asking struct{ t *testing.T }

func (a asking) RoundTrip(r *http.Request) (*http.Response, error) {
	a.t.Errorf("the server asked %s", r.URL)
	return nil, io.EOF
}

func TestS01HostHeader(t *testing.T) {
	usual := http.DefaultTransport
	http.DefaultTransport = asking{t}
	t.Cleanup(func() { http.DefaultTransport = usual })
	w := newWorld(t)
	v := w.visitor()
	clean := v.ask("GET", "/", nil, nil)
	host := strings.TrimPrefix(w.base, "http://")
	paths := []string{"/", "/robots.txt", "/sitemap.xml", "/ads.txt", "/api/server", "/web/app.wasm", "/livez", "/nowhere"}
	for _, evil := range []string{"evil", "evil:80", "evil.example", "localhost", "127.0.0.1:1", "localhost:" + host[len("127.0.0.1:"):] + ".evil", "x@" + host, host + ".", "[::1]", ""} {
		for _, path := range paths {
			q := v.request("GET", path, nil)
			q.Host = evil
			if evil == "" {
				if got := w.raw("GET " + path + " HTTP/1.0\r\n\r\n"); !strings.Contains(got, " 421 ") {
					t.Errorf("no host at %s: %s", path, got)
				}
				continue
			}
			q.Header.Set("X-Forwarded-Host", host)
			if a := v.do(q); a.StatusCode != 421 || a.fault().Code != chat.CodeMisdirected {
				t.Errorf("host %q at %s: %v", evil, path, a)
			}
		}
	}
	for _, path := range paths {
		for sent, want := range map[string]string{
			"GET http://evil" + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n":    " 421 ",
			"GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nHost: evil\r\n\r\n": " 400 ",
			"GET " + path + " HTTP/1.1\r\nHost: evil\r\nHost: " + host + "\r\n\r\n": " 400 ",
		} {
			if got := w.raw(sent); !strings.Contains(got, want) {
				t.Errorf("%q: %s, want %s", sent, got, want)
			}
		}
	}
	// These three go-app would fetch from the host that the request names, and keep.
	for _, path := range []string{"/robots.txt", "/sitemap.xml", "/ads.txt"} {
		if a := v.do(v.request("GET", path, nil)); a.StatusCode != 404 {
			t.Errorf("%s: %v", path, a)
		}
	}
	after := v.ask("GET", "/", nil, nil)
	if d := cmp.Diff(string(clean.body), string(after.body)); d != "" {
		t.Error("the page changed:", d)
	}
	for _, good := range []string{host, strings.Replace(host, "127.0.0.1", "LocalHost", 1)} {
		q := v.request("GET", "/livez", nil)
		q.Host = good
		if a := v.do(q); a.StatusCode != 200 {
			t.Errorf("host %q: %v", good, a)
		}
	}
}

func TestS02OriginOfFeeds(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	host := strings.TrimPrefix(w.base, "http://")
	from := func(header, value string) func(*http.Request) {
		return func(q *http.Request) {
			q.Header.Del("Origin")
			if header != "" {
				q.Header.Set(header, value)
			}
		}
	}
	bad := map[string]func(*http.Request){
		"missing":               from("", ""),
		"other site":            from("Origin", "https://evil"),
		"sub-domain":            from("Origin", "http://a."+host),
		"other scheme":          from("Origin", "https://"+host),
		"other port":            from("Origin", "http://127.0.0.1:1"),
		"suffix":                from("Origin", w.base+".evil"),
		"prefix":                from("Origin", "http://evil"+host),
		"null":                  from("Origin", "null"),
		"empty":                 from("Origin", ""),
		"other site, fetch":     from("Sec-Fetch-Site", "cross-site"),
		"same site, fetch":      from("Sec-Fetch-Site", "same-site"),
		"typed, fetch":          from("Sec-Fetch-Site", "none"),
		"other referer":         from("Referer", "http://evil/"+w.base+"/"),
		"referer of look-alike": from("Referer", w.base+".evil/"),
		"both, one is wrong": func(q *http.Request) {
			q.Header.Set("Sec-Fetch-Site", "cross-site")
		},
		"two origins": func(q *http.Request) { q.Header["Origin"] = []string{w.base, "https://evil"} },
	}
	good := map[string]func(*http.Request){
		"origin":  from("Origin", w.base),
		"fetch":   from("Sec-Fetch-Site", "same-origin"),
		"referer": from("Referer", w.base+"/r/X"),
	}
	for _, via := range chat.Vias {
		for name, edit := range bad {
			l, err := ana.dial(via, "", edit)
			if err == nil {
				l.close()
			}
			if chat.CodeOf(err) != chat.CodeForbidden {
				t.Errorf("%s, %s: %v, want forbidden", via, name, err)
			}
		}
	}
	if n := w.accounts.Live.Len(); n != 0 {
		t.Errorf("%d streams are open after refusals", n)
	}
	for _, via := range chat.Vias {
		for name, edit := range good {
			l, err := ana.dial(via, "", edit)
			if err != nil {
				t.Errorf("%s, %s: %v", via, name, err)
				continue
			}
			if _, err := l.next(); err != nil {
				t.Errorf("%s, %s: %v", via, name, err)
			}
			l.close()
		}
	}
	// A program has no page, and needs no origin. A page of another site has one, whatever else it has.
	bot := ana.program()
	for _, via := range chat.Vias {
		l, err := bot.dial(via, "", from("", ""))
		must(t, err)
		l.close()
		if _, err := bot.dial(via, "", from("Origin", "https://evil")); chat.CodeOf(err) != chat.CodeForbidden {
			t.Errorf("%s, a token from another site: %v", via, err)
		}
	}
}

// unsafe lists the unsafe routes, made concrete, from what the server says it has.
func (w *world) unsafe() (list [][2]string) {
	for _, p := range w.api.Routes() {
		method, path, _ := strings.Cut(p, " ")
		if method != "GET" {
			list = append(list, [2]string{method, strings.NewReplacer("{id}", "X", "{room}", "X").Replace(path)})
		}
	}
	return list
}

func TestS03CrossSiteRequests(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	if n := len(w.unsafe()); n < 9 {
		t.Fatalf("only %d unsafe routes", n)
	}
	before := w.dump()
	for _, rt := range w.unsafe() {
		for name, c := range map[string]struct {
			edit func(*http.Request)
			want int
		}{
			"cross-site":  {func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
			"same-site":   {func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
			"evil origin": {func(q *http.Request) { q.Header.Set("Origin", "https://evil") }, 403},
			"null origin": {func(q *http.Request) { q.Header.Set("Origin", "null") }, 403},
			"says nothing": {func(q *http.Request) {
				q.Header.Del("Origin")
			}, 403},
			"form":       {func(q *http.Request) { q.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415},
			"text":       {func(q *http.Request) { q.Header.Set("Content-Type", "text/plain") }, 415},
			"multipart":  {func(q *http.Request) { q.Header.Set("Content-Type", "multipart/form-data; boundary=x") }, 415},
			"no type":    {func(q *http.Request) { q.Header.Del("Content-Type") }, 415},
			"compressed": {func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }, 415},
		} {
			q := ana.request(rt[0], rt[1], `{}`)
			c.edit(q)
			if a := ana.do(q); a.StatusCode != c.want {
				t.Errorf("%s %s, %s: %v, want %d", rt[0], rt[1], name, a, c.want)
			}
		}
	}
	if d := cmp.Diff(before, w.dump()); d != "" {
		t.Error("refused requests changed the data:", d)
	}
}

func TestS04ReadingChangesNothing(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ana.say(w.room, "hello")
	before := w.dump()
	n := 0
	for _, p := range w.api.Routes() {
		method, path, _ := strings.Cut(p, " ")
		if method != "GET" {
			continue
		}
		n++
		path = strings.NewReplacer("{$}", "", "{room}", string(w.room), "{part}", "x", "{file...}", "x", "{id}", "X").Replace(path)
		for _, method := range []string{"GET", "HEAD"} {
			for _, query := range []string{"", "?via=poll", "?via=poll&delete=1&join=1"} {
				ana.do(ana.request(method, path+query, nil))
			}
		}
	}
	if n < 12 {
		t.Fatalf("only %d routes that read", n)
	}
	for _, rt := range w.unsafe() { // what changes something is not to be had by reading
		if a := ana.do(ana.request("GET", rt[1], nil)); a.StatusCode == 200 && rt[1] != "/api/rooms" {
			t.Errorf("GET %s: %v", rt[1], a)
		}
	}
	if d := cmp.Diff(before, w.dump()); d != "" {
		t.Error("reading changed the data:", d)
	}
}

func TestS05LoginAndLogoutFromElsewhere(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	stranger := w.visitor()
	for _, header := range []string{"Sec-Fetch-Site", "Origin"} {
		q := stranger.request("POST", "/api/session", chat.SignIn{Name: "ana", Password: password})
		q.Header.Set(header, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil"}[header])
		if a := stranger.do(q); a.StatusCode != 403 || len(a.Cookies()) > 0 {
			t.Errorf("signing in from elsewhere by %s: %v", header, a)
		}
		q = ana.request("DELETE", "/api/session", nil)
		q.Header.Set(header, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil"}[header])
		if a := ana.do(q); a.StatusCode != 403 {
			t.Errorf("signing out from elsewhere by %s: %v", header, a)
		}
	}
	ana.snapshot() // is still signed in
}

func TestS17Cookie(t *testing.T) {
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprint("tls ", tls), func(t *testing.T) {
			w := newWorld(t, setting{tls: tls})
			w.owner()
			v := w.visitor()
			a := v.ask("POST", "/api/session", chat.SignIn{Name: "ana", Password: password}, nil)
			if len(a.Cookies()) != 1 {
				t.Fatalf("%d cookies", len(a.Cookies()))
			}
			c := a.Cookies()[0]
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 43 {
				t.Errorf("cookie %v", c.Raw)
			}
			if (c.Name == "__Host-sid") != tls || c.Secure != tls {
				t.Errorf("cookie %v with tls %v", c.Raw, tls)
			}
			// The cookie of one is nothing to the other, so it can not be planted from there.
			other := w.visitor()
			q := other.request("GET", "/api/snapshot", nil)
			name := map[bool]string{true: "sid" + q.URL.Port(), false: "__Host-sid"}[tls]
			q.AddCookie(&http.Cookie{Name: name, Value: c.Value})
			if a := other.do(q); a.StatusCode != 401 {
				t.Errorf("by the name %s: %v", name, a)
			}
			// Two of the name: one of them was planted.
			q = other.request("GET", "/api/snapshot", nil)
			q.Header.Set("Cookie", c.Name+"=planted; "+c.Name+"="+c.Value)
			if a := other.do(q); a.StatusCode != 401 {
				t.Errorf("two cookies: %v", a)
			}
		})
	}
}

// A proxy on this machine makes everyone look as if they were on it.
func TestClaimThroughAProxyNeedsTheCode(t *testing.T) {
	claim := func(w *world, edit func(*http.Request)) chat.SetUpState {
		var s chat.Server
		v := w.visitor()
		q := v.request("GET", "/api/server", nil)
		edit(q)
		a := v.do(q)
		must(t, jsonOf(a, &s))
		return s.SetUp
	}
	w := newWorld(t)
	if got := claim(w, func(*http.Request) {}); got != chat.SetUpOpen {
		t.Errorf("from this machine: %s", got)
	}
	for header, value := range map[string]string{"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1", "Via": "1.1 x", "X-Forwarded-Proto": "http"} {
		if got := claim(w, func(q *http.Request) { q.Header.Set(header, value) }); got != chat.SetUpCode {
			t.Errorf("with %s: %s", header, got)
		}
	}
}
