package api

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// idleTime is how long a connection may be silent between two requests.
const idleTime = 120 * time.Second

// A kept connection was answered away from net/http, and waits for the next request of its
// peer. It needs no goroutine meanwhile.
type kept struct {
	*asker
	ear  *ear
	wire wire
	conn *net.TCPConn
	idle *time.Timer
}

func (k *kept) cut() {
	_ = k.conn.Close()
	k.ear.rouse()
}

// keep waits for what p's peer says next, and then answers it or gives the connection back to net/http. The caller counts
// as running.
func (s *Server) keep(p *parked) {
	if len(p.early) > 0 {
		s.giveBack(p.web, &returned{TCPConn: p.conn, early: p.early})
		return
	}
	k := &kept{asker: p.asker, ear: &ear{ready: s.readiness, raw: p.ear.raw}, wire: p.wire, conn: p.conn}
	s.mu.Lock()
	if s.isDraining() {
		s.mu.Unlock()
		_ = k.conn.Close()
		return
	}
	s.kept[k] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	k.idle = time.AfterFunc(idleTime, k.cut)
	s.listen(k)
}

// listen waits until k's peer says something, or k is cut.
func (s *Server) listen(k *kept) {
	if k.ear.await(func() { go s.listened(k) }) {
		return
	}
	s.unkeep(k)
	_ = k.conn.Close()
	s.running.Done()
}

func (s *Server) unkeep(k *kept) {
	k.idle.Stop()
	s.mu.Lock()
	delete(s.kept, k)
	s.mu.Unlock()
}

// giveBack has web serve what comes on conn, as if it were new.
func (s *Server) giveBack(web *http.Server, conn *returned) {
	s.mu.Lock()
	if s.isDraining() {
		s.mu.Unlock()
		_ = conn.Close()
		return
	}
	r := s.returns[web]
	if r == nil {
		r = &returns{addr: conn.LocalAddr(), conns: make(chan net.Conn), closed: make(chan struct{})}
		s.returns[web] = r
		s.running.Go(func() { _ = web.Serve(r) }) // until either closes
	}
	s.mu.Unlock()
	select {
	case r.conns <- conn:
	case <-r.closed:
		_ = conn.Close()
	}
}

// letGo cuts what is kept, and ends what takes it back.
func (s *Server) letGo() {
	s.mu.Lock()
	list := make([]*kept, 0, len(s.kept))
	for k := range s.kept {
		list = append(list, k)
	}
	for _, r := range s.returns {
		_ = r.Close()
	}
	s.mu.Unlock()
	for _, k := range list {
		k.cut()
	}
}

// returns is a net.Listener of connections that come back.
type returns struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (r *returns) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}

func (r *returns) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

func (r *returns) Addr() net.Addr { return r.addr }
