package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"parley/app/chat"
	"parley/server/api"
	"parley/server/auth"
)

func TestS50SlowHeaders(t *testing.T) {
	w := newWorld(t)
	s := w.api.HTTP()
	if s.ReadHeaderTimeout != 5*time.Second || s.ReadTimeout != 15*time.Second || s.IdleTimeout != 120*time.Second || s.MaxHeaderBytes != 32<<10 {
		t.Errorf("bounds %v %v %v %v", s.ReadHeaderTimeout, s.ReadTimeout, s.IdleTimeout, s.MaxHeaderBytes)
	}
	s.ReadHeaderTimeout = 300 * time.Millisecond // the same server, less patient, so that the test need not be
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	defer func() { must(t, s.Close()); <-done }()
	var slow []net.Conn
	for range 200 {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
		must(t, err)
		defer func() { _ = c.Close() }()
		_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: ")
		must(t, err)
		slow = append(slow, c)
	}
	w.visitor().ask("GET", "/livez", nil, nil)
	for _, c := range slow {
		must(t, c.SetReadDeadline(time.Now().Add(patience)))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a connection that says nothing is still open")
		}
	}
}

// A poll that is not read holds no more than its one answer, which net/http gives up at the deadline
// of S50's kind. What may go on for ever is a stream.
func TestS51SlowReaders(t *testing.T) {
	for name, set := range grounds {
		for _, via := range []chat.Via{chat.WebSocket, chat.EventSource} {
			t.Run(fmt.Sprint(name, " ", via), func(t *testing.T) {
				t.Parallel()
				set := set // each has its own
				set.api = func(o *api.Options) { o.Stall = 3 * time.Second }
				w := newWorld(t, set)
				ana := w.owner()
				bot := ana.program()
				cursor := bot.snapshot().Cursor
				idler := w.visitor()
				idler.token = bot.token
				idler.client.Transport.(*http.Transport).DialContext = dialSmall
				stuck, err := idler.dial(via, cursor)
				must(t, err)
				defer stuck.close()
				quick, err := bot.dial(via, cursor)
				must(t, err)
				defer quick.close()
				read := make(chan error, 1)
				go func() {
					at, missed := chat.Seq(0), false
					_, err := until(quick, func(e chat.Event) bool {
						missed = missed || e.Seq > 0 && at > 0 && e.Seq != at+1
						at = max(at, e.Seq)
						return e.Message != nil && e.Message.Text == "the last"
					})
					if missed {
						err = errors.New("something was left out")
					}
					read <- err
				}()
				w.eventually(func() bool { return w.accounts.Live.Len() == 2 })
				// Nobody reads stuck. What is said is more than sockets and buffers hold.
				text := strings.Repeat("漢", chat.MaxText)
				gone := func() bool { return w.accounts.Live.Len() == 1 }
				for n := 0; n < 2_000 && !gone(); n++ {
					ana.say(w.room, text)
				}
				w.eventually(gone)
				ana.say(w.room, "the last")
				must(t, <-read)
				// Who reads again is told, where it is written to the socket directly.
				_, err = until(stuck, func(chat.Event) bool { return false })
				if e, ok := errors.AsType[*chat.Error](err); name == "tcp" && websocket.CloseStatus(err) != chat.CloseSlow &&
					(!ok || !strings.Contains(e.Message, "does not keep up")) {
					t.Errorf("who did not read is not told so, but: %v", err)
				}
			})
		}
	}
}

// dialSmall dials with little space for what is not read.
func dialSmall(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if tcp, ok := c.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetReadBuffer(16<<10))
	}
	return c, err
}

func TestS53TooManyStreams(t *testing.T) {
	for _, via := range []chat.Via{chat.WebSocket, chat.EventSource} {
		t.Run(string(via), func(t *testing.T) {
			w := newWorld(t, setting{accounts: func(o *auth.Options) { o.Streams = auth.Streams{PerIP: 25} }})
			ana := w.owner()
			bot := ana.program()
			var open []line
			refused := func(v *visitor) {
				t.Helper()
				for _, via := range chat.Vias { // the bound is of all ways together
					_, err := v.dial(via, "")
					e, ok := errors.AsType[*chat.Error](err)
					if !ok || e.Code != chat.CodeRateLimited || e.RetryAfterMS == 0 || e.Max == 0 {
						t.Errorf("%s beyond the bound: %v", via, err)
					}
				}
			}
			for range 20 {
				l, err := bot.dial(via, "")
				must(t, err)
				open = append(open, l)
			}
			refused(bot)
			ben := ana.guest("ben").program()
			for range 5 {
				l, err := ben.dial(via, "")
				must(t, err)
				open = append(open, l)
			}
			refused(ben)
			for _, l := range open {
				l.close()
			}
			w.eventually(func() bool { return w.accounts.Live.Len() == 0 })
			l, err := bot.dial(via, "")
			must(t, err)
			l.close()
		})
	}
}

func TestS54OneBudgetForAllWays(t *testing.T) {
	w := newWorld(t, setting{accounts: func(o *auth.Options) {
		o.Rates = auth.Rates{Send: 0.001, SendBurst: 9, Read: 0.001, ReadBurst: 200, Feed: 1e6, FeedBurst: 1e6}
	}})
	ana := w.owner()
	bot := ana.program()
	var sockets []*socket
	for range 2 {
		l, err := bot.dial(chat.WebSocket, "")
		must(t, err)
		defer l.close()
		sockets = append(sockets, l.(*socket))
	}
	// Sessions and tokens, sockets and requests, messages, signals and rooms: one account, one budget.
	ways := []func(i int) *chat.Error{
		func(i int) *chat.Error {
			d := message(w.room, "socket")
			return sockets[i%2].ask(t, chat.Request{ID: int64(i + 1), Send: &d}).Error
		},
		func(int) *chat.Error {
			return refusedBy(ana.do(ana.request("POST", "/api/send", message(w.room, "post"))))
		},
		func(int) *chat.Error {
			return refusedBy(bot.do(bot.request("POST", "/api/send", message(w.room, "bot"))))
		},
		func(int) *chat.Error {
			return refusedBy(bot.do(bot.request("POST", "/api/send", chat.Draft{Room: w.room, Body: chat.Body{Typing: &chat.Typing{}}})))
		},
		func(i int) *chat.Error {
			return refusedBy(ana.do(ana.request("POST", "/api/rooms", chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: chat.Private, Name: "x"})))
		},
	}
	allowed := 0
	for i := range 60 {
		e := ways[i%len(ways)](i)
		if e == nil {
			allowed++
		} else if e.Code != chat.CodeRateLimited || e.RetryAfterMS < 1 {
			t.Fatalf("%d: %+v", i, e)
		}
	}
	if allowed != 9 {
		t.Errorf("%d of 60 were allowed, want 9", allowed)
	}
	ben := ana.guest("ben")
	ben.say(w.room, "another account has its own")
	reads := 0
	for range 300 {
		if a := ben.do(ben.request("GET", "/api/rooms", nil)); a.StatusCode == 200 {
			reads++
		} else if a.StatusCode != 429 || a.Header.Get("Retry-After") == "" {
			t.Fatal(a)
		}
	}
	if reads < 190 || reads > 200 {
		t.Errorf("%d of 300 reads were allowed, want about 200", reads)
	}
}

func refusedBy(a answer) *chat.Error {
	if a.StatusCode == 200 {
		return nil
	}
	e := a.fault()
	return &e
}
