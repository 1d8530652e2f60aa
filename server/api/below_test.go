package api_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"parley/app/chat"
	"parley/build/web"
	"parley/server/api"
)

// belowAPath is a server that people use at https://example.org/chat, through a proxy on this machine.
func belowAPath(t *testing.T) setting {
	files, err := web.Open(fstest.MapFS{
		web.Index: {Data: []byte(`{"version":"v1","files":[
			{"name":"/web/app.wasm","url":"/web/app.0123.wasm","type":"application/wasm","hash":"0123","size":5,"path":"app.wasm"},
			{"name":"/app-worker.js","url":"/app-worker.js","type":"text/javascript","hash":"4567","size":5,"path":"app.wasm"}]}`)},
		"app.wasm": {Data: []byte("plain")},
	})
	must(t, err)
	return setting{api: func(o *api.Options) {
		o.Files, o.URL = files, &url.URL{Scheme: "https", Host: "example.org", Path: "/chat"}
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	}}
}

// outside makes a request as the proxy passes it on, which left the path in it or not.
func outside(q *http.Request) *http.Request {
	q.Host = "example.org"
	q.Header.Set("X-Forwarded-For", "192.0.2.1")
	q.Header.Set("X-Forwarded-Proto", "https")
	if q.Header.Get("Origin") != "" {
		q.Header.Set("Origin", "https://example.org")
	}
	return q
}

func inside(q *http.Request) *http.Request { return q }

// Below a path everything is what it is at the root, whether the proxy leaves the path in the request or
// takes it away, and on the machine itself.
func TestBelowAPath(t *testing.T) {
	w := newWorld(t, belowAPath(t))
	v := w.visitor()
	page := v.do(v.request("GET", "/", nil))
	for path, want := range map[string]struct {
		body, cache, tag string
		route            string
	}{
		"/":                             {body: string(page.body), cache: "no-cache", tag: page.Header.Get("ETag")},
		"/settings/connection":          {body: string(page.body), cache: "no-cache", tag: page.Header.Get("ETag")},
		"/r/" + strings.Repeat("A", 26): {body: string(page.body), cache: "no-cache", tag: page.Header.Get("ETag")},
		"/web/app.0123.wasm":            {body: "plain", cache: "public, max-age=31536000, immutable", tag: `"0123"`},
		"/web/app.wasm":                 {body: "plain", cache: "no-cache", tag: `"0123"`},
		"/app-worker.js":                {body: "plain", cache: "no-cache", tag: `"4567"`},
		"/livez":                        {body: `{"alive":true}`, cache: "no-store, private"},
		"/readyz":                       {body: `{"ready":true}`, cache: "no-store, private"},
	} {
		for _, root := range []string{"", "/chat"} {
			for _, by := range []func(*http.Request) *http.Request{inside, outside} {
				a := v.do(by(v.request("GET", root+path, nil)))
				if a.StatusCode != 200 || string(a.body) != want.body || a.Header.Get("Cache-Control") != want.cache || a.Header.Get("ETag") != want.tag {
					t.Errorf("%s%s: %v %v", root, path, a, a.Header)
				}
				if got := a.Header.Get("Reporting-Endpoints"); got != `csp="/chat/api/reports"` {
					t.Errorf("%s%s: reports go to %s", root, path, got)
				}
				if want.tag == "" {
					continue
				}
				q := by(v.request("GET", root+path, nil))
				q.Header.Set("If-None-Match", want.tag)
				if a := v.do(q); a.StatusCode != 304 {
					t.Errorf("%s%s, known: %v", root, path, a)
				}
			}
		}
	}
	for path, want := range map[string]struct {
		status int
		to     string
	}{
		"/chat":             {307, "/chat/"},
		"/chat//livez":      {307, "/chat/livez"},
		"/chat/web/../x":    {404, ""},
		"/chatter/livez":    {404, ""},
		"/chat/chat/livez":  {404, ""},
		"/Chat/livez":       {404, ""},
		"/ch%61t/livez":     {404, ""},
		"/chat%2Flivez":     {404, ""},
		"/elsewhere/livez":  {404, ""},
		"/chat/r/a%2Fb":     {200, ""},
		"/chat/favicon.ico": {404, ""},
	} {
		if a := v.do(v.request("GET", path, nil)); a.StatusCode != want.status || a.Header.Get("Location") != want.to {
			t.Errorf("%s: %v to %q", path, a, a.Header.Get("Location"))
		}
	}
	if a := v.do(v.request("POST", "/chat", nil)); a.StatusCode != 404 {
		t.Errorf("what is written to the path: %v", a)
	}
}

