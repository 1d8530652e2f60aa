package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/server/api"
	"parley/server/auth"
)

// grounds are the ways a stream can be written: by shards on TCP, by net/http, and by TLS
// with HTTP/2 or, for WebSocket, HTTP/1.1.
var grounds = map[string]setting{"tcp": {}, "portable": {portable: true}, "tls": {tls: true}}

// onEach runs f on each ground over each transport.
func onEach(t *testing.T, f func(t *testing.T, w *world, via chat.Via)) {
	for name, set := range grounds {
		t.Run(name, func(t *testing.T) {
			for _, via := range chat.Vias {
				t.Run(string(via), func(t *testing.T) {
					t.Parallel()
					f(t, newWorld(t, set), via)
				})
			}
		})
	}
}

func TestFeedCarriesEverythingOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		ben := ana.guest("ben")
		from := ben.snapshot().Cursor
		var want []string
		for i := range 400 { // more than one batch, so that it begins by catching up
			want = append(want, fmt.Sprint("before ", i))
			ana.say(w.room, want[i])
		}
		l, err := ben.dial(via, from)
		must(t, err)
		defer l.close()
		first, err := until(l, func(e chat.Event) bool { return e.Message != nil && e.Message.Text == "before 399" })
		must(t, err)
		for i := range 50 {
			want = append(want, fmt.Sprint("after ", i))
			ana.say(w.room, want[len(want)-1])
		}
		then, err := until(l, func(e chat.Event) bool { return e.Message != nil && e.Message.Text == "after 49" })
		must(t, err)
		if d := cmp.Diff(want, texts(append(first, then...))); d != "" {
			t.Error(d)
		}
	})
}

func TestFeedBeginsAtOnceAndBeats(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		l, err := ana.dial(via, "")
		must(t, err)
		defer l.close()
		for range 3 {
			b, err := l.next()
			must(t, err)
			if b.Cursor == "" {
				t.Fatal("a batch without a cursor")
			}
		}
	})
}

func TestFeedRefusesARubbishCursor(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		l, err := ana.dial(via, "rubbish")
		if err == nil {
			defer l.close()
			_, err = l.next()
		}
		if !errors.Is(err, chat.ErrReset) {
			t.Errorf("got %v, want a reset", err)
		}
	})
}

func TestSocketTakesDrafts(t *testing.T) {
	for name, set := range grounds {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, set)
			ana := w.owner()
			l, err := ana.dial(chat.WebSocket, "")
			must(t, err)
			defer l.close()
			s := l.(*socket)
			d := message(w.room, "hello")
			f := s.ask(t, chat.Request{ID: 1, Send: &d})
			if f.ID != 1 || f.Event == nil || f.Event.Message.Text != "hello" {
				t.Fatalf("got %+v", f)
			}
			again := s.ask(t, chat.Request{ID: 2, Send: &d})
			if again.Event == nil || again.Event.Seq != f.Event.Seq {
				t.Errorf("the same draft again: %+v", again)
			}
			if echo := s.ask(t, chat.Request{ID: 3}); echo.ID != 3 || echo.Event != nil || echo.Error != nil {
				t.Errorf("an echo: %+v", echo)
			}
			if bad := s.ask(t, `{"id":4,"send":{"room":"x"}}`); bad.Error == nil || bad.Error.Code != chat.CodeInvalid || bad.ID != 4 {
				t.Errorf("a bad draft: %+v", bad)
			}
		})
	}
}

// Everyone is told to come back, each at a time of their own.
func TestDrainSaysFarewell(t *testing.T) {
	onEach(t, func(t *testing.T, w *world, via chat.Via) {
		ana := w.owner()
		lines := make([]line, 8)
		for i := range lines {
			l, err := ana.dial(via, ana.snapshot().Cursor)
			must(t, err)
			defer l.close()
			_, err = l.next()
			must(t, err)
			lines[i] = l
		}
		done := make(chan error, 1)
		go func() { done <- w.api.Drain(t.Context()) }()
		returns := map[time.Duration]bool{}
		for _, l := range lines {
			var err error
			for err == nil {
				_, err = l.next()
			}
			told, ok := errors.AsType[*chat.Error](err)
			if !ok || told.Code != chat.CodeUnavailable || told.RetryAfter() == 0 {
				t.Fatalf("the feed ended with %#v, want unavailable, and when to come back", err)
			}
			returns[told.RetryAfter()] = true
			l.close()
		}
		if len(returns) < len(lines)/2 {
			t.Errorf("%d readers are to come back at %d times", len(lines), len(returns))
		}
		must(t, <-done)
		if a := ana.do(ana.request("GET", "/readyz", nil)); a.StatusCode != 503 {
			t.Errorf("readyz while draining: %v", a)
		}
		if a := ana.do(ana.request("GET", "/livez", nil)); a.StatusCode != 200 {
			t.Errorf("livez while draining: %v", a)
		}
	})
}

// A WebSocket opens even where the server was so busy that it came to the request later than it answers others. It must
// not take the handshake for answered when that was too late to be written.
func TestWebSocketOpensLate(t *testing.T) {
	for name, set := range grounds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const patience = 2 * time.Second
			set.api = func(o *api.Options) { o.Patience = patience }
			var busy atomic.Bool
			set.accounts = func(o *auth.Options) {
				now := o.Now
				o.Now = func() time.Time { // which is asked for on the way in
					if busy.CompareAndSwap(true, false) {
						<-time.After(patience + 200*time.Millisecond)
					}
					return now()
				}
			}
			w := newWorld(t, set)
			ana := w.owner()
			cursor := ana.snapshot().Cursor
			busy.Store(true)
			l, err := ana.dial(chat.WebSocket, cursor)
			must(t, err)
			defer l.close()
			_, err = l.next()
			must(t, err)
		})
	}
}

// Whoever asks for shorter silences gets them, over any way that may be silent, and events
// all the same.
func TestFeedBeatsAsAsked(t *testing.T) {
	for name, set := range grounds {
		set.api = func(o *api.Options) { o.Beat, o.Hold = time.Hour, time.Hour }
		t.Run(name, func(t *testing.T) {
			for _, via := range []chat.Via{chat.LongPoll, chat.EventSource, chat.WebSocket} {
				t.Run(string(via), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, set)
					ana := w.owner()
					l, err := ana.dial(via, ana.snapshot().Cursor, func(q *http.Request) { q.URL.RawQuery += "&beat=1" })
					must(t, err)
					defer l.close()
					_, err = l.next()
					must(t, err)
					for silent := false; !silent; { // there may be presence first
						began := time.Now()
						b, err := l.next()
						must(t, err)
						silent = len(b.Events) == 0
						if d := time.Since(began); silent && d < 500*time.Millisecond {
							t.Errorf("alive again after %v", d)
						}
					}
					ana.say(w.room, "here")
					_, err = until(l, func(e chat.Event) bool { return e.Message != nil && e.Message.Text == "here" })
					must(t, err)
				})
			}
		})
	}
}

func TestFeedRefusesAnotherBeat(t *testing.T) {
	w := newWorld(t, setting{})
	ana := w.owner()
	for _, beat := range []string{"0", "61", "-1", "1s", "1.5"} {
		a := ana.do(ana.request("GET", "/api/feed?via=poll&beat="+beat, nil))
		if a.StatusCode != 400 {
			t.Errorf("beat=%s: %v", beat, a)
		}
	}
}
