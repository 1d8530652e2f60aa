package swarm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"parley/app/chat"
)

// closed says how a server ended a stream in the way of its transport, where that is not an error of its own.
type closed int

// Is makes a closed one of the errors that it stands for.
func (c closed) Is(target error) bool {
	return c == chat.CloseUnauthorized && target == error(chat.ErrUnauthorized) || c == chat.CloseReset && target == error(chat.ErrReset)
}

func (c closed) Error() string { return fmt.Sprintf("the WebSocket was closed with %d", int(c)) }

// follow opens the reader's way once and takes what comes, until that ends; how it ended is the error. What the server
// said is a *chat.Error, and of a WebSocket also a closed. When ctx ends, it is nil.
func (r *reader) follow(ctx context.Context) error {
	conn, err := r.dial(ctx, r.srv.Addr())
	if err != nil {
		return unless(ctx, err)
	}
	defer func() { _ = conn.Close() }() // only read
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	in := bufio.NewReaderSize(conn, 4<<10)
	switch r.via {
	case chat.WebSocket:
		err = r.webSocket(conn, in)
	case chat.EventSource:
		err = r.eventSource(conn, in)
	case chat.LongPoll, chat.Poll:
		err = r.poll(ctx, conn, in)
	}
	return unless(ctx, err)
}

// A back says how long a reader waits before its n-th try in a row, from 0, after a way ended with err.
type back func(r *reader, n int, err error) time.Duration

// soon comes back in a moment.
func soon(*reader, int, error) time.Duration { return 20 * time.Millisecond }

// run follows until ctx ends. A refusal that nobody with a good cursor and a good token should meet is a fault, and the end.
func (r *reader) run(ctx context.Context, wait back) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for n := 0; ; n++ {
		opened := r.openings()
		err := r.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if r.over != nil {
			r.over(err)
		}
		if r.openings() > opened {
			n = 0
		}
		if r.refused(err) {
			return
		}
		pause.Reset(wait(r, n, err))
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

func unless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// ask sends the request for a feed and reads the head of the answer. What is not want is an error.
func (r *reader) ask(conn net.Conn, in *bufio.Reader, via chat.Via, want int) (*http.Response, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "GET /api/feed?via=%s&after=%s HTTP/1.1\r\nHost: %s\r\n", via, r.begin(), r.srv.Addr())
	for name, value := range r.srv.Proof(r.acct) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	if via == chat.WebSocket {
		b.WriteString("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n")
	}
	b.WriteString("\r\n")
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return nil, err
	}
	if _, err := in.Peek(1); err != nil { // which tells no answer from half of one
		return nil, err
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != want {
		defer func() { _ = res.Body.Close() }()
		return nil, refusal(res)
	}
	return res, nil
}

// refusal is the error that an answer carries.
func refusal(res *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return err
	}
	fault := &chat.Error{}
	if json.Unmarshal(b, fault) != nil || fault.Code == "" {
		return fmt.Errorf("%s: %.200q", res.Status, b)
	}
	return fault
}

func (r *reader) eventSource(conn net.Conn, in *bufio.Reader) error {
	res, err := r.ask(conn, in, chat.EventSource, http.StatusOK)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewReaderSize(res.Body, 4<<10)
	var name string
	var long []byte // the beginning of a line that the buffer does not hold
	for first := true; ; {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if err != nil {
			return err
		}
		if len(long) > 0 {
			long = append(long, line...)
			line = long
		}
		if event, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			name = string(bytes.TrimSpace(event))
		}
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		switch {
		case !ok:
		case name != "batch":
			fault := &chat.Error{}
			if err := json.Unmarshal(data, fault); err != nil {
				return fmt.Errorf("%s with %.100q: %w", name, data, err)
			}
			return fault
		default:
			r.take(data)
			if first {
				r.opened()
				first = false
			}
		}
		long = long[:0]
	}
}

func (r *reader) webSocket(conn net.Conn, in *bufio.Reader) error {
	res, err := r.ask(conn, in, chat.WebSocket, http.StatusSwitchingProtocols)
	if err != nil {
		return err
	}
	_ = res.Body.Close() // there is none
	var payload []byte
	var told error
	for first := true; ; {
		opcode, p, err := readFrame(in, payload)
		if err != nil {
			return errors.Join(told, err)
		}
		switch payload = p; {
		case opcode == 0x8 && len(p) >= 2:
			return errors.Join(told, closed(binary.BigEndian.Uint16(p)))
		case opcode != 0x1:
		case bytes.HasPrefix(p, []byte(`{"error"`)):
			var f chat.Frame
			if err := json.Unmarshal(p, &f); err != nil {
				return fmt.Errorf("a frame of %.100q: %w", p, err)
			}
			told = f.Error
		default:
			r.take(p)
			if first {
				r.opened()
				first = false
			}
		}
	}
}

// held reports whether the poll asked last was asked long ago: then it was being held back.
func (r *reader) held() bool { return time.Since(time.Unix(0, r.asked.Load())) > 2*time.Second }

// readFrame reads one frame of a server's (RFC 6455, section 5.2), into buf if it fits.
func readFrame(in *bufio.Reader, buf []byte) (opcode byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:2]); err != nil {
		return 0, nil, err
	}
	opcode, n := head[0]&0xf, uint64(head[1])
	if head[0]&0xf0 != 0x80 || n&0x80 != 0 {
		return 0, nil, fmt.Errorf("a frame that a server must not send: % x", head[:2])
	}
	switch n {
	case 126:
		if _, err := io.ReadFull(in, head[:2]); err != nil {
			return 0, nil, err
		}
		n = uint64(binary.BigEndian.Uint16(head[:2]))
	case 127:
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(head[:])
	}
	if n > 1<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes", n)
	}
	if uint64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	_, err = io.ReadFull(in, buf[:n])
	return opcode, buf[:n], err
}

// poll asks again and again on one connection.
func (r *reader) poll(ctx context.Context, conn net.Conn, in *bufio.Reader) error {
	via := chat.Poll // the first is answered at once
	pause := time.NewTimer(0)
	defer pause.Stop()
	for first := true; ; first = false {
		r.asked.Store(time.Now().UnixNano())
		res, err := r.ask(conn, in, via, http.StatusOK)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close() // all of it is read
		if err != nil {
			return err
		}
		some := r.take(body)
		if first {
			r.opened()
		}
		if res.Close {
			return io.EOF
		}
		via = r.via
		if some || via == chat.LongPoll {
			continue
		}
		pause.Reset(r.every)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
