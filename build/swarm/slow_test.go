package swarm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"

	"parley/app/chat"
	"parley/build/child"
)

// A valve is a connection of which its end reads as much as it is let.
type valve struct {
	net.Conn
	ctx   context.Context        // ends waiting
	shut  func() <-chan struct{} // what to wait for before reading on; nil: nothing
	drops *rate.Limiter          // of bytes
}

func (v *valve) Read(p []byte) (int, error) {
	if wake := v.shut(); wake != nil {
		select {
		case <-wake:
		case <-v.ctx.Done():
			return 0, v.ctx.Err()
		}
	}
	if v.drops.Limit() != rate.Inf {
		p = p[:min(len(p), v.drops.Burst())]
		if err := v.drops.WaitN(v.ctx, len(p)); err != nil {
			return 0, err
		}
	}
	return v.Conn.Read(p)
}

// narrow dials with a small buffer to receive into, so that a server soon notices who does not read.
func narrow(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if cerr := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<10) }); cerr != nil {
			return cerr
		}
		return err
	}}
	return d.DialContext(ctx, "tcp", addr)
}

// A sleeper is a reader whose first connection, once open, is read at a trickle or not at all, until it wakes.
type sleeper struct {
	*reader
	drops *rate.Limiter
	awake chan struct{} // closed when it wakes

	mu    sync.Mutex
	ports []int // of its connections
}

// sleep makes a sleeper of a reader. perSecond is how many bytes it reads; 0: none.
func sleep(r *reader, perSecond rate.Limit) *sleeper {
	s := &sleeper{reader: r, drops: rate.NewLimiter(rate.Inf, 512), awake: make(chan struct{})}
	r.dial = func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := narrow(ctx, addr)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ports = append(s.ports, conn.LocalAddr().(*net.TCPAddr).Port)
		if len(s.ports) > 1 {
			return conn, nil
		}
		return &valve{Conn: conn, ctx: ctx, drops: s.drops, shut: func() <-chan struct{} {
			switch {
			case r.openings() == 0:
				return nil
			case perSecond == 0:
				return s.awake
			}
			select {
			case <-s.awake:
				s.drops.SetLimit(rate.Inf)
			default:
				s.drops.SetLimit(perSecond)
			}
			return nil
		}}, nil
	}
	return s
}

// wake lets it read again. It may be asleep on a connection that is long gone.
func (s *sleeper) wake() { close(s.awake) }

// dropped waits until the server has let go of the connection that is not read.
func (s *sleeper) dropped(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		s.mu.Lock()
		port := s.ports[0]
		s.mu.Unlock()
		if still, err := held(s.srv.Addr(), port); err != nil || !still {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the server still holds a %s that does not read: %w", s.via, context.Cause(ctx))
		}
	}
}

// TestSlowReaders: whoever reads slowly, or not at all, costs the others nothing and the server a bounded amount of
// memory, is cut off, and loses nothing.
func TestSlowReaders(t *testing.T) {
	plan := plan(t)
	const few = 5
	const kept = 16_384 // events, in the server's memory
	readers, pace, size, length := pick(60, 490), pick(500.0, 1000.0), pick(1000, 120), pick(2*time.Second, time.Minute)
	w := newWorld(t, 20, 4, 4)
	ctx, cancel := within(t.Context())
	defer cancel()

	begin := w.now()
	others := start(t.Context(), w.readers(readers, begin, chat.Vias[:]...), soon)
	defer others.close()
	w.must(others.open(ctx, 1))
	// The newest events are kept as JSON and in the form of each stream: there are as many as there will be, and the collector has
	// found its level, before memory is measured.
	filling := w.write(t.Context(), plan, pick(4000.0, pace), size)
	err := filling.await(ctx, pick(1, 3)*kept)
	w.must(errors.Join(err, filling.close()))
	filled, _, _ := filling.sent()
	begin = w.now()
	w.must(others.level(ctx, begin.heads))
	before, err := child.Resident(w.srv.PID())
	w.must(err)

	var stopped, trickling []*sleeper
	var all []*reader
	for _, r := range w.readers(few, begin, chat.WebSocket, chat.EventSource) {
		stopped = append(stopped, sleep(r, 0))
		all = append(all, r)
	}
	for _, r := range w.readers(few, begin, chat.Vias[:]...) {
		trickling = append(trickling, sleep(r, 1<<10))
		all = append(all, r)
	}
	slow := start(t.Context(), all, soon)
	defer slow.close()
	w.must(slow.open(ctx, 1))

	ws := w.write(t.Context(), plan, pace, size)
	defer func() { _ = ws.close() }() // closed before, unless something failed
	began := time.Now()
	for _, s := range stopped {
		w.must(s.dropped(ctx))
	}
	t.Logf("those that stopped were cut off after %v", time.Since(began).Round(time.Millisecond))
	rest(t.Context(), length)
	during, err := child.Resident(w.srv.PID())
	w.must(err)
	w.must(ws.close())
	ctx, cancel = within(t.Context())
	defer cancel()
	goal := w.now().heads
	w.must(others.level(ctx, goal))
	for _, s := range append(stopped, trickling...) {
		s.wake()
	}
	w.must(slow.level(ctx, goal))
	w.must(ws.check(ctx, filled))
	n, took, again := ws.sent()
	t.Logf("%d messages, acknowledged p50 %v, p99 %v; %d deliveries; resident %d KiB before, %d after", n, quantile(took, .5), quantile(took, .99),
		others.deliveries()+slow.deliveries(), before, during)
	if again > 0 {
		t.Errorf("%d sends were not answered", again)
	}
	// A slow reader may have a page of the log of its own, and what is written for it at a time; the collector lets both double. A
	// queue of its own would be many times that in the full form. The short one finds only what is gross; build/chaos catches a build
	// that queues.
	allowed := 16<<10 + len(all)*2<<10
	if during-before > int64(allowed) {
		t.Errorf("the server took %d KiB more with %d slow readers, which is beyond %d", during-before, len(all), allowed)
	}
}
