package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// soon is how long a page has for what a person would wait for. Two
// processors share a browser, a server and other tests: it is generous.
const soon = time.Minute

// browser starts one Chromium for a test. Everybody in it is a tab of their own context.
func browser(t testing.TB) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("these tests drive Chromium, which is not installed: run build/install-test-tools.sh")
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(userData(t)),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		// Two tabs at a time: neither is to be slowed for not being in front.
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-dev-shm-usage", !roomy(memory)),
	)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// memory is a disk in memory, where the system has one.
const memory = "/dev/shm"

// roomy reports whether a disk in memory has a gigabyte to spare: containers often leave it far less.
func roomy(dir string) bool {
	var fs syscall.Statfs_t
	return syscall.Statfs(dir, &fs) == nil && fs.Bavail >= 1<<18 // its blocks are pages, of 4 KiB or more
}

// userData is a folder that Chromium's children may go on writing to for a moment
// after it has stopped, which t.TempDir would take for a fault. Where the system has a disk in memory with room it is there:
// Chromium flushes what pages keep, and a slow disk would make all of them wait for each other.
func userData(t testing.TB) string {
	t.Helper()
	parent := ""
	if roomy(memory) {
		parent = memory
	}
	dir, err := os.MkdirTemp(parent, "parley-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 50 {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
		}
		t.Logf("left behind: %v", err)
	})
	return dir
}

// A look is how a tab sees: language, size of the window, colours.
type look struct {
	lang          string // "en" or "zh"
	width, height int64
	dark          bool
}

var desk = look{lang: "en", width: 1440, height: 900}
var phone = look{lang: "en", width: 390, height: 844}

// A tab is one person's page in a browser context of its own: own cookies, own storage,
// own service worker. What must never happen in any page it collects, and the test
// fails of it in the end.
type tab struct {
	t    testing.TB
	ctx  context.Context
	base string // the server's address

	touch bool // a finger, no keyboard

	mu     sync.Mutex
	faults []string
	seen   []string // addresses asked for
	quiet  bool     // the network is off on purpose: what fails because of it is no fault
}

func open(t testing.TB, browser context.Context, base string, l look) *tab {
	t.Helper()
	return openIn(t, browser, base, l, chromedp.WithNewBrowserContext())
}

func openIn(t testing.TB, browser context.Context, base string, l look, opts ...chromedp.ContextOption) *tab {
	t.Helper()
	p := &tab{t: t, base: base, touch: l.width < 768}
	ctx, stop := chromedp.NewContext(browser, append(opts, chromedp.WithListener(p.listen))...)
	t.Cleanup(stop)
	p.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first step
		t.Fatalf("open a tab: %v", err)
	}
	p.do("size a tab", chromedp.EmulateViewport(l.width, l.height, func(m *emulation.SetDeviceMetricsOverrideParams, touch *emulation.SetTouchEmulationEnabledParams) {
		m.Mobile, touch.Enabled = p.touch, p.touch
	}))
	agent := run[string](p, chromedp.Evaluate[string](`navigator.userAgent`))
	call(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: strings.ReplaceAll(agent, "Headless", ""), AcceptLanguage: map[string]string{"en": "en-GB", "zh": "zh-CN"}[l.lang]})
	p.paint(l.dark)
	// Two people look at their screens at once; a browser gives the focus to one.
	call(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.cspViolations = [];
		document.addEventListener("securitypolicyviolation", (e) => cspViolations.push(e.violatedDirective + " " + e.blockedURI));`})
	t.Cleanup(func() { p.check() })
	return p
}

// paint chooses light or dark.
func (p *tab) paint(dark bool) {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// listen runs in the loop that reads the browser's messages: it only notes.
func (p *tab) listen(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		p.faults = append(p.faults, "exception: "+fmt.Sprint(ev.ExceptionDetails.Text, " ", describe(ev.ExceptionDetails.Exception)))
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError && !p.quiet {
			var said []string
			for _, a := range ev.Args {
				said = append(said, describe(a))
			}
			p.faults = append(p.faults, "console: "+strings.Join(said, " "))
		}
	case *log.EventEntryAdded:
		if ev.Entry.Source == log.EntrySourceSecurity || ev.Entry.Source == log.EntrySourceViolation {
			p.faults = append(p.faults, "log: "+ev.Entry.Text)
		}
	case *page.EventJavascriptDialogOpening:
		p.faults = append(p.faults, "dialog: "+ev.Message)
	case *network.EventRequestWillBeSent:
		p.seen = append(p.seen, ev.Request.URL)
	case *network.EventWebSocketCreated:
		p.seen = append(p.seen, ev.URL)
	}
}

func describe(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	if o.Description != "" {
		return o.Description
	}
	return string(o.Value)
}

// check fails the test for what no page may do.
func (p *tab) check() {
	p.t.Helper()
	home, err := url.Parse(p.base)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fault := range p.faults {
		p.t.Errorf("in the page: %s", fault)
	}
	for _, address := range p.seen {
		u, err := url.Parse(address)
		if err != nil || u.Host != home.Host && u.Scheme != "data" && u.Scheme != "blob" && address != "about:blank" {
			p.t.Errorf("the page asked a third party: %s", address)
		}
	}
	p.faults, p.seen = nil, nil
}

// call sends one command of the protocol.
func call[P, R any](p *tab, cmd cdpCommand[P, R], params P) R {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, soon)
	defer stop()
	r, err := chromedp.Call(ctx, cmd, params)
	if err != nil {
		p.t.Fatalf("%s: %v", cmd.Method, err)
	}
	return r
}

// do performs an action, and fails with a screenshot if it does not come to its end.
func (p *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, soon)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fail(what, err)
	}
}

func run[T any](p *tab, a chromedp.Action[T]) T {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, soon)
	defer stop()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		p.fail("run", err)
	}
	return v
}

// eval is the value of an expression, which may be a promise.
func eval[T any](p *tab, js string) T {
	p.t.Helper()
	return run(p, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
}

// until waits for an expression to become true, also over navigations.
func (p *tab) until(what, js string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, soon)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	js = `(async () => !!(await (` + js + `)))()`
	for {
		// A page that is being replaced has no answer: ask the next.
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js, chromedp.EvalAwaitPromise))
		if yes {
			return
		}
		select {
		case <-ctx.Done():
			p.fail(what, errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// visit opens a page of the server and waits until the program runs in it.
func (p *tab) visit(path string) {
	p.t.Helper()
	p.do("visit "+path, chromedp.Navigate(p.base+path))
	p.started()
}

func (p *tab) started() {
	p.t.Helper()
	p.until("the program runs", `document.readyState === "complete" && !document.getElementById("app-wasm-loader")`)
}

func (p *tab) fail(what string, err error) {
	p.t.Helper()
	p.shoot("fail-" + strings.ReplaceAll(p.t.Name(), "/", "-"))
	ctx, stop := context.WithTimeout(p.ctx, 10*time.Second)
	defer stop()
	shown, ask := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + ": the chip is " +
		JSON.stringify({...document.querySelector("#chip")?.dataset}) + ", the text " + document.body.innerText.slice(0, 600)`))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t.Fatalf("%s: %v\nthe page at %q (%v)\nfaults in it: %q", what, err, shown, ask, p.faults)
}
