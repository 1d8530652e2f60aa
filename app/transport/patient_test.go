//go:build !js

package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/app/transport"
)

var errQuiet = errors.New("quiet")

// Silence ends it, with the cause, and so does what it is made of.
func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := transport.Patient(t.Context(), 10*time.Second, errQuiet)
		defer cancel()
		began := time.Now()
		<-ctx.Done()
		if took := time.Since(began); took != 10*time.Second || !errors.Is(context.Cause(ctx), errQuiet) {
			t.Errorf("it ended after %v with %v", took, context.Cause(ctx))
		}
		parent, stop := context.WithCancelCause(t.Context())
		ctx, cancel = transport.Patient(parent, 10*time.Second, errQuiet)
		defer cancel()
		stop(http.ErrServerClosed)
		if <-ctx.Done(); !errors.Is(context.Cause(ctx), http.ErrServerClosed) {
			t.Errorf("it ended with %v", context.Cause(ctx))
		}
	})
}

// drip is a server whose answer comes in pieces, as slowly as this, in a bubble.
func drip(t *testing.T, pieces int, every time.Duration) (client *http.Client, end func()) {
	t.Helper()
	conns := make(chan net.Conn)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := `{"cursor":"` + strings.Repeat("c", pieces) + `"}`
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		for i := 0; i < len(text); {
			n := min(len(text)-i, len(text)/pieces+1)
			if _, err := w.Write([]byte(text[i : i+n])); err != nil {
				return
			}
			i += n
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(every):
			case <-r.Context().Done():
				return
			}
		}
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(pipes(conns))
	}()
	client = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		conns <- far
		return near, nil
	}}}
	return client, func() {
		client.CloseIdleConnections()
		_ = s.Close()
		<-served
	}
}

// pipes is a listener for what comes out of a channel.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error { close(p); return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// An answer that keeps coming is waited for, two who are patient one within the other both hear of it, and one that stops is not.
func TestPatienceIsForWhatComes(t *testing.T) {
	for name, c := range map[string]struct {
		pieces int
		every  time.Duration
		want   error
	}{
		"slow":      {10, 8 * time.Second, nil},
		"stops":     {10, 12 * time.Second, errQuiet},
		"very long": {100, 8 * time.Second, errQuiet},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, end := drip(t, c.pieces, c.every)
				defer end()
				outer, cancel := transport.Patient(t.Context(), 10*time.Second, errQuiet)
				defer cancel()
				ctx, cancel := transport.Patient(outer, 11*time.Second, errQuiet)
				defer cancel()
				began := time.Now()
				b, err := transport.NewCaller(transport.Config{Base: "http://server", Wire: transport.Wire{HTTP: client}}).Peek(ctx, "")
				if name == "very long" && errors.Is(err, transport.ErrSilent) {
					err = errQuiet // all three who are patient give up at the same moment; any may be the first
				}
				if !errors.Is(err, c.want) || c.want == nil && len(b.Cursor) != c.pieces {
					t.Errorf("after %v: %v, a cursor of %d bytes", time.Since(began), err, len(b.Cursor))
				}
				if took := time.Since(began); c.want == nil && took < 50*time.Second || took > 5*time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
