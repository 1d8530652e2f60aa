package proxy

import (
	"io"
	"net"
	"sync"
	"time"
)

// step is how long a slow connection pauses between two pieces.
const step = 20 * time.Millisecond

// A conn is one connection through a line.
type conn struct {
	line           *Line
	client, server net.Conn // server is nil before it is reached
	once           sync.Once
	over           chan struct{} // closed by end
}

// end closes both sides; a reset is what a host says that knows of no such connection.
func (c *conn) end(reset bool) {
	c.once.Do(func() {
		close(c.over)
		for _, side := range []net.Conn{c.client, c.server} {
			if tcp, ok := side.(*net.TCPConn); ok && reset {
				_ = tcp.SetLinger(0) // it may be closed by its peer already
			}
			if side != nil {
				_ = side.Close() // as above
			}
		}
	})
}

// carry carries one direction until either side ends, or a fault ends both.
func (c *conn) carry(to io.Writer, from io.Reader, down bool) {
	defer c.end(false)
	way := &way{conn: c, to: to, down: down}
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !way.pass(buf[:n]) || err != nil {
			return
		}
	}
}

// A way is one direction of a connection.
type way struct {
	*conn
	to    io.Writer
	down  bool
	cause *struck // the fault that left was counted for
	left  int     // bytes until it cuts the connection
}

// pass writes p as the line's fault has it, and reports whether the connection goes on.
func (w *way) pass(p []byte) bool {
	late := false // p has had its latency
	for len(p) > 0 {
		f := w.line.current()
		n := len(p)
		switch {
		case f.Reset:
			w.end(true)
			return false
		case f.Silent:
			if !w.pause(f, nil) {
				return false
			}
			if f.Lose {
				w.end(true)
				return false
			}
			continue
		case f.Latency+f.Jitter > 0 && !late:
			late = true
			if !w.wait(f, f.Latency+time.Duration(w.line.random(int64(f.Jitter)+1))) {
				return false
			}
			continue
		}
		if f.Slice > 0 {
			n = min(n, 1+int(w.line.random(int64(f.Slice))))
		}
		if f.Rate > 0 {
			n = min(n, max(1, int(int64(f.Rate)*int64(step)/int64(time.Second))))
		}
		if f.Cut > 0 && w.down {
			if w.cause != f {
				w.cause, w.left = f, f.Cut
			}
			if n = min(n, w.left); n == 0 {
				w.end(false)
				return false
			}
			w.left -= n
		}
		if _, err := w.to.Write(p[:n]); err != nil {
			return false
		}
		p = p[n:]
		if f.Rate > 0 && !w.wait(f, time.Duration(n)*time.Second/time.Duration(f.Rate)) {
			return false
		}
	}
	return true
}

// wait waits for d, or for the end of the fault, and reports whether the connection is still there.
func (w *way) wait(f *struck, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	return w.pause(f, t.C)
}

func (w *way) pause(f *struck, enough <-chan time.Time) bool {
	select {
	case <-enough:
	case <-f.over:
	case <-w.over:
		return false
	}
	return true
}
