package api

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A readiness knows of connections that wait for something to read, and need no goroutine for
// it. It is an epoll of its own, beside the one that the runtime has.
type readiness struct {
	file *os.File // the epoll; to the runtime a file like others, so that run waits without a thread
	raw  syscall.RawConn

	mu      sync.Mutex
	last    uint64            // number given out
	waiting map[uint64]func() // by the number that epoll has of it: a descriptor may be another's by now
}

func newReadiness() (*readiness, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &readiness{file: file, raw: raw, waiting: make(map[uint64]func())}, nil
}

// run calls those whose turn has come, until close.
func (r *readiness) run() {
	events := make([]unix.EpollEvent, 16)
	for {
		n := 0
		err := r.raw.Read(func(fd uintptr) bool {
			var err error
			n, err = unix.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
		})
		if err != nil || n < 0 {
			return
		}
		for _, e := range events[:n] {
			r.call(uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32)
		}
		runtime.Gosched()
	}
}

// await has do called, once, when c has something to read, or an end. do must not block.
func (r *readiness) await(c syscall.RawConn, do func()) (number uint64, err error) {
	r.mu.Lock()
	r.last++
	number = r.last
	r.waiting[number] = do
	r.mu.Unlock()
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(uint32(number)), Pad: int32(uint32(number >> 32))}
	var inner error
	err = c.Control(func(fd uintptr) {
		err := r.raw.Control(func(epoll uintptr) {
			inner = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_MOD, int(fd), &e)
			if errors.Is(inner, unix.ENOENT) {
				inner = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, int(fd), &e)
			}
		})
		inner = errors.Join(inner, err)
	})
	if err = errors.Join(err, inner); err != nil && !r.take(number) {
		err = nil // it was called already
	}
	return number, err
}

// call calls who waits under a number, if anyone does.
func (r *readiness) call(number uint64) {
	r.mu.Lock()
	do := r.waiting[number]
	delete(r.waiting, number)
	r.mu.Unlock()
	if do != nil {
		do()
	}
}

// take forgets a number, and reports whether somebody waited under it.
func (r *readiness) take(number uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.waiting[number]
	delete(r.waiting, number)
	return ok
}

// close ends run. From now on, nobody can begin to wait.
func (r *readiness) close() { _ = r.file.Close() }

// peek reports whether there is something to read, without reading it or waiting for it. The end is io.EOF.
func peek(c syscall.RawConn) (said bool, err error) {
	var inner error
	err = c.Control(func(fd uintptr) {
		n := 0
		for {
			var b [1]byte
			n, _, inner = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			if !errors.Is(inner, unix.EINTR) {
				break
			}
		}
		switch {
		case errors.Is(inner, unix.EAGAIN):
			inner = nil
		case inner == nil && n <= 0:
			inner = io.EOF
		default:
			said = inner == nil
		}
	})
	return said, errors.Join(err, inner)
}

// hearNow reads what there is to read, without waiting for it. The end is io.EOF.
func hearNow(c syscall.RawConn, b []byte) (n int, err error) {
	var inner error
	err = c.Read(func(fd uintptr) bool {
		for {
			if n, inner = unix.Read(int(fd), b); !errors.Is(inner, unix.EINTR) {
				return true
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case errors.Is(inner, unix.EAGAIN):
		return 0, nil
	case inner != nil:
		return 0, os.NewSyscallError("read", inner)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
