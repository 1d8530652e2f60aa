package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"parley/app/chat"
)

// concrete makes a route's pattern an address.
func (w *world) concrete(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return method, strings.NewReplacer("{$}", "", "{room}", string(w.room), "{part}", "x", "{file...}", "x", "{id}", "X").Replace(path)
}

// TestS06NoOtherSiteReads: nothing that the server answers lets a page of another site read it, and no preflight is granted.
func TestS06NoOtherSiteReads(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	for _, rt := range w.api.Routes() {
		routed, path := w.concrete(rt)
		if rt == "DELETE /api/session" {
			continue // which has the path of another, and would end what this test needs
		}
		for _, origin := range []string{"https://evil.example", "null", w.base} {
			for _, method := range []string{routed, "OPTIONS"} {
				q := ana.request(method, path+"?via=poll", nil)
				q.Header.Set("Origin", origin)
				if method == "OPTIONS" {
					q.Header.Set("Access-Control-Request-Method", "POST")
					q.Header.Set("Access-Control-Request-Headers", "content-type, authorization")
				}
				a := ana.do(q)
				for name := range a.Header {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("%s %s from %s: %s: %s", method, path, origin, name, a.Header.Get(name))
					}
				}
				if method == "OPTIONS" && a.StatusCode < 400 {
					t.Errorf("a preflight of %s from %s: %v", path, origin, a)
				}
			}
		}
	}
}

// TestS07NotInOthersPages: whatever a page of another site embeds, frames or opens, the browser is told to keep from it.
func TestS07NotInOthersPages(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	for _, rt := range w.api.Routes() {
		method, path := w.concrete(rt)
		if rt == "DELETE /api/session" {
			continue
		}
		h := ana.do(ana.request(method, path+"?via=poll", nil)).Header
		for name, want := range map[string]string{"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff"} {
			if got := h[name]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q", rt, name, got)
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "; frame-ancestors 'none'") {
			t.Errorf("%s may be framed: %s", rt, csp)
		}
	}
}

// TestS36Injection: what is in an address or a header never becomes a header of the answer, and what is in a message
// never becomes a line of a stream.
func TestS36Injection(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	usual := map[string]bool{}
	for _, path := range []string{"/", "/api/server", "/api/feed?via=poll", "/api/feed?via=poll&after=x", "/nowhere", "/web/", "/r/x"} {
		for name := range ana.do(ana.request("GET", path, nil)).Header {
			usual[name] = true
		}
	}
	for _, evil := range []string{"\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "x\r\n\r\nX-Evil: 1", "\x00", "\u2028X-Evil: 1", "\u560d\u560aX-Evil: 1", "\"\r\nX-Evil: 1", "*=UTF-8''%0d%0aX-Evil: 1"} {
		e := url.QueryEscape(evil)
		for _, path := range []string{"/api/feed?via=" + e, "/api/feed?via=poll&after=" + e, "/api/feed?via=eventsource&after=" + e, "/api/feed?via=poll&beat=" + e,
			"/api/rooms/" + url.PathEscape(evil) + "/events", "/r/" + url.PathEscape(evil), "/web/" + url.PathEscape(evil), "/" + url.PathEscape(evil), "/api/sessions/" + url.PathEscape(evil), "//" + url.PathEscape(evil)} {
			res, err := ana.client.Do(ana.request("GET", path, nil))
			must(t, err)
			_ = res.Body.Close()
			for name, values := range res.Header {
				if name == "X-Evil" || strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
					t.Errorf("%q: header %s: %q", path, name, values)
				}
				if !usual[name] && name != "Location" && name != "Allow" && name != "X-Accel-Buffering" {
					t.Errorf("%q: header %s: %q", path, name, values)
				}
			}
		}
		// net/http sends no such header; a socket does. What is not refused is no line of its own.
		host := strings.TrimPrefix(w.base, "http://")
		got := w.raw("GET /api/server HTTP/1.1\r\nHost: " + host + "\r\nLast-Event-ID: " + strings.ReplaceAll(evil, "\r\n", "\r") + "\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 200") && !strings.HasPrefix(got, "HTTP/1.1 400") {
			t.Errorf("%q: %s", evil, got)
		}
	}
	// Names and texts with line ends in them: each event of the stream is three lines that begin as they must.
	for name, set := range grounds {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, set)
			ana := w.owner()
			q := ana.request("GET", "/api/feed?via=eventsource", nil)
			q.Header.Set("Last-Event-ID", "")
			res, err := ana.client.Do(q)
			must(t, err)
			defer func() { _ = res.Body.Close() }()
			texts := []string{"a\n\ndata: evil", "a\r\rdata: evil", "a\r\n\r\nevent: bye\r\ndata: {}", "a\u2028data: evil", "a\u0085data: evil", "id: evil", "a\x00b", "retry: 1", ":evil", "the end"}
			for _, text := range texts {
				ana.say(w.room, text)
			}
			in := bufio.NewReader(res.Body)
			for {
				line, err := in.ReadString('\n')
				must(t, err)
				line = strings.TrimSuffix(line, "\n")
				key, _, _ := strings.Cut(line, ": ")
				if line != "" && line != "retry: 1000" && line != "event: batch" && key != "id" && !strings.HasPrefix(line, `data: {"`) || strings.ContainsAny(line, "\r\x00") {
					t.Errorf("a line of the stream is %q", line)
				}
				if strings.Contains(line, "the end") {
					return
				}
			}
		})
	}
}

