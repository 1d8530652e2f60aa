package api

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"nhooyr.io/websocket"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/hub"
)

// messageTime is how long one message may take from its first byte to its last.
const messageTime = 15 * time.Second

// frames is how a WebSocket is written: each event a text frame of its own.
func frames() form {
	return form{kindWebSocket,
		func(e *hub.Entry) []byte { return textFrame(appendBatch(nil, []*hub.Entry{e}, e.Cursor())) },
		func(c chat.Cursor) []byte { return textFrame(appendBatch(nil, nil, c)) },
		goodbye,
		nil,
	}
}

// goodbye is the close frame, and before it, to whoever is to come back, an error that says when: the
// close frame has no place for it.
func goodbye(why *chat.Error) []byte {
	code := chat.CloseRestart
	switch {
	case why.Code == chat.CodeUnauthorized:
		code = chat.CloseUnauthorized
	case why.Code == chat.CodeReset:
		code = chat.CloseReset
	case why == errSlow:
		code = chat.CloseSlow
	}
	last := frame(0x8, append(binary.BigEndian.AppendUint16(nil, uint16(code)), why.Message...))
	told, err := json.Marshal(chat.Frame{Error: why})
	if code != chat.CloseRestart || err != nil {
		return last
	}
	return append(textFrame(told), last...)
}

func textFrame(p []byte) []byte { return frame(0x1, p) }

// frame is one whole frame of a server's (RFC 6455, section 5.2).
func frame(opcode byte, p []byte) []byte {
	f := append(make([]byte, 0, len(p)+10), 0x80|opcode)
	switch n := len(p); {
	case n < 126:
		f = append(f, byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, 126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 127), uint64(n))
	}
	return append(f, p...)
}

// webSocket is the carrier of WebSockets. nhooyr shakes hands, reads, and answers
// pings and closes; data goes out past it, in frames built once for all.
func (s *Server) webSocket(x *exchange, way carrier, after chat.Cursor) error {
	st, err := s.newStream(x.r.Context(), x.who, x.ip, way, frames(), after)
	reset := errors.Is(err, chat.ErrReset)
	if err != nil && !reset {
		return err
	}
	h := &handover{exchange: x, st: st}
	c, err := websocket.Accept(h, x.r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // enterBrowser has looked at the origin, more strictly
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		if st != nil {
			st.close()
		}
		return nil // Accept has answered
	}
	if reset {
		_ = c.Close(chat.CloseReset, chat.ErrReset.Message)
		return nil
	}
	st.bill.work.Add(int64(time.Since(x.began)))
	c.SetReadLimit(chat.MaxFrame)
	st.bill.hold(1, 0) // nhooyr's
	s.start(st, nil, &caller{st: st, c: c, conn: h.conn, in: h.in, who: x.who})
	return nil
}

// A caller is the client's end of a WebSocket. It lives as long as the stream, and keeps
// nothing of the request.
type caller struct {
	st   *stream
	c    *websocket.Conn
	conn *shared
	in   *bufio.Reader // c reads through it
	who  auth.Identity
}

func (p *caller) more() bool { return len(p.conn.early) > 0 || p.in.Buffered() > 0 }

// hear serves one message. Control frames are answered meanwhile, by nhooyr.
func (p *caller) hear() error {
	s := p.st.srv
	_, r, err := p.c.Reader(s.ctx)
	if err != nil {
		return err
	}
	late := time.AfterFunc(messageTime, func() { _ = p.c.CloseNow() })
	body, err := io.ReadAll(r)
	late.Stop()
	if err != nil {
		return err
	}
	select {
	case <-p.st.over: // the farewell is said: nothing is heeded any more
		return net.ErrClosed
	default:
	}
	b, err := json.Marshal(s.heed(p.who, body))
	if err != nil {
		s.Log.Error("encode an answer", "err", clip(err.Error(), 1_000))
		return err
	}
	p.st.say(textFrame(b))
	return nil
}

func (p *caller) gone(err error) {
	p.st.close()
	// It has not said goodbye yet, but may; not if it was waited for.
	if websocket.CloseStatus(err) == -1 && !errors.Is(err, os.ErrDeadlineExceeded) {
		p.conn.linger()
	}
	_ = p.c.CloseNow()
	p.st.bill.hold(-1, 0)
}

// heed does what a message asks for.
func (s *Server) heed(who auth.Identity, body []byte) chat.Frame {
	var q chat.Request
	err := decode(body, &q)
	if err == nil && q.Send == nil {
		err = s.Accounts.Limits.Read(who.User.ID)
	}
	f := chat.Frame{ID: q.ID}
	if err == nil && q.Send != nil {
		var e chat.Event
		if e, err = s.send(s.ctx, who, *q.Send); err == nil {
			f.Event = &e
		}
	}
	if err != nil {
		f.Error, _ = s.fault(err, "")
	}
	return f
}

// A handover gives nhooyr the connection of an exchange, with buffers that fit
// what it is for, and puts what it writes in line with the stream's.
type handover struct {
	*exchange
	st   *stream
	conn *shared
	in   *bufio.Reader
}

// Hijack is http.Hijacker's.
func (h *handover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	out := http.NewResponseController(h.ResponseWriter)
	// The answer to the handshake leaves now. If it were late already, it would be lost without a word, and frames sent in
	// its place.
	_ = out.SetWriteDeadline(time.Now().Add(h.srv.Stall))
	conn, buf, err := out.Hijack()
	if err != nil || h.st == nil {
		return conn, buf, err
	}
	early, err := buf.Reader.Peek(buf.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	h.conn = &shared{Conn: conn, st: h.st, early: append([]byte(nil), early...)}
	h.srv.place(h.st, conn, false)
	h.in = bufio.NewReaderSize(h.conn, 512)
	return h.conn, bufio.NewReadWriter(h.in, bufio.NewWriterSize(h.conn, 128)), nil
}

// A shared connection is nhooyr's to read and to say control frames on, and the stream's to
// write.
type shared struct {
	net.Conn
	st    *stream
	early []byte // came with the handshake
}

func (c *shared) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	c.early = nil
	return c.Conn.Read(p)
}

// Write is called with whole control frames: the buffer above holds the largest.
func (c *shared) Write(p []byte) (int, error) {
	st := c.st
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended { // the close frame is said, and is the last
		return len(p), nil
	}
	st.bill.wrote(st.put(p))
	if p[0]&0xf == 0x8 {
		st.finish()
	}
	return len(p), nil
}

// linger lets the peer read the close frame: closing with something unread would
// take it back.
func (c *shared) linger() {
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	var b [512]byte
	for n := 0; n < 1<<20; {
		k, err := c.Conn.Read(b[:])
		if n += k; err != nil {
			return
		}
	}
}
