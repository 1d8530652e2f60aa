package toxic

import (
	"errors"
	"net"
	"sync"
	"time"

	"parley/app/chat"
)

const (
	maxQueue  = 4 << 20          // bytes that one connection may delay
	writeTime = 10 * time.Second // for one piece to leave
	partTime  = 2 * time.Second  // for what was delayed to leave after the connection was closed
)

var (
	errLost = errors.New("toxic: this was lost on purpose")
	errFull = errors.New("toxic: too much is held back")
)

// A conn is a connection that may suffer. Until it first has to delay something it writes at
// once; from then on everything goes through a queue that a goroutine empties, so that order is kept.
type conn struct {
	net.Conn
	net  *Net
	bell chan struct{} // rings when there is something for pump to look at
	over chan struct{} // closed by cut
	once sync.Once

	mu      sync.Mutex
	used    use
	sent    int  // bytes of this answer
	mute    bool // it swallowed something
	pumping bool
	queue   []piece
	size    int       // bytes in queue
	free    int       // how many of queue are not held back any more
	closing closing   // what is to follow the last of queue
	until   time.Time // with closing: the patience for it
}

// A piece is something that is delayed.
type piece struct {
	bytes []byte
	since time.Time
	later time.Duration
}

type closing int

const (
	open closing = iota
	closeWrite
	closeAll
)

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	f, sick := c.net.fault(c.used)
	if !sick && !c.pumping {
		c.mu.Unlock()
		return c.Conn.Write(p)
	}
	defer c.mu.Unlock()
	select {
	case <-c.over:
		return 0, net.ErrClosed
	default:
	}
	if !c.pumping {
		if !c.net.enter(c) {
			return 0, net.ErrClosed
		}
		c.pumping = true
	}
	switch {
	case c.closing != open:
		return 0, net.ErrClosed
	case c.mute && !f.HalfOpen, f.Loss > 0 && c.net.random() < f.Loss:
		c.cut()
		return 0, errLost
	case f.HalfOpen:
		c.mute = true
		return len(p), nil
	}
	n := len(p)
	if f.CutBytes > 0 && c.sent+n > f.CutBytes {
		p = p[:max(f.CutBytes-c.sent, 0)]
	}
	c.sent += n
	if c.size+len(p) > maxQueue {
		c.cut()
		return 0, errFull
	}
	c.queue = append(c.queue, piece{append([]byte(nil), p...), time.Now(), f.Latency(c.net.random())})
	c.size += len(p)
	if len(p) < n {
		c.end(closeAll)
	}
	c.nudge()
	return n, nil
}

// nudge has pump look again.
func (c *conn) nudge() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// pump writes what was delayed, when it is time.
func (c *conn) pump() {
	defer c.net.leave(c)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p, wait, last := c.next()
		if p != nil {
			if _, err := c.send(p); err != nil {
				c.cut()
				return
			}
			continue
		}
		switch last {
		case closeAll:
			c.cut()
			return
		case closeWrite:
			if h, ok := c.Conn.(interface{ CloseWrite() error }); ok {
				_ = h.CloseWrite() // it may be gone already
			}
		case open:
		}
		timer.Reset(wait)
		select {
		case <-c.bell:
		case <-timer.C:
		case <-c.over:
			return
		}
	}
}

func (c *conn) send(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// next is what is to be written now, or how long to wait until there may be something. last is what
// is to be done when there is nothing left.
func (c *conn) next() (p []byte, wait time.Duration, last closing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, sick := c.net.fault(c.used)
	switch {
	case c.mute && !f.HalfOpen: // it is cured, but what it swallowed is gone
		return nil, 0, closeAll
	case len(c.queue) == 0:
		if last = c.closing; last == closeWrite {
			c.closing = open // once
		}
		return nil, time.Hour, last
	}
	now, first := time.Now(), c.queue[0]
	ready := first.since.Add(first.later).Sub(now)
	switch {
	case c.closing != open:
		wait = min(ready, c.until.Sub(now))
	case sick:
		if c.free == 0 {
			if wait = c.held(f, now); wait > 0 {
				return nil, wait, open
			}
			c.free = len(c.queue)
		}
		wait = ready
	}
	if wait > 0 {
		return nil, wait, open
	}
	c.queue = c.queue[1:]
	c.size -= len(first.bytes)
	c.free = max(c.free-1, 0)
	return first.bytes, 0, open
}

// held is how long the queue is held back still, because there is too little of it.
func (c *conn) held(f chat.Fault, now time.Time) time.Duration {
	switch {
	case f.HoldBytes == 0 && f.HoldMS == 0, f.HoldBytes > 0 && c.size >= f.HoldBytes:
		return 0
	case f.HoldMS == 0:
		return time.Hour
	}
	return c.queue[0].since.Add(time.Duration(f.HoldMS) * time.Millisecond).Sub(now)
}

// end has pump do what is to follow the last of the queue. mu is held.
func (c *conn) end(how closing) {
	if c.until.IsZero() {
		c.until = time.Now().Add(partTime)
	}
	c.closing = max(c.closing, how)
	c.nudge()
}

// cut ends the connection at once.
func (c *conn) cut() {
	c.once.Do(func() {
		close(c.over)
		_ = c.Conn.Close() // that it fails says that it is closed
	})
}

// Close lets what was delayed leave, for a moment, and then closes.
func (c *conn) Close() error {
	c.mu.Lock()
	if c.pumping {
		c.end(closeAll)
		c.mu.Unlock()
		// Whoever reads is to end now, as from any connection that is closed.
		return c.Conn.SetReadDeadline(time.Now().Add(-time.Second))
	}
	c.mu.Unlock()
	c.cut()
	return nil
}

// CloseWrite is a TCP connection's.
func (c *conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pumping {
		c.end(closeWrite)
		return nil
	}
	if h, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return nil
}

// SetWriteDeadline does nothing while the queue takes everything at once.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pumping {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline sets both.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
