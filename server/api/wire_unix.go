//go:build unix

package api

import (
	"errors"
	"net"
	"syscall"
)

// What the kernel may hold for a reader, and what it may at the end.
const (
	narrow = 128 << 10
	wide   = 512 << 10
)

// A socket is a wire over plain TCP that need not block.
type socket struct {
	block
	ear

	// The arguments and results of once, which is kept so that it is not made anew for each write.
	once func(fd uintptr)
	p    []byte
	n    int
	err  error
}

// newSocket returns a wire over c, or nil if that can not be had.
func newSocket(c *net.TCPConn, last bool, ready *readiness) wire {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	// The kernel would take megabytes for a reader that has stopped before anything notices.
	_ = c.SetWriteBuffer(narrow)
	tune(raw)
	s := &socket{block: block{conn: c, last: last}, ear: ear{ready: ready, raw: raw}}
	s.once = func(fd uintptr) {
		for {
			s.n, s.err = send(fd, s.p)
			if !errors.Is(s.err, syscall.EINTR) {
				break
			}
		}
		if errors.Is(s.err, syscall.EAGAIN) {
			s.n, s.err = 0, nil
		}
	}
	return s
}

// try has no part in what Go knows of waiting writers, as Write has: it does not wait, and who calls it keeps others from writing.
func (s *socket) try(p []byte) (int, error) {
	s.p = p
	err := s.raw.Control(s.once)
	s.p = nil
	if err == nil {
		err = s.err
	}
	return max(s.n, 0), err
}

func (s *socket) await(do func()) bool { return s.ear.await(do) }

func (s *socket) widen() {
	if c, ok := s.conn.(*net.TCPConn); ok {
		_ = c.SetWriteBuffer(wide) // or the most that the system lets it: what does not fit is not said
	}
}

func (s *socket) part() {
	s.block.part()
	s.rouse()
}

func (s *socket) cut() {
	s.block.cut()
	s.rouse()
}
