package api

import (
	"sync"
	"syscall"
)

// A peer is the other end of a stream, to be heard.
type peer interface {
	// more reports whether something that it said has been read from the wire, but not heard.
	more() bool
	// hear waits for what it says next, and heeds it. An error is the end.
	hear() error
	// gone is the last: nothing more can be heard, because of err.
	gone(err error)
}

// attend hears p until it is gone, and then closes st and calls done. While p is silent it needs no goroutine, where
// the wire can tell when that is over.
func (s *Server) attend(st *stream, p peer, done func()) {
	st.bill.hold(1, 0)
	defer st.bill.hold(-1, 0)
	s.goOn(st, p, done)
}

func (s *Server) goOn(st *stream, p peer, done func()) {
	for p.more() || !st.wire.await(func() { go s.resume(st, p, done) }) {
		if !s.heard(st, p, done) {
			return
		}
	}
}

// resume goes on once there is something to hear.
func (s *Server) resume(st *stream, p peer, done func()) {
	st.bill.hold(1, 0)
	defer st.bill.hold(-1, 0)
	if s.heard(st, p, done) {
		s.goOn(st, p, done)
	}
}

// heard reports whether p goes on after what it says next.
func (s *Server) heard(st *stream, p peer, done func()) bool {
	err := p.hear()
	if err != nil {
		p.gone(err)
		st.close()
		done()
	}
	return err == nil
}

// An ear waits for something to read on a connection, without a goroutine.
type ear struct {
	ready *readiness // nil: it can not
	raw   syscall.RawConn

	mu     sync.Mutex
	number uint64 // of who waits, or waited last
	roused bool
}

// await has do called, on another's goroutine, when there is something to read or the
// ear is roused. False says that there is no waiting: read, and block.
func (e *ear) await(do func()) bool {
	if e.ready == nil {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.roused {
		return false
	}
	n, err := e.ready.await(e.raw, do)
	e.number = n
	return err == nil
}

// rouse calls who waits now: something happened to the connection that can not be heard. Nobody waits after it.
func (e *ear) rouse() {
	if e.ready == nil {
		return
	}
	e.mu.Lock()
	e.roused = true
	n := e.number
	e.mu.Unlock()
	e.ready.call(n)
}
