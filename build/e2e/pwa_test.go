package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

// offered says that the banner with an update is shown.
const offered = `!!document.querySelector('.banner[data-kind="update"] button')`

const workerReady = `navigator.serviceWorker.ready.then((r) => r.active.state === "activated")`

// The app can be installed; its worker keeps the shell and nothing of a person (S61).
func TestInstallable(t *testing.T) {
	server, b := serve(t), browser(t)
	// A context of its own would be a private window, where nothing can be installed.
	ana := openIn(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	ana.until("the worker keeps the shell", workerReady)
	installable(t, ana)
	ana.write("kept by the server, not by the worker")
	ana.settled()
	ana.do("reload", chromedp.Reload())
	ana.started()
	ana.inRoom()
	ana.until("the worker serves the page", `navigator.serviceWorker.controller`)
	ana.visit("/settings/appearance")
	ana.until("the app offers to be installed", `document.querySelector("#install")`)
	ana.shoot("install")
	kept := eval[[]string](ana, `caches.keys().then(async (names) => (await Promise.all(names.map(async (n) => (await (await caches.open(n)).keys())))).flat().map((r) => new URL(r.url).pathname))`)
	for _, path := range kept {
		if path != "/" && path != "/manifest.webmanifest" && !strings.HasPrefix(path, "/web/") {
			t.Errorf("the worker keeps %s", path)
		}
	}
	if len(kept) < 8 {
		t.Errorf("the worker keeps only %q", kept)
	}
	if text := eval[string](ana, `caches.match("/").then((r) => r.text())`); strings.Contains(text, "ana") {
		t.Error("the page that the worker keeps knows who is signed in")
	}
}

// Without a network the app starts where it was, and says so.
func TestStartsOffline(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), phone)
	owner(t, ana, "ana")
	ana.write("read me later")
	ana.settled()
	ana.keeps("read me later")
	path := "/r/" + string(ana.room())
	ana.until("the worker keeps the shell", workerReady)
	ana.network(false)
	ana.visit(path)
	ana.sees("read me later")
	ana.visit("/")
	ana.until("the rooms are there", `document.querySelector('.sidebar-list a[href^="/r/"]')`)
	ana.shoot("offline-start-390")
}

// An update waits until its reader reloads, and is then there (and the old one gone).
func TestUpdateIsOffered(t *testing.T) {
	server, b := serve(t), browser(t)
	between := newerVersion(t, server.Base())
	ana := open(t, b, between.URL, desk)
	owner(t, ana, "ana")
	ana.until("the worker keeps the shell", workerReady)
	ana.write("before the update")
	ana.settled()
	// From the second visit on the worker has the page, and waits for it to go.
	ana.do("reload", chromedp.Reload())
	ana.started()
	ana.inRoom()
	old := eval[string](ana, `goappGetenv("GOAPP_VERSION")`)
	ana.fill("#composer", "not finished")
	ana.keeps("not finished")

	between.newer.Store(true)
	eval[bool](ana, `goappTryUpdate(), true`)
	ana.until("the update waits", `navigator.serviceWorker.getRegistration().then((r) => r.waiting)`)
	ana.until("the update is offered", offered)
	if got := eval[string](ana, `goappGetenv("GOAPP_VERSION")`); got != old {
		t.Fatalf("the update was not waited for: %s became %s", old, got)
	}
	ana.shoot("update-offered")
	ana.click(`.banner[data-kind="update"] button`)
	ana.until("the new version runs", `goappGetenv("GOAPP_VERSION") !== `+js(old)+` && !document.getElementById("app-wasm-loader")`)
	ana.until("its worker took over", `Promise.all([caches.keys(), navigator.serviceWorker.getRegistration()]).then(([names, r]) => names.length === 1 && r.active.state === "activated" && !r.waiting)`)
	ana.sees("before the update")
	ana.until("the draft is back", `document.querySelector("#composer").value === "not finished"`)
	if eval[bool](ana, offered) {
		t.Error("the update is offered again to who has it")
	}
}

