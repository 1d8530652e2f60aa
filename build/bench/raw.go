package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// frameSize is about what an event with a message of 200 bytes has on the wire.
const frameSize = 440

// raw is this program as a child that does nothing but write prebuilt frames.
type raw struct{ process }

func newRaw(ctx context.Context, dir string, flushed bool) (*raw, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err = os.MkdirTemp(dir, "raw")
	if err != nil {
		return nil, err
	}
	args := []string{"-serve-raw", "127.0.0.1:0"}
	if flushed {
		args = append(args, "-flush", filepath.Join(dir, "kept"))
	}
	r := &raw{process{cmd: exec.CommandContext(ctx, self, args...)}}
	return r, r.start(ctx, dir)
}

func (r *raw) follow(ctx context.Context, l *load) (*follower, error) {
	return dialStream(ctx, r.addr, turn{"F", "F"})
}

type rawPoster struct{ conn net.Conn }

func (r *raw) post(ctx context.Context) (poster, error) {
	conn, err := dial(ctx, r.addr)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(conn, "S")
	return rawPoster{conn}, err
}

func (p rawPoster) post(_ context.Context, text string) error {
	if err := p.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(p.conn, text); err != nil {
		return err
	}
	_, err := io.ReadFull(p.conn, make([]byte, 1))
	return err
}

func (p rawPoster) close() { _ = p.conn.Close() }

// rawServer passes on what senders say to all followers, as much as is there in one write each.
type rawServer struct {
	said chan said
	disk *os.File // to which it is written and flushed before; nil: nowhere

	mu        sync.Mutex
	followers []rawFollower
}

// A rawFollower is a socket to write to.
type rawFollower struct {
	net.Conn
	raw syscall.RawConn
}

type said struct {
	mark  string
	heard chan struct{}
}

// serveRaw is the child: it prints its address and serves until it is killed.
func serveRaw(ctx context.Context, addr, flush string) error {
	s := &rawServer{said: make(chan said, 1024)}
	if flush != "" {
		f, err := os.Create(flush)
		if err != nil {
			return err
		}
		s.disk = f
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go s.pump() // for as long as the process lives
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go s.serve(conn)
	}
}

func (s *rawServer) serve(conn net.Conn) {
	kind := make([]byte, 1)
	if _, err := io.ReadFull(conn, kind); err != nil {
		_ = conn.Close()
		return
	}
	if kind[0] == 'F' {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			_ = conn.Close()
			return
		}
		s.mu.Lock()
		s.followers = append(s.followers, rawFollower{conn, raw})
		s.mu.Unlock()
		_, _ = conn.Write(kind)
		return
	}
	defer func() { _ = conn.Close() }()
	b := make([]byte, markSize)
	heard := make(chan struct{}, 1)
	for {
		if _, err := io.ReadFull(conn, b); err != nil {
			return
		}
		s.said <- said{string(b), heard}
		<-heard
		if _, err := conn.Write(kind); err != nil {
			return
		}
	}
}

func (s *rawServer) pump() {
	var frames []byte
	sent := 0
	once := func(fd uintptr) { sent = send(fd, frames) }
	filler := strings.Repeat("x", frameSize-markSize)
	for first := range s.said {
		frames = append(append(frames[:0], first.mark...), filler...)
		first.heard <- struct{}{}
		runtime.Gosched() // on one core, the other senders have their word first
	more:
		for {
			select {
			case m := <-s.said:
				frames = append(append(frames, m.mark...), filler...)
				m.heard <- struct{}{}
			default:
				break more
			}
		}
		if s.disk != nil { // over what was written before: nothing that is flushed could be less
			if _, err := s.disk.WriteAt(frames, 0); err != nil {
				panic(err) // the figures would be another thing's
			}
			if err := s.disk.Sync(); err != nil {
				panic(err)
			}
		}
		s.mu.Lock()
		for _, c := range s.followers {
			sent = 0
			if _ = c.raw.Control(once); sent < len(frames) { // the socket is full: now it waits
				_, _ = c.Write(frames[sent:])
			}
		}
		s.mu.Unlock()
	}
}
