package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// T16 in a browser: an EventSource gives up for good on whatever is not a stream, and tells nobody why. Whatever answers in the
// server's place, the app comes back by itself, goes on from its cursor, and shows what was said meanwhile, once and in order.
func TestT16Statuses(t *testing.T) {
	const capped = 40 * time.Second // the longest pause, and asking why before it
	server := serve(t)
	between := stand(t, server.Base())
	ana := open(t, browser(t), between.URL, desk)
	owner(t, ana, "ana")
	room := ana.room()
	writer := program(t, server, "writer")
	join(t, server, writer, room)
	ana.use(chat.EventSource)

	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	typed := func(media, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			_, _ = io.WriteString(w, body)
		}
	}
	// Whoever believes this loses their place.
	const stream = "retry: 1\n\nid: elsewhere\nevent: batch\ndata: {\"cursor\":\"elsewhere\"}\n\n"
	later := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	var all []string
	say := func(text string) {
		t.Helper()
		all = append(all, text)
		if err := say(t.Context(), server, writer, room, text); err != nil {
			t.Fatal(err)
		}
	}
	type trial struct {
		name   string
		answer http.HandlerFunc // nil: the stream itself, cut in the middle of what it brings
		pause  time.Duration    // that was asked for
		barred bool             // the browser itself refuses to follow, and says so
	}
	var trials []trial
	for _, code := range []int{204, 205, 210, 299, 400, 401, 403, 404, 410, 500, 502} {
		trials = append(trials, trial{name: fmt.Sprint(code), answer: status(code)})
	}
	for _, test := range append(trials, []trial{
		{name: "301 to elsewhere", barred: true, answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, server.Base()+r.URL.RequestURI(), http.StatusMovedPermanently)
		}},
		{name: "307 to itself", answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, between.URL+r.URL.RequestURI(), http.StatusTemporaryRedirect)
		}},
		{name: "503 with Retry-After", answer: later, pause: 2 * time.Second},
		{name: "a page", answer: typed("text/html", "<!doctype html><title>Welcome to our network</title>")},
		{name: "a stream as text", answer: typed("text/plain", stream)},
		{name: "a stream as a page", answer: typed("text/html", stream)},
		{name: "a stream without a type", answer: typed("", stream)},
		{name: "cut in the middle of an event"},
	}...) {
		// Loaded again the app has not failed before: its pauses are short.
		ana.visit("/r/" + string(room))
		ana.inRoom()
		ana.carriedBy(chat.EventSource)
		before := between.strike(test.answer, 2)
		say(test.name + ": after the cut")
		between.struck(t)
		say(test.name + ": after one failure")
		between.struck(t)
		say(test.name + ": after two")
		ana.sees(test.name + ": after two")
		ana.carriedBy(chat.EventSource)
		say(test.name + ": and on")
		ana.sees(test.name + ": and on")
		ana.hasSaid(test.name, test.name+": after the cut", test.name+": after one failure", test.name+": after two", test.name+": and on")

		after := between.heard()
		if n := after.snapshots - before.snapshots; n != 0 {
			t.Errorf("%s: it did not go on from its cursor but asked %d times for everything", test.name, n)
		}
		for _, cursor := range after.cursors[len(before.cursors):] {
			if cursor == "" {
				t.Errorf("%s: it came back without a cursor", test.name)
			}
		}
		for i := len(before.cursors) + 1; i < len(after.asked); i++ {
			if d := after.asked[i].Sub(after.asked[i-1]); d > capped {
				t.Errorf("%s: it came back after %v", test.name, d)
			}
		}
		if waited := after.opened.Sub(after.told); test.pause > 0 && (after.told.IsZero() || waited < test.pause) {
			t.Errorf("%s: it came back after %v, and was asked to wait for %v", test.name, waited, test.pause)
		}
		if ana.barred(server.Base()) != test.barred {
			t.Errorf("%s: the browser refused to follow: %t, want %t", test.name, !test.barred, test.barred)
		}
	}

	// Auto does without what never works.
	between.mu.Lock()
	between.noSockets = true
	between.mu.Unlock()
	between.strike(status(204), 1_000_000)
	ana.connectionSettings()
	ana.choose("auto")
	ana.backToRoom()
	ana.carriedBy(chat.LongPoll)
	say("over what is left")
	ana.sees("over what is left")
	if d := cmp.Diff(all, ana.said()); d != "" {
		t.Errorf("what the timeline says (-want +got):\n%s", d)
	}
}