// A program that died begins again by itself, but not for ever.
func TestDeadProgramStartsAgain(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	ana.quiet = true
	for range 3 {
		eval[bool](ana, `sessionStorage.setItem("before", "1"), dispatchEvent(new ErrorEvent("error", {message: "Uncaught Error: Go program has already exited"})), true`)
		ana.started()
		ana.inRoom()
	}
	eval[bool](ana, `dispatchEvent(new ErrorEvent("error", {message: "Uncaught Error: Go program has already exited"})), true`)
	ana.until("a person decides", `document.querySelector('#app-wasm-loader[role="alert"] button')`)
	ana.shoot("dead-program")
}

// S60: whoever signs out leaves nothing behind.
func TestS60SignOutLeavesNothing(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	const secret = "only for those who are signed in"
	ana.write(secret)
	ana.settled()
	room := "/r/" + string(ana.room())
	ana.fill("#composer", secret+", a draft")
	ana.keeps(secret)
	ana.keeps("a draft")
	ana.quiet = true // the server has the browser clear its storage, perhaps under a write
	ana.signOut()
	ana.until("the front door is shown", `document.querySelector("#door-password")`)
	// Everything that the page can read of what the browser keeps.
	const kept = `(async () => {
		const out = [document.cookie, JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}), document.body.textContent, await ` + onDisk + `];
		for (const name of await caches.keys()) {
			const cache = await caches.open(name);
			for (const r of await cache.keys()) if (!r.url.includes("/web/")) out.push(r.url + await (await cache.match(r)).text());
		}
		return out.join("\n");
	})()`
	ana.until("the disk answers", onDisk+`.then(() => true)`)
	if left := eval[string](ana, kept); strings.Contains(left, secret) || strings.Contains(left, room) {
		t.Errorf("the browser still keeps: %.600s", left)
	}
	status := eval[int](ana, `fetch("/api/snapshot").then((r) => r.status)`)
	if status != http.StatusUnauthorized {
		t.Errorf("the session still works: status %d", status)
	}
	// Back shows the door, not the room.
	ana.visit(room)
	ana.until("the front door is shown", `document.querySelector("#door-password")`)
	if text := eval[string](ana, `document.body.textContent`); strings.Contains(text, secret) {
		t.Error("the room is still shown")
	}
	ana.shoot("signed-out")
}

// A newer stands before the server and makes its web app look like the next version.
type newer struct {
	*httptest.Server
	newer atomic.Bool
}

// newerVersion changes, once told to, the version in the page, the app's script and the
// worker, and the address of the script, as a build of changed source would.
func newerVersion(t *testing.T, base string) *newer {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	n := &newer{}
	script := regexp.MustCompile(`(/web/app\.[0-9a-f]+)(\.js)`)
	version := regexp.MustCompile(`(const version = |GOAPP_VERSION: |takeOver: )"([0-9a-f]+)"`)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Del("Accept-Encoding")
			r.Out.Header.Del("If-None-Match") // the server does not know that it changed
			r.Out.Header.Set("Origin", base)
			r.Out.URL.Path = strings.Replace(r.Out.URL.Path, "-newer.js", ".js", 1)
		},
		ModifyResponse: func(r *http.Response) error {
			kind := r.Header.Get("Content-Type")
			if !n.newer.Load() || !strings.HasPrefix(kind, "text/html") && !strings.HasPrefix(kind, "text/javascript") {
				return nil
			}
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			b = script.ReplaceAll(b, []byte("$1-newer$2"))
			b = version.ReplaceAll(b, []byte(`$1"${2}f"`))
			r.Header.Del("Content-Length")
			r.Header.Del("ETag")
			r.ContentLength, r.Body = int64(len(b)), io.NopCloser(bytes.NewReader(b))
			return nil
		},
	}
	n.Server = httptest.NewServer(proxy)
	t.Cleanup(n.Close)
	return n
}
