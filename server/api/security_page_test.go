package api_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"parley/app/chat"
)

func TestS32Policy(t *testing.T) {
	for name, set := range grounds {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, set)
			ana := w.owner()
			host := strings.TrimPrefix(strings.TrimPrefix(w.base, "https://"), "http://")
			socket, more := "ws://", ""
			if set.tls {
				socket, more = "wss://", "; upgrade-insecure-requests"
			}
			want := "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self' " +
				socket + host + "; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-src 'none'; frame-ancestors 'none'" + more + "; report-to csp"
			check := func(what string, a *http.Response, want string) {
				t.Helper()
				if got := a.Header["Content-Security-Policy"]; len(got) != 1 || got[0] != want {
					t.Errorf("%s: policy %q, want %q", what, got, want)
				}
				for _, h := range []string{"X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy"} {
					if a.Header.Get(h) == "" {
						t.Errorf("%s: no %s", what, h)
					}
				}
				if (a.Header.Get("Strict-Transport-Security") != "") != set.tls {
					t.Errorf("%s: Strict-Transport-Security with tls %v", what, set.tls)
				}
			}
			for _, v := range []*visitor{ana, w.visitor()} {
				for _, p := range w.api.Routes() {
					method, path, _ := strings.Cut(p, " ")
					path = strings.NewReplacer("{$}", "", "{room}", string(w.room), "{part}", "x", "{file...}", "x", "{id}", "X").Replace(path)
					for _, method := range []string{method, "GET", "POST", "PUT", "OPTIONS", "HEAD"} {
						if path == "/api/session" && method == "DELETE" {
							continue // ends the session that this test needs
						}
						check(method+" "+path, v.do(v.request(method, path, `{}`)).Response, want)
					}
				}
				check("nowhere", v.do(v.request("GET", "/nowhere", nil)).Response, want)
			}
			q := ana.request("GET", "/", nil)
			q.Host = "evil"
			check("another host", ana.do(q).Response, strings.Replace(want, " "+socket+host, "", 1))
			for _, via := range []string{"eventsource", "poll", "longpoll", "nothing"} {
				res, err := ana.client.Do(ana.request("GET", "/api/feed?via="+via, nil))
				must(t, err)
				check(via, res, want)
				_ = res.Body.Close()
			}
			q = ana.request("POST", "/api/reports", `[{"type":"csp-violation","body":{"effectiveDirective":"img-src"}}]`)
			q.Header.Set("Content-Type", "application/reports+json")
			if a := ana.do(q); a.StatusCode != 204 || !strings.Contains(w.log.String(), "img-src") {
				t.Errorf("a report: %v", a)
			}
		})
	}
}

func TestS60SigningOut(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	for _, path := range []string{"/api/snapshot", "/api/rooms", "/api/sessions", "/api/server", "/api/feed?via=poll", "/api/rooms/" + string(w.room) + "/events", "/api/nowhere"} {
		if a := ana.do(ana.request("GET", path, nil)); !strings.Contains(a.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: Cache-Control %q", path, a.Header.Get("Cache-Control"))
		}
	}
	a := ana.ask("DELETE", "/api/session", nil, nil)
	if got := a.Header.Get("Clear-Site-Data"); got != `"cache", "storage"` {
		t.Errorf("Clear-Site-Data %q", got)
	}
	if len(a.Cookies()) != 1 || a.Cookies()[0].MaxAge >= 0 || a.Cookies()[0].Value != "" {
		t.Errorf("cookies %v", a.Cookies())
	}
	if a := ana.do(ana.request("GET", "/api/snapshot", nil)); a.StatusCode != 401 {
		t.Errorf("afterwards: %v", a)
	}
}

func TestS61OnePageForEveryone(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	nobody := w.visitor()
	first := nobody.ask("GET", "/", nil, nil)
	for _, path := range []string{"/", "/setup", "/join", "/settings", "/settings/account", "/r/" + string(w.room), "/r/nowhere"} {
		for _, v := range []*visitor{ana, nobody, ana.program()} {
			a := v.ask("GET", path, nil, nil)
			if string(a.body) != string(first.body) || len(a.Cookies()) > 0 {
				t.Errorf("%s differs: %v", path, a)
			}
			if a.Header.Get("Cache-Control") != "no-cache" || a.Header.Get("ETag") == "" {
				t.Errorf("%s: %v", path, a.Header)
			}
		}
	}
	q := nobody.request("GET", "/", nil)
	q.Header.Set("If-None-Match", first.Header.Get("ETag"))
	if a := nobody.do(q); a.StatusCode != 304 || a.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("unchanged: %v", a)
	}
}

func TestS64NobodyElseIsNamed(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	other := regexp.MustCompile(`(?i)\b(https?|wss?)://[^\s'";]+`)
	for _, path := range []string{"/", "/manifest.webmanifest", "/app.js", "/app-worker.js", "/nowhere", "/api/server"} {
		a := v.do(v.request("GET", path, nil))
		for name, values := range a.Header {
			for _, u := range other.FindAllString(strings.Join(values, " "), -1) {
				if u != strings.Replace(w.base, "http", "ws", 1) {
					t.Errorf("%s: %s names %s", path, name, u)
				}
			}
		}
	}
}

func TestS65DefaultInstall(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	for _, path := range []string{"/debug/pprof/", "/debug/vars", "/metrics", "/admin", "/.git/config", "/parley.db", "/web/../parley.db", "/index.json", "/swagger", "/graphql"} {
		if a := v.do(v.request("GET", path, nil)); a.StatusCode == 200 {
			t.Errorf("%s: %v", path, a)
		}
	}
	for _, in := range []chat.SignIn{{Name: "admin", Password: "admin"}, {Name: "admin", Password: "password"}, {Name: "owner", Password: ""}, {Name: "root", Password: "root"}} {
		if a := v.do(v.request("POST", "/api/session", in)); a.StatusCode != 401 {
			t.Errorf("%+v: %v", in, a)
		}
	}
	if a := v.do(v.request("POST", "/api/signup", chat.SignUp{Name: "eve", Password: password})); a.StatusCode/100 == 2 {
		t.Errorf("signed up without an invite: %v", a)
	}
	w.owner()
	for _, code := range []string{"", "AAAA-AAAA-AAAA"} {
		if a := v.do(v.request("POST", "/api/setup", chat.SetUp{Name: "eve", Password: password, Code: code})); a.StatusCode != 410 {
			t.Errorf("set up again: %v", a)
		}
	}
	if runtime.GOOS == "windows" {
		return // has other means
	}
	must(t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return err
	}))
}

func TestSetUpFromElsewhereNeedsTheCode(t *testing.T) {
	w := newWorld(t, behindProxy)
	code, err := w.accounts.NewCode(t.Context())
	must(t, err)
	v := w.visitor()
	claim := func(code string) answer {
		q := v.request("POST", "/api/setup", chat.SetUp{Name: "ana", Password: password, Code: code})
		from("192.0.2.1")(q)
		return v.do(q)
	}
	for _, wrong := range []string{"", "AAAA-AAAA-AAAA", code[:len(code)-1]} {
		if a := claim(wrong); a.StatusCode != 403 {
			t.Errorf("with %q: %v", wrong, a)
		}
	}
	if a := claim(strings.ToLower(code)); a.StatusCode != 200 {
		t.Errorf("with the code: %v", a)
	}
	if a := claim(code); a.StatusCode != 410 {
		t.Errorf("with the code again: %v", a)
	}
}
