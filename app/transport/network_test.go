//go:build !js

package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"nhooyr.io/websocket"

	"parley/app/chat"
	"parley/app/transport"
	"parley/server/servertest"
)

const patience = time.Minute

// last follows a feed to its end and returns how many batches came and what it ended with.
func last(ctx context.Context, t transport.Transport, after chat.Cursor) (n int, end error) {
	for _, err := range t.Follow(ctx, after) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func message(room chat.RoomID, text string) chat.Draft {
	return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Message: &chat.Message{Text: text}}}
}

// over runs f for each transport against a server that h is.
func over(t *testing.T, h http.HandlerFunc, f func(t *testing.T, link transport.Transport)) {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	for _, via := range chat.Vias {
		t.Run(string(via), func(t *testing.T) {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			f(t, transport.New(via, transport.Config{
				Base: s.URL, Every: 10 * time.Millisecond, Quiet: 300 * time.Millisecond, Wire: transport.Wire{HTTP: client},
			}))
		})
	}
}

// What lies between here and the server may answer in its place. Whatever it says, nobody is
// signed out and nothing is refused for good, except what is too large for it.
func TestAnswersOfOthers(t *testing.T) {
	for status, want := range map[int]chat.Code{
		200: chat.CodeInternal, 204: chat.CodeInternal, 301: chat.CodeUnavailable, 401: chat.CodeUnavailable,
		403: chat.CodeUnavailable, 404: chat.CodeUnavailable, 410: chat.CodeUnavailable, 413: chat.CodeTooLarge,
		429: chat.CodeRateLimited, 502: chat.CodeUnavailable, 503: chat.CodeUnavailable, 504: chat.CodeUnavailable,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			over(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(status)
				if status != 204 {
					_, _ = io.WriteString(w, "<html>Please sign in to the network</html>")
				}
			}, func(t *testing.T, link transport.Transport) {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				n, err := last(ctx, link, "cursor")
				if n > 0 || err == nil {
					t.Fatalf("following gave %d batches and error %v", n, err)
				}
				if link.Name() != chat.WebSocket && link.Name() != chat.EventSource && chat.CodeOf(err) != want {
					t.Errorf("following ended with %v, code %q, want %q", err, chat.CodeOf(err), want)
				}
				if a, ok := errors.AsType[*transport.Astray](err); link.Name() != chat.WebSocket && status != 204 && (!ok || !a.Page || a.Status != status) {
					t.Errorf("following ended with %#v, want to know that it was a page under %d", err, status)
				}
				for _, no := range []error{chat.ErrUnauthorized, chat.ErrReset} {
					if errors.Is(err, no) {
						t.Errorf("following ended with %v", err)
					}
				}
				_, err = link.Send(ctx, message("room", "x"))
				if chat.CodeOf(err) != want || chat.Final(err) != (status == 413) {
					t.Errorf("sending: %v, code %q, want %q", err, chat.CodeOf(err), want)
				}
				if e, ok := errors.AsType[*chat.Error](err); ok && e.RetryAfter() != 7*time.Second {
					t.Errorf("try again after %v", e.RetryAfter())
				}
			})
		})
	}
}

// Peek tells at once what there is.
func TestPeek(t *testing.T) {
	s := servertest.Start(t, time.Minute)
	ana := s.User(t, "ana")
	room := s.Room(t, ana.ID)
	c := transport.NewCaller(transport.Config{Base: s.Base, Token: ana.Token, Wire: transport.Wire{HTTP: s.HTTP}})
	b, err := c.Peek(t.Context(), "")
	if err != nil || len(b.Events) > 0 {
		t.Fatalf("%d events, %v", len(b.Events), err)
	}
	if _, err := c.Send(t.Context(), message(room, "x")); err != nil {
		t.Fatal(err)
	}
	b, err = c.Peek(t.Context(), b.Cursor)
	if err != nil || len(b.Events) != 1 || b.Events[0].Message.Text != "x" {
		t.Errorf("%+v, %v", b, err)
	}
}

// A page in the place of an answer is no sign that the server lives.
func TestPageIsNotTheServer(t *testing.T) {
	over(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "\n<!doctype html><title>Welcome to our hotel</title>")
	}, func(t *testing.T, link transport.Transport) {
		if d, err := link.Ping(t.Context()); err == nil {
			t.Errorf("pinged in %v", d)
		}
	})
}

