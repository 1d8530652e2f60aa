package swarm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"

	"parley/app/chat"
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
	ports []int   // of its connections
	ends  []error // how its ways ended
}

// sleep makes a sleeper of a reader. perSecond is how many bytes it reads; 0: none.
func sleep(r *reader, perSecond rate.Limit) *sleeper {
	s := &sleeper{reader: r, drops: rate.NewLimiter(rate.Inf, 512), awake: make(chan struct{})}
	r.over = func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ends = append(s.ends, err)
	}
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

// ended is how its ways ended, but for the one that is open.
func (s *sleeper) ended() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ends)
}

// tooSlow reports whether a way ended with the server saying that its reader does not keep up.
func tooSlow(err error) bool {
	if c, ok := errors.AsType[closed](err); ok {
		return c == chat.CloseSlow
	}
	told, ok := errors.AsType[*chat.Error](err)
	return ok && told.Code == chat.CodeUnavailable && strings.Contains(told.Message, "does not keep up")
}

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