// A sharedCache stands between people and the server and keeps what it may, as one of a company or of a provider
// does: by address alone, whoever asks.
type sharedCache struct {
	to   string
	mu   sync.Mutex
	kept map[string][]byte
}

func (c *sharedCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.URL.String()
	c.mu.Lock()
	body, hit := c.kept[key]
	c.mu.Unlock()
	if hit && r.Method == http.MethodGet {
		w.Header().Set("X-Cache", "hit")
		_, _ = w.Write(body)
		return
	}
	q := r.Clone(r.Context())
	q.URL.Scheme, q.URL.Host, q.Host, q.RequestURI = "http", c.to, c.to, ""
	if q.Header.Get("Origin") != "" {
		q.Header.Set("Origin", "http://"+c.to)
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = res.Body.Close() }()
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	body, _ = io.ReadAll(res.Body) // what breaks off is not kept
	_, _ = w.Write(body)
	control := res.Header.Get("Cache-Control")
	if r.Method == http.MethodGet && res.StatusCode < 500 && !strings.Contains(control, "no-store") && !strings.Contains(control, "private") && !strings.Contains(control, "no-cache") {
		c.mu.Lock()
		c.kept[key] = body
		c.mu.Unlock()
	}
}

// TestS62SharedCache: what is told to one is kept for nobody: every answer of the API and every stream forbids it, and
// behind a cache that keeps all it may, two people never get each other's.
func TestS62SharedCache(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben := ana.guest("ben")
	private := func(what string, h http.Header) {
		t.Helper()
		if got := h.Get("Cache-Control"); !strings.HasPrefix(got, "no-store, private") {
			t.Errorf("%s: Cache-Control %q", what, got)
		}
	}
	for _, rt := range w.api.Routes() {
		method, path := w.concrete(rt)
		if !strings.HasPrefix(path, "/api/") || rt == "DELETE /api/session" {
			continue
		}
		for _, v := range []*visitor{ana, w.visitor()} {
			private(rt, v.do(v.request(method, path, nil)).Header)
		}
	}
	for _, via := range chat.Vias {
		q := ana.request("GET", "/api/feed?via="+string(via), nil)
		if via == chat.WebSocket {
			for k, h := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
				q.Header.Set(k, h)
			}
		}
		res, err := ana.client.Do(q)
		must(t, err)
		_ = res.Body.Close()
		private(string(via), res.Header)
	}
	cache := &sharedCache{to: strings.TrimPrefix(w.base, "http://"), kept: map[string][]byte{}}
	front := httptest.NewServer(cache)
	defer front.Close()
	through := func(v *visitor, path string) answer {
		q := v.request("GET", path, nil)
		u, err := url.Parse(front.URL + path)
		must(t, err)
		q.URL, q.Host = u, "" // with its cookie: they are of a host, whatever the port
		return v.do(q)
	}
	bodies := 0
	for _, rt := range w.api.Routes() {
		method, path := w.concrete(rt)
		if method != "GET" {
			continue
		}
		for range 2 {
			for who, v := range map[string]*visitor{"ana": ana, "ben": ben, "nobody": w.visitor()} {
				a := through(v, path+"?via=poll")
				for other, o := range map[string]*visitor{"ana": ana, "ben": ben} {
					session := fmt.Sprintf(`"you":%q`, o.user.ID)
					if other != who && bytes.Contains(a.body, []byte(session)) {
						t.Errorf("%s: %s was given what is %s's", rt, who, other)
					}
				}
				if strings.HasPrefix(path, "/api/") && a.Header.Get("X-Cache") != "" || len(a.Header["Set-Cookie"]) > 0 {
					t.Errorf("%s came to %s out of the cache, or with a cookie", rt, who)
				}
				if bytes.Contains(a.body, []byte(`"you":`)) {
					bodies++
				}
			}
		}
	}
	if bodies != 4 {
		t.Errorf("%d snapshots came through, want 4: this test looks in the wrong place", bodies)
	}
}