// What is asked for in signs of life is said on the ways that have any.
func TestBeat(t *testing.T) {
	var mu sync.Mutex
	asked := map[chat.Via]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[chat.Via(r.FormValue("via"))] = r.FormValue("beat")
		if r.FormValue("after") == "first" {
			_, _ = io.WriteString(w, `{"cursor":"then"}`)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, via := range chat.Vias {
		_, _ = last(t.Context(), transport.New(via, transport.Config{
			Base: s.URL, Every: time.Millisecond, Beat: 4500 * time.Millisecond, Wire: transport.Wire{HTTP: client},
		}), "first")
	}
	want := map[chat.Via]string{chat.WebSocket: "4", chat.EventSource: "4", chat.LongPoll: "4", chat.Poll: ""}
	mu.Lock()
	defer mu.Unlock()
	if d := cmp.Diff(want, asked); d != "" {
		t.Error(d)
	}
}

// What the server itself says is taken at its word, over each way.
func TestAnswersOfTheServer(t *testing.T) {
	for _, want := range []*chat.Error{
		chat.ErrUnauthorized, chat.ErrReset, chat.ErrForbidden,
		{Code: chat.CodeUnavailable, Message: "later", RetryAfterMS: 1500},
	} {
		t.Run(string(want.Code), func(t *testing.T) {
			over(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(want.Code.Status())
				_, _ = fmt.Fprintf(w, `{"code":%q,"message":%q,"retry_after_ms":%d}`, want.Code, want.Message, want.RetryAfterMS)
			}, func(t *testing.T, link transport.Transport) {
				_, err := last(t.Context(), link, "cursor")
				e, ok := errors.AsType[*chat.Error](err)
				if !ok || *e != *want {
					t.Errorf("following ended with %v, want %v", err, want)
				}
			})
		})
	}
}

// A way that opens and is silent then is dead.
func TestSilence(t *testing.T) {
	over(t, func(w http.ResponseWriter, r *http.Request) {
		switch via := chat.Via(r.FormValue("via")); {
		case via == chat.WebSocket:
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer func() { _ = c.CloseNow() }()
			_ = c.Write(r.Context(), websocket.MessageText, []byte(`{"cursor":"1"}`))
			_, _, _ = c.Read(r.Context())
			return
		case via == chat.EventSource:
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "retry: 100\nid: 1\nevent: batch\ndata: {\"cursor\":\"1\"}\n\n: a comment is no sign of life\n\n")
			_ = http.NewResponseController(w).Flush()
		case r.FormValue("after") == "0":
			_, _ = io.WriteString(w, `{"cursor":"1"}`)
			return
		}
		<-r.Context().Done()
	}, func(t *testing.T, link transport.Transport) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if n, err := last(ctx, link, "0"); n != 1 || !errors.Is(err, transport.ErrSilent) {
			t.Errorf("%d batches, then %v", n, err)
		}
	})
}

// A stream cut in the middle of a batch gives the batches before, and no part of that one.
func TestCut(t *testing.T) {
	const batch = `{"events":[{"room":"r","seq":%d,"message":{"text":"x"}}],"cursor":"%d"}`
	over(t, func(w http.ResponseWriter, r *http.Request) {
		one, two := fmt.Sprintf(batch, 1, 1), fmt.Sprintf(batch, 2, 2)
		switch chat.Via(r.FormValue("via")) {
		case chat.WebSocket:
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			_ = c.Write(r.Context(), websocket.MessageText, []byte(one))
			part, err := c.Writer(r.Context(), websocket.MessageText)
			if err == nil {
				_, _ = io.WriteString(part, two[:20])
			}
			_ = c.CloseNow()
		case chat.EventSource:
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "event: batch\ndata: "+one+"\n\nevent: batch\ndata: "+two+"\n")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case chat.Poll, chat.LongPoll:
			if r.FormValue("after") == "0" {
				_, _ = io.WriteString(w, one)
				return
			}
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, two[:20])
			panic(http.ErrAbortHandler)
		}
	}, func(t *testing.T, link transport.Transport) {
		n, err := last(t.Context(), link, "0")
		if _, told := errors.AsType[*chat.Error](err); n != 1 || err == nil || told || chat.Final(err) {
			t.Errorf("%d batches, then %v", n, err)
		}
	})
}

