package api

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// A block is a wire over any connection: it can only block.
type block struct {
	conn net.Conn
	last bool // the farewell is the last in both directions: close for writing after it
}

func (b *block) await(func()) bool { return false }

func (b *block) try([]byte) (int, error) { return 0, nil }

func (b *block) write(p []byte, deadline time.Time) (int, error) {
	if err := b.conn.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := b.conn.Write(p)
	if err == nil {
		err = b.conn.SetWriteDeadline(time.Time{})
	}
	return n, err
}

func (b *block) widen() {}

func (b *block) part() {
	// Errors mean that the connection is gone already.
	_ = b.conn.SetReadDeadline(time.Now().Add(partTime))
	if c, ok := b.conn.(interface{ CloseWrite() error }); ok && b.last {
		_ = c.CloseWrite()
	}
}

func (b *block) cut() {
	conn := b.conn
	if t, ok := conn.(*tls.Conn); ok { // which would say so first, and wait for a full socket
		conn = t.NetConn()
	}
	_ = conn.Close()
}

// A response is a wire over net/http: with TLS, HTTP/2, and whatever else there may be.
type response struct {
	w    http.ResponseWriter
	out  *http.ResponseController
	over func() // ends whoever serves the request

	mu   sync.Mutex
	done bool // guarded by mu; the request is answered, and out is not to be used any more
	gone bool // guarded by mu; it is cut
}

func (p *response) await(func()) bool { return false }

func (p *response) try([]byte) (int, error) { return 0, nil }

func (p *response) write(b []byte, deadline time.Time) (int, error) {
	if err := p.out.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := p.w.Write(b)
	if err == nil {
		err = p.out.Flush()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && !p.done && !p.gone { // HTTP/2 would end a stream that has nothing to say then
		err = p.out.SetWriteDeadline(time.Time{})
	}
	return n, err
}

func (p *response) widen() {}

func (p *response) part() {}

func (p *response) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	if !p.done {
		_ = p.out.SetWriteDeadline(time.Now().Add(-time.Second))
		p.over()
	}
}

func (p *response) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
}
