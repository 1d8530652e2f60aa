package swarm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/app/chat"
	"parley/build/child"
)

// A load is what a server has to hold at one moment.
type load struct {
	files, goroutines int
	resident          int64 // KiB
	open              int64 // streams, and polls held back
}

// measure asks the server's owner, and the system. What it asks by is gone again.
func (w *world) measure(ctx context.Context, owner *child.Account) (l load, err error) {
	var c chat.Costs
	if err := w.srv.Ask(ctx, owner, http.MethodGet, "/api/lab", nil, &c); err != nil {
		return l, err
	}
	w.srv.HangUp()
	l.goroutines = c.Goroutines
	for _, way := range c.Ways {
		l.open += way.Open
	}
	if l.resident, err = child.Resident(w.srv.PID()); err != nil {
		return l, err
	}
	l.files, err = files(w.srv.PID())
	return l, err
}

// settle measures until ok, and returns what it found.
func (w *world) settle(owner *child.Account, what string, ok func(load) bool) load {
	w.t.Helper()
	ctx, cancel := within(w.t.Context())
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := w.measure(ctx, owner)
		w.must(err)
		if ok(l) {
			return l
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("the server does not come to %s: %+v: %v", what, l, context.Cause(ctx))
		}
	}
}

// A stranger is how a connection comes that nobody will use.
type stranger struct {
	name string
	do   func(ctx context.Context, w *world, conn net.Conn) error
}

// passers come and go at once; what they say may be half of something.
var passers = []stranger{
	{"says nothing", func(context.Context, *world, net.Conn) error { return nil }},
	{"says half a line", say("GET /api/fe")},
	{"leaves half a head", say("GET /api/feed?via=websocket HTTP/1.1\r\nHost: x\r\nUpgra")},
	{"breaks off", func(_ context.Context, _ *world, conn net.Conn) error {
		_, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
		return errors.Join(err, conn.(*net.TCPConn).SetLinger(0))
	}},
	{"asks, and hangs up in the answer", func(_ context.Context, w *world, conn net.Conn) error {
		_, err := fmt.Fprintf(conn, "GET /livez HTTP/1.1\r\nHost: %s\r\n\r\n", w.srv.Addr())
		if err == nil {
			_, err = io.ReadFull(conn, make([]byte, 12))
		}
		return err
	}},
}

func say(s string) func(context.Context, *world, net.Conn) error {
	return func(_ context.Context, _ *world, conn net.Conn) error {
		_, err := io.WriteString(conn, s)
		return err
	}
}

// stayers take up a connection for as long as they are let: until the server closes it.
var stayers = []stranger{
	{"says nothing", func(context.Context, *world, net.Conn) error { return nil }},
	{"closes its half", func(_ context.Context, _ *world, conn net.Conn) error { return conn.(*net.TCPConn).CloseWrite() }},
	{"dribbles its head", func(ctx context.Context, _ *world, conn net.Conn) error {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for _, b := range []byte("GET /api/feed?via=eventsource HTTP/1.1\r\nHost: a-host-whose-name-takes-forever-to-be-said\r\n") {
			if _, err := conn.Write([]byte{b}); err != nil {
				return nil // closed: what is wanted
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	}},
	{"dribbles its body", func(ctx context.Context, w *world, conn net.Conn) error {
		if _, err := fmt.Fprintf(conn, "POST /api/session HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", w.srv.Addr()); err != nil {
			return err
		}
		return nil
	}},
}

// visit opens a connection for each of n strangers, by turns, some at a time; those that stay are waited for.
func (w *world) visit(ctx context.Context, strangers []stranger, n, atOnce int, stay bool) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range n {
		g.Go(func() error {
			s := strangers[i%len(strangers)]
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.srv.Addr())
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }() // nothing is lost with it
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			if err := s.do(ctx, w, conn); err != nil {
				return fmt.Errorf("one who %s: %w", s.name, err)
			}
			if !stay {
				return nil
			}
			_, err = io.Copy(io.Discard, conn) // ends when the server has closed it
			if ctx.Err() != nil {
				return fmt.Errorf("the server still holds one who %s: %w", s.name, errors.Join(err, context.Cause(ctx)))
			}
			return nil
		})
	}
	return g.Wait()
}

// TestCrowd: a crowd that sits idle takes a bounded amount of memory each, and of those who come and go, say half of something, or
// stay without reading, nothing is left.
func TestCrowd(t *testing.T) {
	idle, passing, staying, deaf := min(pick(1000, *clients), mostFiles(t)), pick(2000, 100_000), pick(80, 800), pick(10, 40)
	w := newWorld(t, 20, 2, 1) // users of even number are in one room, those of odd number in the other
	owner, err := w.srv.AddOwner(t.Context(), "owner")
	w.must(err)

	begin := w.now()
	base := w.settle(owner, "begin", func(load) bool { return true })
	gone := func(l load) bool {
		return l.open == 0 && l.files <= base.files && l.goroutines <= base.goroutines+10
	}
	// Those who stay come first, and some of what a server takes once and for all.
	ctx, cancel := within(t.Context())
	defer cancel()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.visit(gctx, stayers, staying, staying, true) })
	g.Go(func() error { return w.deaf(gctx, deaf, begin) })
	w.must(g.Wait())
	before := w.settle(owner, "rest after those who stayed", gone)

	var first load
	for round := range 2 {
		ctx, cancel := within(t.Context())
		defer cancel()
		all := w.readers(2*idle, w.now(), chat.WebSocket, chat.WebSocket, chat.EventSource, chat.EventSource, chat.LongPoll, chat.LongPoll)
		even := make([]*reader, 0, idle)
		for i := 0; i < len(all); i += 2 {
			even = append(even, all[i])
		}
		sitting := start(t.Context(), even, soon)
		defer sitting.close()
		w.must(sitting.open(ctx, 1))
		full := w.settle(owner, "hold all", func(l load) bool { return l.open >= int64(idle) })
		w.must(w.visit(ctx, passers, passing, 50, false))
		sitting.close()
		after := w.settle(owner, "rest", gone)
		t.Logf("%d idle connections: %+v, before %+v, after %+v", idle, full, before, after)
		if round == 0 {
			first = full
			each := float64(full.resident-before.resident) / float64(idle)
			t.Logf("%.1f KiB each", each)
			if each > 48 {
				t.Errorf("an idle connection takes %.1f KiB, more than 48", each)
			}
		} else if most := first.resident + first.resident/4 + 8<<10; full.resident > most {
			t.Errorf("the second crowd takes %d KiB where the first took %d: something was left", full.resident, first.resident)
		}
	}
}

// deaf has n streams opened that are never read, sends them more than anything on the way holds, and waits until the server
// has let go of them.
func (w *world) deaf(ctx context.Context, n int, begin place) error {
	var all []*sleeper
	ctx, cancel := context.WithCancel(ctx)
	sitting := &crowd{stop: cancel}
	for i, r := range w.readers(2*n, begin, chat.WebSocket, chat.WebSocket, chat.EventSource, chat.EventSource) {
		if i%2 == 1 {
			s := sleep(r, 0)
			all = append(all, s)
			sitting.readers = append(sitting.readers, r)
			sitting.running.Go(func() { _ = r.follow(ctx) }) // however that ends
		}
	}
	defer sitting.close()
	if err := sitting.open(ctx, 1); err != nil {
		return err
	}
	if err := w.fill(ctx, w.rooms[1:2], 100, 7_900); err != nil {
		return err
	}
	for _, s := range all {
		if err := s.dropped(ctx); err != nil {
			return err
		}
	}
	return nil
}