// S01: what a server below a path is called is its host alone, exactly.
func TestS01HostBelowAPath(t *testing.T) {
	w := newWorld(t, belowAPath(t))
	v := w.visitor()
	for host, want := range map[string]int{
		"example.org": 200, "EXAMPLE.org": 200, "example.org/chat": 421, "example.org.": 421, "example.org:8080": 421,
		"chat.example.org": 421, "example.org.evil": 421, "xexample.org": 421, "chat": 421, "localhost": 421,
	} {
		for _, path := range []string{"/livez", "/chat/livez", "/chat/", "/chat"} {
			q := v.request("GET", path, nil)
			q.Host = host
			a := v.do(q)
			if ok := a.StatusCode == 200 || path == "/chat" && a.StatusCode == 307; ok != (want == 200) || !ok && a.StatusCode != want {
				t.Errorf("host %q at %s: %v", host, path, a)
			}
		}
	}
}

// Others may be at the same host: their cookies are theirs, and so is what the browser keeps for them.
func TestBelowAPathIsNotAlone(t *testing.T) {
	w := newWorld(t, belowAPath(t))
	_, err := w.accounts.Add(t.Context(), "ana", password, true)
	must(t, err)
	in := chat.SignIn{Name: "ana", Password: password}
	for _, c := range []struct {
		by         func(*http.Request) *http.Request
		name, path string
	}{
		{outside, "__Host-sid+chat", "/"},
		{inside, "sid" + strings.TrimPrefix(w.base, "http://127.0.0.1:") + "+chat", "/chat/"},
	} {
		v := w.visitor()
		v.client.Jar = nil
		a := v.do(c.by(v.request("POST", "/chat/api/session", in)))
		if a.StatusCode != 200 || len(a.Cookies()) != 1 {
			t.Fatalf("signing in: %v, %v", a, a.Cookies())
		}
		sid := a.Cookies()[0]
		if sid.Name != c.name || sid.Path != c.path || sid.Secure != (c.path == "/") || !sid.HttpOnly || sid.Domain != "" {
			t.Errorf("cookie %v, want %s for %s", sid.Raw, c.name, c.path)
		}
		ask := func(method, path, name string) answer {
			q := c.by(v.request(method, path, nil))
			q.AddCookie(&http.Cookie{Name: name, Value: sid.Value})
			return v.do(q)
		}
		for _, path := range []string{"/chat/api/snapshot", "/api/snapshot", "/chat/api/feed?via=poll"} {
			if a := ask("GET", path, sid.Name); a.StatusCode != 200 {
				t.Errorf("%s by %s: %v", path, sid.Name, a)
			}
			for _, other := range []string{strings.TrimSuffix(c.name, "+chat"), c.name + "+room", strings.Replace(c.name, "chat", "other", 1)} {
				if a := ask("GET", path, other); a.StatusCode != 401 {
					t.Errorf("%s by %s: %v", path, other, a)
				}
			}
		}
		q := c.by(v.request("GET", "/chat/api/feed?via=poll", nil))
		q.AddCookie(&http.Cookie{Name: sid.Name, Value: sid.Value})
		q.Header.Set("Origin", q.Header.Get("Origin")+"/chat") // no origin has a path
		if a := v.do(q); a.StatusCode != 403 {
			t.Errorf("with an origin that is none: %v", a)
		}
		var i chat.Invite
		must(t, jsonOf(ask("POST", "/chat/api/invites", sid.Name), &i))
		if i.URL != "https://example.org/chat/join#"+i.Code {
			t.Errorf("an invite by %s", i.URL)
		}
		a = ask("DELETE", "/chat/api/session", sid.Name)
		if a.StatusCode != 204 || len(a.Header["Clear-Site-Data"]) > 0 {
			t.Errorf("signing out: %v %v", a, a.Header)
		}
		if len(a.Cookies()) != 1 || a.Cookies()[0].Name != c.name || a.Cookies()[0].Path != c.path || a.Cookies()[0].MaxAge >= 0 {
			t.Errorf("signing out leaves %v", a.Cookies())
		}
	}
}

func TestReserved(t *testing.T) {
	for name, want := range map[string]bool{
		"api": true, "web": true, "r": true, "setup": true, "join": true, "settings": true, "lab": true, "livez": true, "app.js": true,
		"favicon.ico": true, "chat": false, "parley": false, "room": false, "apis": false,
	} {
		if got := api.Reserved(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
