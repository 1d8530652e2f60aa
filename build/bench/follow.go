package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// patience bounds every wait for a server to do what it must.
const patience = 20 * time.Second

// follower follows on one connection. It reads as little as it can: the generator must not be what is measured.
type follower struct {
	conn net.Conn
	read func() error // nil: it only listens, which streams do
}

func dial(ctx context.Context, addr string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
}

// A turn is what one end says, and what must come back before it goes on.
type turn struct{ say, hear string }

// dialStream opens a stream by the turns that its protocol asks for.
func dialStream(ctx context.Context, addr string, turns ...turn) (*follower, error) {
	conn, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	f := &follower{conn: conn}
	if err := f.open(turns); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return f, nil
}

func (f *follower) open(turns []turn) error {
	if err := f.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	buf := make([]byte, 4<<10)
	for _, t := range turns {
		if _, err := io.WriteString(f.conn, t.say); err != nil {
			return err
		}
		var got []byte
		for !bytes.Contains(got, []byte(t.hear)) {
			n, err := f.conn.Read(buf)
			if got = append(got, buf[:n]...); err != nil {
				return fmt.Errorf("waiting for %s: %w after %.300q", t.hear, err, got)
			}
			if len(got) > 64<<10 {
				return fmt.Errorf("there is no %s in 64 KiB", t.hear)
			}
			if bytes.HasPrefix(got, []byte("HTTP/1.1 4")) || bytes.HasPrefix(got, []byte("HTTP/1.1 5")) {
				return fmt.Errorf("the stream was refused: %.300q", got)
			}
		}
	}
	return f.conn.SetDeadline(time.Time{})
}

// upgrade asks for a WebSocket.
const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n"

// textFrame is a client's frame of a short text, masked with zeros.
func textFrame(text string) string {
	if len(text) > 125 {
		panic("a frame of more than 125 bytes has another form")
	}
	return string([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}) + text
}

// get is a request as it goes over the wire, with more lines of its head.
func get(addr, path, more string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\n" + more + "\r\n"
}

// postOf is the same of a POST.
func postOf(addr, path, media, more, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s", path, addr, media, len(body), more, body)
}

// dialPoll opens a connection on which one poll follows the other. next makes, from the body of an answer, nil
// before the first, the request for more.
func dialPoll(ctx context.Context, l *load, addr string, next func(body []byte) (string, error)) (*follower, error) {
	conn, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	f := &follower{conn: conn}
	in := newAnswers(conn)
	ask := func(body []byte) error {
		q, err := next(body)
		if err == nil {
			_, err = io.WriteString(conn, q)
		}
		return err
	}
	if err := ask(nil); err != nil {
		_ = conn.Close()
		return nil, err
	}
	f.read = func() error {
		for {
			body, err := in.ok()
			if err == nil {
				err = ask(body)
			}
			if err != nil {
				return err
			}
			l.scan(body)
		}
	}
	return f, nil
}

// An httpPoster posts on a connection of its own.
type httpPoster struct {
	conn    net.Conn
	in      *answers
	request func(text string) string
}

func dialPoster(ctx context.Context, addr string, request func(text string) string) (poster, error) {
	conn, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &httpPoster{conn, newAnswers(conn), request}, nil
}

func (p *httpPoster) post(_ context.Context, text string) error {
	if err := p.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(p.conn, p.request(text)); err != nil {
		return err
	}
	body, err := p.in.ok()
	if err == nil && bytes.HasPrefix(body, []byte(`{"error"`)) {
		err = errors.New(strings.TrimSpace(string(body)))
	}
	return err
}

func (p *httpPoster) close() { _ = p.conn.Close() }
