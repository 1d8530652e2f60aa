package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/build/child"
)

// The app below a path: behind a proxy that takes the path away, and on the machine itself, where it stays.
func TestBelowAPath(t *testing.T) {
	front, err := child.FreeAddr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t, "PARLEY_URL=http://"+front+"/chat", "PARLEY_PROXIES=127.0.0.1")
	proxy(t, front, server.Addr())
	b := browser(t)

	// Whoever comes by the address of the machine is led to the app, and may claim it.
	ben := open(t, b, server.Base(), desk)
	ben.do("visit the root", chromedp.Navigate(ben.base+"/"))
	ben.until("the app is below its path", `location.pathname.startsWith("/chat/")`)
	ben.started()
	ben.door("ana")
	ben.until("the first room is open", `location.pathname.startsWith("/chat/r/")`)
	ben.write("from the machine itself")
	ben.settled()

	ana := openIn(t, b, "http://"+front+"/chat", desk)
	ana.visit("/")
	ana.door("ana")
	ana.sees("from the machine itself")
	ana.write("through the proxy")
	ana.settled()
	ben.sees("through the proxy")
	ana.keeps("through the proxy")
	ana.until("the address names a room", `location.pathname.startsWith("/chat/r/")`)
	room := strings.TrimPrefix(eval[string](ana, `location.pathname`), "/chat")
	ana.until("the worker is for the path", `navigator.serviceWorker.ready.then((r) => r.active.state === "activated" && r.scope === location.origin + "/chat/")`)
	ana.do("reload", chromedp.Reload())
	ana.started()
	ana.inRoom()
	ana.sees("through the proxy")
	ana.until("the worker serves the page", `navigator.serviceWorker.controller`)
	if got := eval[string](ana, `location.pathname`); got != "/chat"+room {
		t.Errorf("loaded again it is at %s, not in %s", got, room)
	}
	if link := eval[string](ana, `fetch("/chat/api/invites", {method: "POST"}).then((r) => r.json()).then((i) => i.url)`); !strings.HasPrefix(link, ana.base+"/join#") {
		t.Errorf("people are invited to %s", link)
	}

	ana.visit("/settings/connection")
	ana.until("the connection is shown", `document.querySelector('.now[data-state="open"]')`)
	ana.click(`.settings-nav a[href="/chat/settings/appearance"]`)
	ana.until("the settings are below the path", `location.pathname === "/chat/settings/appearance"`)
	ana.shoot("below-a-path")
	installable(t, ana)
	for _, kept := range eval[[]string](ana, `caches.keys().then(async (names) => (await Promise.all(names.map(async (n) => (await (await caches.open(n)).keys())))).flat().map((r) => new URL(r.url).pathname))`) {
		if !strings.HasPrefix(kept, "/chat/") {
			t.Errorf("the worker keeps %s", kept)
		}
	}

	ana.network(false)
	ana.visit(room)
	ana.sees("through the proxy")
	ana.network(true)
	ana.until("the connection is open again", `document.querySelector("#chip")?.dataset.state === "open"`)

	// Who signs out leaves nothing behind, and takes nothing of others at the same host.
	eval[bool](ana, `caches.open("of another").then(() => (localStorage.setItem("of.another", "1"), true))`)
	ana.click(`.me[href="/chat/settings"]`)
	ana.click(`.settings-nav a[href="/chat/settings/account"]`)
	ana.click("#sign-out")
	ana.click("dialog[open] #confirm")
	ana.until("the front door is shown", `location.pathname === "/chat/" && document.querySelector("#door-password")`)
	left := eval[string](ana, onDisk+`.then((disk) => JSON.stringify([{...localStorage}, {...sessionStorage}]) + document.cookie + disk)`)
	if strings.Contains(left, "through the proxy") || strings.Contains(left, strings.TrimPrefix(room, "/r/")) {
		t.Errorf("the browser still keeps: %.600s", left)
	}
	if !eval[bool](ana, `caches.has("of another").then((has) => has && localStorage.getItem("of.another") === "1")`) {
		t.Error("what another at the same host kept is gone")
	}
	ana.mu.Lock()
	defer ana.mu.Unlock()
	for _, address := range ana.seen {
		if u, err := url.Parse(address); err != nil || u.Host == front && !strings.HasPrefix(u.Path, "/chat/") {
			t.Errorf("the page asked for %s", address)
		}
	}
}

// installable holds that a browser would install the app, and what it is then.
func installable(t *testing.T, p *tab) {
	t.Helper()
	for _, e := range call(p, page.GetAppManifest, page.GetAppManifestParams{}).Errors {
		t.Errorf("manifest: %s", e.Message)
	}
	for _, e := range call(p, page.GetInstallabilityErrors, cdp.Empty{}).InstallabilityErrors {
		t.Errorf("not installable: %s %v", e.ErrorID, e.ErrorArguments)
	}
	const paths = `(async () => {
		const at = document.querySelector('link[rel="manifest"]').href;
		const m = await (await fetch(at)).json();
		const icons = [...m.icons, ...m.shortcuts[0].icons].map((i) => new URL(i.src, at).href);
		const found = await Promise.all(icons.map(async (i) => (await fetch(i)).status));
		return [m.id, m.start_url, m.scope, m.shortcuts[0].url].map((u) => new URL(u, at).href).join(" ") + " " + [...new Set(found)].join(" ");
	})()`
	if got, want := eval[string](p, paths), fmt.Sprintf("%[1]s/ %[1]s/ %[1]s/ %[1]s/settings/connection 200", p.base); got != want {
		t.Errorf("the manifest names %s, want %s", got, want)
	}
}

// proxy puts an nginx before the server that takes the path /chat away. It is the one of the README, but for
// the port, which this one's host has in its name.
func proxy(t *testing.T, front, server string) {
	t.Helper()
	binary := "/usr/sbin/nginx"
	if path, err := exec.LookPath("nginx"); err == nil {
		binary = path
	}
	location, err := os.ReadFile("../proxies/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conf := "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr warn;\nevents { worker_connections 256; }\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += fmt.Sprintf("%s_temp_path %s;\n", kind, kind)
	}
	conf += "server {\nlisten " + front + ";\n" +
		strings.NewReplacer("location /", "location /chat/", "127.0.0.1:8080", server+"/", "$host", "$http_host").Replace(string(location)) + "}\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer // read when the process has ended
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "-e", "stderr", "-p", dir, "-c", "nginx.conf")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("start nginx, which build/install-test-tools.sh installs: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // that it was killed
		if t.Failed() {
			t.Logf("nginx said:\n%s", out.String())
		}
	})
}
