// Package proxy is a TCP proxy on loopback that does to connections what bad networks do.
//
// A [Line] is the way of one client to the server. It has at most one [Fault], which may come and
// go at any time and works at once, also on connections that are open and on what is under way
// in them. Both directions suffer it. What TCP promises is kept: bytes arrive in order and unchanged, or
// the connection ends.
package proxy

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// dialTime is how long the server may take to accept a connection.
const dialTime = 5 * time.Second

// A Fault is what a line suffers. The fields that are set come together.
type Fault struct {
	Latency time.Duration // everything is late by this
	Jitter  time.Duration // … and up to this more
	Rate    int           // bytes a second, in each direction of each connection
	Slice   int           // bytes arrive in pieces of 1 to Slice
	Cut     int           // a connection ends after so many bytes to the client
	Reset   bool          // connections are reset, also those that begin
	Silent  bool          // nothing passes, and nobody is told
	Lose    bool          // with Silent: connections are reset once it is over, as what was sent is lost
}

// A Line is a proxy for one client. Its methods may be called by many at once.
type Line struct {
	listener net.Listener
	to       string
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu    sync.Mutex
	rand  *rand.Rand
	now   *struck
	conns map[*conn]struct{}
}

// struck is a fault while it lasts. The zero fault is a line that is well.
type struck struct {
	Fault
	over chan struct{} // closed when another takes its place
}

// Listen opens a line to the address of a server. The seed decides what a fault leaves to chance.
func Listen(ctx context.Context, to string, seed uint64) (*Line, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Line{listener: listener, to: to, rand: rand.New(rand.NewPCG(seed, 0)),
		now: &struck{over: make(chan struct{})}, conns: map[*conn]struct{}{}}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.wg.Go(l.accept)
	return l, nil
}

// Dial connects to the line, whatever the address asked for: it is an http.Transport's DialContext.
func (l *Line) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", l.listener.Addr().String())
}

// Suffer puts f in the place of the fault there is, if any. What it returns takes it away again, unless
// another has come since.
func (l *Line) Suffer(f Fault) (heal func()) {
	s := l.put(&struck{Fault: f, over: make(chan struct{})})
	if f.Reset {
		for _, c := range l.all() {
			c.end(true)
		}
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.now == s {
			close(s.over)
			l.now = &struck{over: make(chan struct{})}
		}
	}
}

func (l *Line) put(s *struck) *struck {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.now.over)
	l.now = s
	return s
}

func (l *Line) all() []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		list = append(list, c)
	}
	return list
}

func (l *Line) current() *struck {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// random is in [0, n).
func (l *Line) random(n int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rand.Int64N(n)
}

// Close ends all connections and waits for the line's goroutines.
func (l *Line) Close() error {
	l.cancel()
	err := l.listener.Close()
	for _, c := range l.all() {
		c.end(false)
	}
	l.wg.Wait()
	return err
}

func (l *Line) accept() {
	for {
		client, err := l.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			l.wg.Go(func() { l.serve(client) })
		}
	}
}

// serve connects a client and carries what both sides say.
func (l *Line) serve(client net.Conn) {
	c := &conn{line: l, client: client, over: make(chan struct{})}
	if l.current().Reset {
		c.end(true)
		return
	}
	d := net.Dialer{Timeout: dialTime}
	server, err := d.DialContext(l.ctx, "tcp", l.to)
	if err != nil { // the server is down: the client is told as it would be
		c.end(true)
		return
	}
	c.server = server
	l.mu.Lock()
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	if l.ctx.Err() != nil { // Close may have looked before
		c.end(false)
	}
	var both sync.WaitGroup
	both.Go(func() { c.carry(server, client, false) })
	both.Go(func() { c.carry(client, server, true) })
	both.Wait()
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}
