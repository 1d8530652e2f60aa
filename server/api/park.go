package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// maxServed is how many long polls may wait with net/http at once, each the first of its connection. A poll there costs
// some 30 KiB, and taking the connection from net/http more than a poll, which may be all that the connection is for.
const maxServed = 512

// parkable is the line of x, if its connection can be taken from net/http and given back; otherwise nil.
func (s *Server) parkable(x *exchange) *line {
	r := x.r
	l, _ := r.Context().Value(lineKey{}).(*line)
	if s.readiness == nil || s.Portable || r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.Close || r.ContentLength != 0 {
		return nil
	}
	return l
}

// A parked poll waits without net/http: it is a stream that ends with its first
// batch. It is the wire of that stream, and its peer.
type parked struct {
	*asker
	wire
	ear   *ear
	srv   *Server
	st    *stream
	conn  *net.TCPConn
	early []byte        // what the peer said before it was answered
	id    string        // of the exchange
	left  chan struct{} // closed when the answer has left, or can not
	once  sync.Once
	final atomic.Bool // nothing follows on the connection
	lapse *time.Timer // guarded by st.mu; when holding back ends
}

// newParked watches for a, who is to have an answer when hold has passed at the latest. Then follows stay or
// abandon. The stream may be ended from the moment it is open, so all that a farewell says is known before.
func (s *Server) newParked(ctx context.Context, a *asker, id string, after chat.Cursor, hold time.Duration) (p *parked, err error) {
	p = &parked{asker: a, srv: s, id: id, left: make(chan struct{})}
	way := a.way
	way.beat, way.held = max(hold, time.Millisecond), heldByParked
	p.st, err = s.newStream(ctx, a.who, a.ip, way, form{whole: p.answer, bye: p.farewell}, after)
	return p, err
}

func (p *parked) abandon() {
	p.st.quit()
	p.st.close()
}

// park takes the connection of x, a poll that is level, from net/http, and answers on it when there is something to say
// or hold has passed.
func (s *Server) park(x *exchange, way carrier, cursor chat.Cursor, v visit, hold time.Duration) error {
	a := &asker{who: x.who, ip: x.ip, host: strings.Clone(x.r.Host), secure: x.secure, way: way}
	a.web, _ = x.r.Context().Value(http.ServerContextKey).(*http.Server)
	p, err := s.newParked(x.r.Context(), a, x.id, cursor, hold)
	if err != nil {
		return err
	}
	p.st.visit = v // it asked after the cursor that it had, however the server writes that
	conn, buf, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err != nil {
		p.abandon()
		return fmt.Errorf("park a poll: %w", err)
	}
	x.status = http.StatusOK // whatever the answer will be
	if n := buf.Reader.Buffered(); n > 0 {
		early, _ := buf.Reader.Peek(n) // which it has
		p.early = bytes.Clone(early)
	} else if l := s.parkable(x); l != nil {
		a.remember(x, l)
	}
	if tcp, ok := bare(conn).(*net.TCPConn); ok {
		if w := newSocket(tcp, false, nil); w != nil {
			s.stay(p, tcp, w)
			return nil
		}
	}
	_ = conn.Close()
	p.abandon()
	return nil
}

// stay lets p wait on its connection.
func (s *Server) stay(p *parked, conn *net.TCPConn, w wire) {
	st := p.st
	raw, err := conn.SyscallConn()
	if err != nil { // it is closed
		p.abandon()
		return
	}
	p.conn, p.wire, p.ear, st.wire = conn, w, &ear{ready: s.readiness, raw: raw}, p
	st.shard.Store(s.shards[s.next.Add(1)%uint64(len(s.shards))])
	st.mu.Lock()
	st.wrote = time.Now() // unlike other streams it does not begin with a batch
	p.lapse = time.AfterFunc(st.beat, p.late)
	st.mu.Unlock()
	s.start(st, nil, p)
}

// late answers, as holding back has ended.
func (p *parked) late() {
	now := time.Now()
	_, n := p.st.flush(now, true, nil)
	p.st.bill.wrote(n)
	p.st.bill.work.Add(int64(time.Since(now)))
	p.st.mu.Lock()
	defer p.st.mu.Unlock()
	if !p.st.ended { // it is alone, and it may be level again in a moment
		p.lapse.Reset(time.Second)
	}
}

func (p *parked) answer(b []byte, entries []*hub.Entry, cursor chat.Cursor) []byte {
	return p.srv.appendAnswer(b, p.asker, entries, cursor)
}

// appendAnswer appends all that a's poll is answered.
func (s *Server) appendAnswer(b []byte, a *asker, entries []*hub.Entry, cursor chat.Cursor) []byte {
	head, body := s.goodHead(a.host, a.secure), batchBytes(entries, cursor)
	b = append(append(slices.Grow(b, len(head)+body+128), head...), "Content-Length: "...)
	b = append(strconv.AppendInt(b, int64(body), 10), "\r\nDate: "...)
	b = append(time.Now().UTC().AppendFormat(b, http.TimeFormat), "\r\n\r\n"...)
	return appendBatch(b, entries, cursor)
}

// A goodHead is what all good answers of one name begin with.
type goodHead struct {
	host   string
	secure bool
	text   []byte
}

// goodHead is kept for the name that was asked for last: there seldom is another.
func (s *Server) goodHead(host string, secure bool) []byte {
	if g := s.good.Load(); g != nil && g.host == host && g.secure == secure {
		return g.text
	}
	h := make(http.Header)
	s.setHead(h, host, secure, true)
	h.Set("Content-Type", "application/json")
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // to memory
	s.good.Store(&goodHead{host, secure, b.Bytes()})
	return b.Bytes()
}

func (p *parked) farewell(why *chat.Error) []byte {
	p.final.Store(true)
	h := make(http.Header)
	status, body := p.srv.failure(why, p.id, h)
	p.srv.setHead(h, p.host, p.secure, true)
	h.Set("Connection", "close")
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	_ = h.Write(&b) // to memory
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

func (p *parked) await(do func()) bool { return p.ear.await(do) }

func (p *parked) part() {
	p.once.Do(func() { close(p.left) })
	p.ear.rouse()
}

func (p *parked) cut() {
	p.final.Store(true)
	p.wire.cut()
	p.part()
}

var errAnswered = errors.New("the poll is answered")

func (p *parked) more() bool { return false }

func (p *parked) hear() error {
	select {
	case <-p.left:
		return errAnswered
	default:
	}
	switch said, err := peek(p.ear.raw); {
	case err != nil:
		return err
	case !said:
		return nil
	}
	<-p.left // what it says is for after the answer
	return errAnswered
}

func (p *parked) gone(err error) {
	st := p.st
	st.quit()
	st.mu.Lock()
	p.lapse.Stop()
	st.mu.Unlock()
	switch {
	case !errors.Is(err, errAnswered):
		_ = p.conn.Close()
		st.close()
	case p.final.Load():
		st.close()
		// Closing with something unread would take the answer back.
		_ = p.conn.SetReadDeadline(time.Now().Add(partTime))
		_ = p.conn.CloseWrite()
		_, _ = io.CopyN(io.Discard, p.conn, 1<<20)
		_ = p.conn.Close()
	default:
		st.close()
		p.srv.keep(p)
	}
}
