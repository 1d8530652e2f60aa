// Package toxic is a bad network, made on purpose: to rehearse, on one's own server, what
// happens elsewhere.
//
// A [Net] has faults, and makes the connections of a listener suffer them. Which fault a
// connection suffers depends on what it is just used for: whoever serves a request says so by
// [Net.Strike]. Faults may be set and taken away at any time, and work at once, also on streams that
// are open; what a connection swallowed meanwhile can not be had again, so that it ends.
//
// What leaves passes through: nothing is done to what comes in. A connection that suffers nothing
// costs next to nothing, but it is no *net.TCPConn any more: who would write to sockets directly
// can not, and a goroutine serves each stream.
package toxic

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"

	"parley/app/chat"
)

// A Net is a network with faults. Its methods may be called by many at once.
type Net struct {
	faults atomic.Pointer[[]chat.Fault]
	random func() float64

	mu      sync.Mutex
	conns   map[*conn]struct{} // those that delay something; guarded by mu
	closed  bool               // guarded by mu
	pumping sync.WaitGroup
}

// New returns a network without faults. random is in [0, 1); nil draws at random.
func New(random func() float64) *Net {
	if random == nil {
		random = rand.Float64
	}
	n := &Net{random: random, conns: map[*conn]struct{}{}}
	n.Set(nil)
	return n
}

// Faults returns those there are.
func (n *Net) Faults() []chat.Fault { return *n.faults.Load() }

// Set replaces the faults.
func (n *Net) Set(faults []chat.Fault) {
	list := append([]chat.Fault{}, faults...)
	n.faults.Store(&list)
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns { // what they hold back may have to leave now
		c.nudge()
	}
}

// Close cuts what still delays something and waits for all goroutines of n.
func (n *Net) Close() {
	n.mu.Lock()
	n.closed = true
	for c := range n.conns {
		c.cut()
	}
	n.mu.Unlock()
	n.pumping.Wait()
}

// Listen makes the connections of l suffer.
func (n *Net) Listen(l net.Listener) net.Listener { return listener{l, n} }

type listener struct {
	net.Listener
	n *Net
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.n.Wrap(c), nil
}

// Wrap makes one connection suffer.
func (n *Net) Wrap(c net.Conn) net.Conn {
	return &conn{Conn: c, net: n, bell: make(chan struct{}, 1), over: make(chan struct{})}
}

type key struct{}

// Context is a http.Server's ConnContext: requests find their connection by it.
func Context(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, key{}, c)
}

// A use is what a connection is used for.
type use struct {
	struck  bool
	via     chat.Via // "": a send
	session string
}

// Strike says what the connection of a request is used for from now on: a feed over via, or, if
// that is "", a send.
func (n *Net) Strike(ctx context.Context, via chat.Via, session string) {
	n.use(ctx, use{true, via, session})
}

// Spare says that the connection of a request is used for what no fault is for.
func (n *Net) Spare(ctx context.Context) { n.use(ctx, use{}) }

func (n *Net) use(ctx context.Context, u use) {
	if c, ok := ctx.Value(key{}).(*conn); ok && c.net == n {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.used, c.sent = u, 0
	}
}

// fault is the one that a use suffers.
func (n *Net) fault(u use) (chat.Fault, bool) {
	if !u.struck {
		return chat.Fault{}, false
	}
	for _, f := range *n.faults.Load() {
		if (f.Via == "" || f.Via == u.via) && (f.Session == "" || f.Session == u.session) {
			return f, true
		}
	}
	return chat.Fault{}, false
}

// enter lets c have a goroutine, unless it is too late.
func (n *Net) enter(c *conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.conns[c] = struct{}{}
	n.pumping.Go(c.pump)
	return true
}

func (n *Net) leave(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}
