package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// streams reads all followers that only listen, on one goroutine and into one buffer: with a goroutine and a
// buffer for each, switching between them would be what is measured.
type streams struct {
	load  *load
	epoll *os.File // to the runtime a file like others, so that waiting for it takes no thread
	raw   syscall.RawConn

	mu   sync.Mutex
	kept map[int32][]byte // guarded by mu; by descriptor, what may be the beginning of a mark
}

func newStreams(l *load) (*streams, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	s := &streams{load: l, epoll: os.NewFile(uintptr(fd), "epoll"), kept: make(map[int32][]byte)}
	if s.raw, err = s.epoll.SyscallConn(); err != nil {
		return nil, errors.Join(err, s.epoll.Close())
	}
	return s, nil
}

// add takes c over. The runtime has an epoll of its own, which must not hear of c as well: the descriptor read
// from here on is a copy that it does not know.
func (s *streams) add(c net.Conn) error {
	defer func() { _ = c.Close() }()
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return fmt.Errorf("%T is no TCP connection", c)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	fd := -1
	var inner error
	if err := raw.Control(func(own uintptr) { fd, inner = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return err
	}
	if inner != nil {
		return os.NewSyscallError("fcntl", inner)
	}
	s.mu.Lock()
	s.kept[int32(fd)] = nil
	s.mu.Unlock()
	return os.NewSyscallError("epoll_ctl", s.control(func(epoll int) error {
		return unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	}))
}

func (s *streams) control(f func(epoll int) error) error {
	var inner error
	err := s.raw.Control(func(epoll uintptr) { inner = f(int(epoll)) })
	return errors.Join(err, inner)
}

// run reads until ctx ends or a follower does.
func (s *streams) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = s.epoll.Close() })()
	buf := make([]byte, 64<<10)
	events := make([]unix.EpollEvent, 256)
	for {
		n := 0
		var inner error
		err := s.raw.Read(func(epoll uintptr) bool {
			n, inner = unix.EpollWait(int(epoll), events, 0)
			return n > 0 || inner != nil && !errors.Is(inner, unix.EINTR)
		})
		if ctx.Err() != nil {
			return nil
		}
		if err = errors.Join(err, inner); err != nil {
			return err
		}
		for _, e := range events[:n] {
			if err := s.read(e.Fd, buf); err != nil {
				return err
			}
		}
		runtime.Gosched() // whoever is to post has waited for one of these
	}
}

// read counts what there is to read on one connection.
func (s *streams) read(fd int32, buf []byte) error {
	s.mu.Lock()
	kept := copy(buf, s.kept[fd])
	s.mu.Unlock()
	n, err := unix.Read(int(fd), buf[kept:])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return io.ErrUnexpectedEOF
	}
	rest := s.load.scan(buf[:kept+n])
	if len(rest) == 0 && kept == 0 {
		return nil
	}
	s.mu.Lock()
	s.kept[fd] = append(s.kept[fd][:0], rest...)
	s.mu.Unlock()
	return nil
}

// close ends all connections. run has returned.
func (s *streams) close() {
	_ = s.epoll.Close()
	for fd := range s.kept {
		_ = unix.Close(int(fd))
	}
}