// barred reports whether, since this was asked last, the page's policy kept the browser from going to another address, which is no
// fault: the browser tells of what it would have asked there.
func (p *tab) barred(other string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.faults)
	p.faults = slices.DeleteFunc(p.faults, func(s string) bool {
		return strings.HasPrefix(s, "log: ") && strings.Contains(s, other) && strings.Contains(s, "Content Security Policy")
	})
	if len(p.faults) == n {
		return false
	}
	p.seen = slices.DeleteFunc(p.seen, func(s string) bool { return strings.HasPrefix(s, other) })
	return true
}

// A hindrance stands between a page and the server, and answers in the server's place.
type hindrance struct {
	*httptest.Server
	through *httputil.ReverseProxy
	strikes chan struct{} // one for each

	mu        sync.Mutex
	answer    http.HandlerFunc // to whoever wants an EventSource; nil: what that brings is cut
	left      int              // strikes to come
	wide      bool             // other feeds are answered so too
	noSockets bool
	drop      context.CancelFunc // ends the newest EventSource
	overheard
}

// overheard is what passed by.
type overheard struct {
	snapshots int
	cursors   []string // of all that wanted an EventSource
	asked     []time.Time
	told      time.Time // when another feed was last answered in the server's place
	opened    time.Time // when an EventSource last got through
}

func stand(t *testing.T, base string) *hindrance {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	h := &hindrance{strikes: make(chan struct{}, 2)}
	h.through = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("Origin", base)
		},
		ModifyResponse: func(r *http.Response) error {
			if strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") {
				r.Body = cuttable{r.Body, h}
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // what is cut is cut on purpose
	}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

// strike answers the next n that want an EventSource, beginning with the one there is, which it ends. From the last of them until
// one gets through other feeds are answered so too: the app asks one of them why. It returns what was heard until now.
func (h *hindrance) strike(answer http.HandlerFunc, n int) overheard {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer, h.left, h.told = answer, n, time.Time{}
	if answer != nil {
		h.drop()
	}
	return h.overheard
}

// struck waits for one strike.
func (h *hindrance) struck(t *testing.T) {
	t.Helper()
	select {
	case <-h.strikes:
	case <-time.After(soon):
		t.Fatal("the page did not come back")
	}
}

func (h *hindrance) heard() overheard {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.overheard
}

func (h *hindrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, drop := context.WithCancel(r.Context())
	defer drop()
	if answer := h.instead(r, drop); answer != nil {
		answer(w, r)
		return
	}
	h.through.ServeHTTP(w, r.WithContext(ctx))
}

// instead is what a request is answered in the server's place, if it is.
func (h *hindrance) instead(r *http.Request, drop context.CancelFunc) http.HandlerFunc {
	via := chat.Via(r.URL.Query().Get("via"))
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case r.URL.Path == "/api/snapshot":
		h.snapshots++
	case r.URL.Path != "/api/feed":
	case via == chat.EventSource:
		h.cursors = append(h.cursors, r.URL.Query().Get("after"))
		h.asked = append(h.asked, time.Now())
		if h.wide = h.answer != nil && h.left == 1; h.answer != nil && h.spend() {
			return h.answer
		}
		h.drop, h.opened = drop, time.Now()
	case via == chat.WebSocket && h.noSockets:
		return h.answer
	case h.wide:
		h.told = time.Now()
		return h.answer
	}
	return nil
}

// spend does one of the strikes that are left, if any is.
func (h *hindrance) spend() bool {
	if h.left == 0 {
		return false
	}
	h.left--
	select {
	case h.strikes <- struct{}{}:
	default: // nobody counts
	}
	return true
}

// A cuttable is a stream of events that can end in the middle of one.
type cuttable struct {
	io.ReadCloser
	h *hindrance
}

func (c cuttable) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	if c.h.answer == nil && bytes.Contains(p[:n], []byte("data: ")) && c.h.spend() {
		return min(n-1, bytes.Index(p[:n], []byte("data: "))+20), io.ErrUnexpectedEOF
	}
	return n, err
}
