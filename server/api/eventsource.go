package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// The kinds of hub.Entry.Frame.
const (
	kindWebSocket = iota
	kindEvent     // of an EventSource
	kindChunk     // the same, as a chunk of HTTP/1.1
)

// events is how an EventSource is written over net/http, chunks how over TCP.
func events() form { return form{kindEvent, eventOf, beatEvent, byeEvent, nil} }

func chunks() form {
	return form{kindChunk,
		func(e *hub.Entry) []byte { return chunk(eventOf(e)) },
		func(c chat.Cursor) []byte { return chunk(beatEvent(c)) },
		func(why *chat.Error) []byte { return append(chunk(byeEvent(why)), "0\r\n\r\n"...) },
		nil,
	}
}

func eventOf(e *hub.Entry) []byte { return batchEvent([]*hub.Entry{e}, e.Cursor()) }

func beatEvent(c chat.Cursor) []byte { return batchEvent(nil, c) }

func batchEvent(entries []*hub.Entry, c chat.Cursor) []byte {
	b := fmt.Appendf(nil, "id: %s\nevent: batch\ndata: ", c)
	return append(appendBatch(b, entries, c), "\n\n"...)
}

func byeEvent(why *chat.Error) []byte {
	name := "bye"
	if why.Code == chat.CodeReset {
		name = "reset"
	}
	data, err := json.Marshal(why)
	if err != nil {
		data = []byte(`{"code":"internal"}`)
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, data)
}

func chunk(b []byte) []byte {
	c := strconv.AppendInt(make([]byte, 0, len(b)+16), int64(len(b)), 16)
	c = append(c, "\r\n"...)
	c = append(c, b...)
	return append(c, "\r\n"...)
}

// retryLine tells an EventSource how long to wait before it comes back.
const retryLine = "retry: 1000\n\n"

// eventSource is the carrier of server-sent events.
func (s *Server) eventSource(x *exchange, c carrier, after chat.Cursor) error {
	direct := !s.Portable && x.r.ProtoMajor == 1 && x.r.ProtoMinor == 1 && x.r.TLS == nil
	f := events()
	if direct {
		f = chunks()
	}
	st, err := s.newStream(x.r.Context(), x.who, x.ip, c, f, after)
	if reset, ok := errors.AsType[*chat.Error](err); ok && reset.Code == chat.CodeReset {
		eventHead(x.Header())
		x.WriteHeader(http.StatusOK)
		_, _ = x.Write(byeEvent(reset)) // an EventSource would hide the status of anything else
		return nil
	}
	if err != nil {
		return err
	}
	st.bill.work.Add(int64(time.Since(x.began)))
	if direct {
		if conn, err := x.hijack(); err == nil {
			s.eventsDirect(x, st, conn)
			return nil
		}
		st.form = events()
	}
	s.eventsServed(x, st)
	return nil
}

func eventHead(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, private, no-transform")
	h.Set("X-Accel-Buffering", "no")
}

// hijack takes the connection of x from net/http.
func (x *exchange) hijack() (net.Conn, error) {
	conn, buf, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err == nil && buf.Reader.Buffered() > 0 { // a second request, which nobody would answer
		_ = conn.Close()
	}
	return conn, err
}

// eventsDirect writes the stream to its connection, away from net/http.
func (s *Server) eventsDirect(x *exchange, st *stream, conn net.Conn) {
	h := x.Header()
	eventHead(h)
	h.Set("Transfer-Encoding", "chunked")
	h.Set("Connection", "close") // when it ends
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&head) // to memory
	head.WriteString("\r\n")
	head.Write(chunk([]byte(retryLine)))
	x.status = http.StatusOK

	s.place(st, conn, true)
	s.start(st, head.Bytes(), &listener{conn: conn})
}

// A listener is the peer of an EventSource. It has nothing to say; the end of reading is the end of the stream.
type listener struct {
	conn net.Conn
	said int
}

func (l *listener) more() bool { return false }

func (l *listener) hear() error {
	var b [64]byte
	n, err := l.conn.Read(b[:])
	if l.said += n; err == nil && l.said >= chat.MaxFrame {
		err = errors.New("an EventSource that talks")
	}
	return err
}

func (l *listener) gone(error) { _ = l.conn.Close() }

// eventsServed writes the stream as an answer of net/http that does not end.
func (s *Server) eventsServed(x *exchange, st *stream) {
	eventHead(x.Header())
	x.WriteHeader(http.StatusOK)
	st.bill.hold(x.serving()-1, heldByServing) // run is the one that serves
	defer st.bill.hold(1-x.serving(), -heldByServing)
	wire := &response{w: x, out: http.NewResponseController(x.ResponseWriter), over: st.quit}
	st.wire = wire
	defer wire.finish()
	defer context.AfterFunc(x.r.Context(), wire.cut)()
	s.start(st, []byte(retryLine), served{st})
}

// A served peer is net/http's to hear, which cuts the stream when it is gone.
type served struct{ st *stream }

func (s served) more() bool { return false }

func (s served) hear() error {
	<-s.st.over
	return net.ErrClosed
}

func (s served) gone(error) {}
