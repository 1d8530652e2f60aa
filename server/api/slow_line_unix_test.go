//go:build unix

package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/app/chat"
	"parley/server/api"
)

// A long answer arrives over a line on which it takes longer than a request may take until it is answered: what is
// bounded is how long each piece of it takes.
func TestSlowLine(t *testing.T) {
	const bound = 500 * time.Millisecond
	w := newWorld(t, setting{api: func(o *api.Options) { o.Patience = bound }})
	ana := w.owner()
	bot := ana.program()
	for range 90 {
		ana.say(w.room, strings.Repeat("slowly ", chat.MaxText/7))
	}
	// The kernel would take much of an answer at once, in either place.
	small := func(option int) func(_, _ string, c syscall.RawConn) error {
		return func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, 8<<10) })
		}
	}
	l, err := (&net.ListenConfig{Control: small(syscall.SO_SNDBUF)}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	s := w.api.HTTP()
	go func() { served <- s.Serve(l) }()
	defer func() { must(t, s.Close()); <-served }()
	for _, path := range []string{"/api/snapshot", "/api/rooms/" + string(w.room) + "/events", "/api/feed?via=poll&after=" + string(ana.snapshot().Cursor)} {
		t.Run(path[:10], func(t *testing.T) {
			if strings.Contains(path, "feed") { // which has what comes after the cursor
				for range 90 {
					ana.say(w.room, strings.Repeat("slowly ", chat.MaxText/7))
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			conn, err := (&net.Dialer{Control: small(syscall.SO_RCVBUF)}).DialContext(ctx, "tcp", l.Addr().String())
			must(t, err)
			defer func() { _ = conn.Close() }()
			must(t, conn.SetDeadline(time.Now().Add(patience)))
			q := bot.request("GET", path, nil)
			q.Host = l.Addr().String()
			must(t, q.Write(conn))
			began := time.Now()
			pace := time.NewTicker(30 * time.Millisecond)
			defer pace.Stop()
			resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), q)
			must(t, err)
			defer func() { _ = resp.Body.Close() }()
			var text strings.Builder
			for {
				n, err := io.CopyN(&text, resp.Body, 12<<10)
				if n < 12<<10 {
					break
				}
				must(t, err)
				<-pace.C
			}
			if took := time.Since(began); took < bound {
				t.Fatalf("%d bytes came within %v: this line is not slow", text.Len(), took)
			}
			if resp.StatusCode != http.StatusOK || int64(text.Len()) != resp.ContentLength || !json.Valid([]byte(text.String())) {
				t.Errorf("%d bytes of %d came", text.Len(), resp.ContentLength)
			}
		})
	}
}