// A stream that was open ends with the reason that the server gives.
func TestFarewell(t *testing.T) {
	for _, c := range []struct {
		event string
		code  websocket.StatusCode
		data  string // on a WebSocket, a frame before the close
		want  chat.Code
		retry time.Duration
	}{
		{"reset", chat.CloseReset, `{"code":"reset","message":"begin again"}`, chat.CodeReset, 0},
		{"reset", chat.CloseReset, `rubbish`, chat.CodeReset, 0},
		{"bye", chat.CloseUnauthorized, `{"code":"unauthorized","message":"signed out"}`, chat.CodeUnauthorized, 0},
		{"bye", chat.CloseRestart, `{"code":"unavailable","message":"restart","retry_after_ms":700}`, chat.CodeUnavailable, 700 * time.Millisecond},
		{"bye", chat.CloseRestart, ``, chat.CodeUnavailable, 0},
		{"unknown", chat.CloseSlow, `{}`, chat.CodeInternal, 0},
	} {
		over(t, func(w http.ResponseWriter, r *http.Request) {
			switch chat.Via(r.FormValue("via")) {
			case chat.WebSocket:
				s, err := websocket.Accept(w, r, nil)
				if err != nil {
					return
				}
				_ = s.Write(r.Context(), websocket.MessageText, []byte(`{"cursor":"1"}`))
				if c.retry > 0 {
					_ = s.Write(r.Context(), websocket.MessageText, []byte(`{"error":`+c.data+`}`))
				}
				_ = s.Close(c.code, "")
			case chat.EventSource:
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, "event: batch\ndata: {\"cursor\":\"1\"}\n\nevent: "+c.event+"\ndata: "+c.data+"\n\n")
			case chat.Poll, chat.LongPoll:
			}
		}, func(t *testing.T, link transport.Transport) {
			if link.Name() == chat.Poll || link.Name() == chat.LongPoll {
				return // they have a status instead
			}
			if n, err := last(t.Context(), link, "0"); n != 1 || chat.CodeOf(err) != c.want {
				t.Errorf("after %q: %d batches, then %v with code %q, want %q", c.event, n, err, chat.CodeOf(err), c.want)
			} else if e, ok := errors.AsType[*chat.Error](err); ok && e.RetryAfter() != c.retry {
				t.Errorf("after %q: come back after %v, want %v", c.event, e.RetryAfter(), c.retry)
			}
		})
	}
}

// A round trip without a network, in a bubble.
type fake func(*http.Request) string

func (f fake) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(f(r)))}, nil
}

// Polls come at their interval while there is nothing, and at once while there is more; a long
// poll that is not held is not repeated in a tight circle.
func TestPace(t *testing.T) {
	const full, empty = `{"events":[{"room":"r","seq":1}],"cursor":"c"}`, `{"cursor":"c"}`
	for _, c := range []struct {
		via     chat.Via
		answers string // f: full, e: empty, h: empty after having been held
		want    []time.Duration
	}{
		{chat.Poll, "effeee", []time.Duration{3 * time.Second, 0, 0, 3 * time.Second, 3 * time.Second}},
		{chat.LongPoll, "eehhffe", []time.Duration{0, time.Second, 25 * time.Second, 25 * time.Second, 0, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []time.Time
			var vias []string
			client := &http.Client{Transport: fake(func(r *http.Request) string {
				a := c.answers[len(asked)]
				asked = append(asked, time.Now())
				vias = append(vias, r.FormValue("via"))
				switch a {
				case 'f':
					return full
				case 'h':
					<-time.After(25 * time.Second)
				}
				return empty
			})}
			n := 0
			for _, err := range transport.New(c.via, transport.Config{Base: "http://x", Wire: transport.Wire{HTTP: client}}).Follow(t.Context(), "c") {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == len(c.answers) {
					break
				}
			}
			for i, want := range c.want {
				if d := asked[i+1].Sub(asked[i]); d != want {
					t.Errorf("%s: question %d came after %v, want %v", c.via, i+1, d, want)
				}
			}
			if vias[0] != "poll" || vias[1] != string(c.via) {
				t.Errorf("asked by %q", vias)
			}
		})
	}
}

// Many who share one socket each get their own answer, and so does an echo.
func TestSharedSocket(t *testing.T) {
	s := servertest.Start(t, beat)
	u := s.User(t, "ana")
	room := s.Room(t, u.ID)
	for _, via := range chat.Vias {
		link := transport.New(via, transport.Config{Base: s.Base, Token: u.Token, Wire: transport.Wire{HTTP: s.HTTP}})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		var work sync.WaitGroup
		for _, err := range link.Follow(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			for i := range 30 {
				work.Go(func() {
					text := fmt.Sprint(via, i)
					if e, err := link.Send(ctx, message(room, text)); err != nil || e.Message.Text != text {
						t.Errorf("%s: sent %q, answered %+v, %v", via, text, e, err)
					}
				})
			}
			work.Wait()
			if d, err := link.Ping(ctx); err != nil || d <= 0 {
				t.Errorf("%s: ping: %v, %v", via, d, err)
			}
			break
		}
		cancel()
	}
}

// Whoever waits for an answer when the socket goes learns that nothing is known.
func TestAnswerLost(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		_ = c.Write(r.Context(), websocket.MessageText, []byte(`{"cursor":"1"}`))
		_, _, _ = c.Read(r.Context())
		_ = c.CloseNow()
	}))
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	link := transport.New(chat.WebSocket, transport.Config{Base: s.URL, Wire: transport.Wire{HTTP: client}})
	for _, err := range link.Follow(t.Context(), "") {
		if err != nil {
			break
		}
		if _, err := link.Send(t.Context(), message("room", "x")); !errors.Is(err, transport.ErrCut) || chat.Final(err) {
			t.Errorf("send: %v", err)
		}
	}
}
