package api

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"parley/app/chat"
	"parley/server/auth"
)

const (
	// maxAgain bounds a request that is known again.
	maxAgain = 4 << 10
	// againFor is how long a poll is known again before net/http reads it in full once more, so that its session
	// counts as in use.
	againFor = time.Minute
)

// A line is what is known of a connection of TCP while net/http has it. Its requests are one after another.
type line struct {
	back  *returned // it came back, with a request that was read already; nil: it is new
	polls int       // long polls so far
}

// lineKey is the key, in the context of a connection, of its line. Where there is none, there is more than TCP.
type lineKey struct{}

func newLine(c net.Conn) *line {
	switch c := c.(type) {
	case *net.TCPConn:
		return &line{}
	case *returned:
		return &line{back: c, polls: 1}
	}
	return nil
}

// An asker asks the same again and again on a connection, with another cursor each time: the next of
// its polls is known by its bytes, and answered as the one before, which net/http has read and the routes have let in.
// What may have changed since is looked at each time: the grant, the bounds, and whether the server drains.
type asker struct {
	who    auth.Identity
	ip     netip.Addr
	host   string
	secure bool
	way    carrier
	web    *http.Server

	said  []byte // the request as it came; nil: it is not to be known again
	from  int    // where in it the cursor begins
	to    int    // where it ends
	until time.Time
}

// remember has a know again the poll that x is, if it is all that came back with its line.
func (a *asker) remember(x *exchange, l *line) {
	if l.back == nil || l.back.more || len(l.back.early) > 0 || x.r.Header.Get("Last-Event-ID") != "" {
		return
	}
	said := l.back.said
	first, _, _ := bytes.Cut(said, []byte("\r\n"))
	if string(first) != "GET "+x.r.RequestURI+" HTTP/1.1" || bytes.Index(said, []byte("\r\n\r\n")) != len(said)-4 {
		return // of several requests, or of one that is spelt in another way
	}
	const key = "after="
	i := bytes.Index(first, []byte(key))
	if i < 0 || bytes.Count(first, []byte(key)) > 1 || bytes.IndexByte(first, '%') >= 0 {
		return // it may be spelt in another way before
	}
	from := i + len(key)
	to := from
	for to < len(first) && plainCursor(first[to]) {
		to++
	}
	if to == len(first) || first[to] != '&' && first[to] != ' ' || first[i-1] != '&' && first[i-1] != '?' {
		return
	}
	a.said, a.from, a.to, a.until = said, from, to, time.Now().Add(againFor)
}

// plainCursor reports whether b may be in a cursor as the hub mints them. None of these means
// anything to a URL.
func plainCursor(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b == '.'
}

// again reports whether said is the poll that a knows, and after which cursor it asks.
func (a *asker) again(said []byte) (chat.Cursor, bool) {
	n := len(said) - a.from - (len(a.said) - a.to)
	if a.said == nil || n < 1 || n > maxCursor || !bytes.HasPrefix(said, a.said[:a.from]) || !bytes.HasSuffix(said, a.said[a.to:]) {
		return "", false
	}
	after := said[a.from:][:n]
	for _, b := range after {
		if !plainCursor(b) {
			return "", false
		}
	}
	return chat.Cursor(after), true
}

// buffers are for requests on connections that were kept, and answers for what those are answered.
var (
	buffers = sync.Pool{New: func() any { return new([maxAgain]byte) }}
	answers = sync.Pool{New: func() any { return new([]byte) }}
)

// listened takes what k's peer says, or waits on if it was nothing.
func (s *Server) listened(k *kept) {
	b := buffers.Get().(*[maxAgain]byte)
	n, err := hearNow(k.ear.raw, b[:])
	if err == nil && n == 0 {
		buffers.Put(b)
		s.listen(k)
		return
	}
	var after chat.Cursor
	known := false
	if err == nil {
		if after, known = s.letIn(k.asker, b[:n]); known && s.answerNow(k, after) {
			buffers.Put(b)
			return
		}
	}
	// The end of k comes after what follows, which may start what runs on.
	defer s.running.Done()
	s.unkeep(k)
	if err == nil && !(known && s.parkAgain(k, after)) {
		said := bytes.Clone(b[:n])
		s.giveBack(k.asker.web, &returned{TCPConn: k.conn, early: said, said: said})
	}
	buffers.Put(b)
	if err != nil {
		_ = k.conn.Close()
	}
}

// letIn reports whether said is the poll that a knows, and after which cursor; false also if it is not to be let in without a
// further look.
func (s *Server) letIn(a *asker, said []byte) (chat.Cursor, bool) {
	after, ok := a.again(said)
	return after, ok && !time.Now().After(a.until) && !s.isDraining() && s.Accounts.Limits.Feed(a.who.User.ID) == nil
}

// answerNow answers k's poll if there is something to say at once, and listens on. It then has seen to k, also if its peer is gone.
func (s *Server) answerNow(k *kept, after chat.Cursor) bool {
	a, from := k.asker, time.Now()
	entries, cursor := s.Hub.Glance(a.who.User.ID, after, a.way.grace)
	// A session that ended is given nothing of what came later: this is asked last.
	if len(entries) == 0 || s.Accounts.Still(s.ctx, a.who) != nil {
		return false
	}
	a.way.bill.requests.Add(1)
	v := s.again.visit(a.who.Grant, after)
	s.given(&v, a.who.Grant, a.way.bill)
	b := answers.Get().(*[]byte)
	answer := s.appendAnswer((*b)[:0], a, entries, cursor)
	if *b = answer; cap(answer) <= maxRest {
		defer answers.Put(b)
	}
	n, err := k.wire.try(answer)
	a.way.bill.work.Add(int64(time.Since(from)))
	a.way.bill.wrote(n)
	for answer = answer[n:]; len(answer) > 0 && err == nil; answer = answer[n:] { // to who reads slowly
		k.idle.Reset(idleTime)
		n, err = k.wire.write(answer[:min(len(answer), piece)], time.Now().Add(s.Stall))
		a.way.bill.wrote(n)
	}
	if err != nil {
		s.unkeep(k)
		_ = k.conn.Close()
		s.running.Done()
		return true
	}
	k.idle.Reset(idleTime)
	s.listen(k)
	return true
}

// parkAgain parks k's poll; false if it can not be let in.
func (s *Server) parkAgain(k *kept, after chat.Cursor) bool {
	a := k.asker
	p, err := s.newParked(s.ctx, a, newID(), after, a.way.hold+rand.N(a.way.hold/5))
	if err != nil {
		return false // net/http tells why
	}
	a.way.bill.requests.Add(1)
	s.stay(p, k.conn, k.wire)
	return true
}

// A returned connection was read from before net/http had it back.
type returned struct {
	*net.TCPConn
	early []byte // to be read first
	said  []byte // all that was read, if it is the beginning of a request
	more  bool   // something was read since
}

func (c *returned) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	n, err := c.TCPConn.Read(p)
	c.more = c.more || n > 0
	return n, err
}

// WriteTo is not the TCPConn's, which knows nothing of what was read early.
func (c *returned) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

// bare is the connection below c, once nothing that was read early is left.
func bare(c net.Conn) net.Conn {
	if r, ok := c.(*returned); ok && len(r.early) == 0 {
		return r.TCPConn
	}
	return c
}
