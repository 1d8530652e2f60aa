package api

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"parley/app/chat"
	"parley/server/auth"
)

// An exchange is one request and its answer. It is the http.ResponseWriter that handlers see.
type exchange struct {
	http.ResponseWriter
	srv    *Server
	r      *http.Request
	id     string // names the request in the log and in an error
	ip     netip.Addr
	secure bool // came by TLS
	who    auth.Identity
	began  time.Time
	status int
	bytes  int64
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) WriteHeader(status int) {
	if to := x.Header().Get("Location"); x.srv.root != "" && to != "" { // the mux knows no more than what is below
		x.Header().Set("Location", x.srv.root+to)
	}
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(p)
	x.bytes += int64(n)
	return n, err
}

// newID names an exchange, in the log and to who asked.
func newID() string { return rand.Text()[:12] }

// ServeHTTP is what wraps every route.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = s.below(r)
	x := &exchange{ResponseWriter: w, srv: s, r: r, id: newID(), began: time.Now()}
	x.ip, x.secure = s.origin(r)
	defer x.done() //nolint:contextcheck // as for enter
	allowed := s.allowed(r)
	s.setHead(w.Header(), r.Host, x.secure, allowed)
	if len(r.TransferEncoding) > 0 {
		// There may have been a length as well, which net/http forgets. Whoever counted by it has another
		// idea of where the next request begins (RFC 9112, section 6.3): there is no next one.
		w.Header().Set("Connection", "close")
	}
	switch {
	case !allowed:
		x.fail(chat.Errorf(chat.CodeMisdirected, "this server does not answer to the name in the address; start it with --url to give it that name"))
	case s.origins.Check(r) != nil:
		x.fail(chat.Errorf(chat.CodeForbidden, "this request comes from another site"))
	case s.root != "" && r.URL.Path == s.root && r.Method == http.MethodGet:
		http.Redirect(x, r, "/", http.StatusTemporaryRedirect)
	default:
		h, pattern := s.mux.Handler(r)
		if pattern == "" {
			err := unrouted(h, r, w.Header())
			if chat.CodeOf(err) == chat.CodeNotFound && x.forReading() {
				_ = x.sendAs(http.StatusNotFound, pageType, s.Page) // the app says so, and leads on
			} else {
				x.fail(err)
			}
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, chat.MaxFrame)
		s.mux.ServeHTTP(x, r)
	}
}

// unrouted asks the mux why it has no route for r.
func unrouted(h http.Handler, r *http.Request, into http.Header) error {
	p := probe{header: http.Header{}}
	h.ServeHTTP(&p, r)
	if p.status == http.StatusMethodNotAllowed {
		into.Set("Allow", p.header.Get("Allow"))
		return errMethod
	}
	return chat.Errorf(chat.CodeNotFound, "there is nothing at this address")
}

// forReading reports whether a person is to read the answer: a browser opens the address as a page, and not one of a program's.
func (x *exchange) forReading() bool {
	accept, _ := x.said("Accept")
	return x.srv.Page != nil && x.r.Method == http.MethodGet && strings.Contains(accept, "text/html") && !strings.HasPrefix(x.r.URL.Path, "/api/")
}

var errMethod = errors.New("this address does not take such requests")

type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }

// done ends an exchange: a panic is recovered, and one line is logged, never with
// a body, a cookie, a token, or what was in the address.
func (x *exchange) done() {
	if p := recover(); p != nil {
		x.srv.panics.Add(1)
		stack := debug.Stack()
		x.srv.Log.Error("panic", "id", x.id, "route", x.r.Pattern, "panic", clip(fmt.Sprint(p), 512), "stack", clip(string(stack), 3_000))
		if x.status == 0 {
			x.fail(errors.New("panic"))
		}
	}
	level := slog.LevelInfo
	switch {
	case x.status >= 500 && x.status != http.StatusServiceUnavailable:
		level = slog.LevelError
	case x.status == http.StatusOK && x.r.Pattern == feedPattern:
		level = slog.LevelDebug // polls would drown all else
	}
	if !x.srv.Log.Enabled(x.r.Context(), level) {
		return
	}
	x.srv.Log.LogAttrs(x.r.Context(), level, "request",
		slog.String("id", x.id), slog.String("method", clip(x.r.Method, 16)), slog.String("route", x.r.Pattern),
		slog.Int("status", x.status), slog.Int64("bytes", x.bytes), slog.Duration("took", time.Since(x.began)),
		slog.String("ip", x.ip.String()), slog.String("user", string(x.who.User.ID)))
}

func clip(s string, most int) string {
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// reply answers with v as JSON.
func (x *exchange) reply(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	return x.send(http.StatusOK, b)
}

func (x *exchange) send(status int, body []byte) error {
	return x.sendAs(status, "application/json", body)
}

func (x *exchange) sendAs(status int, media string, body []byte) error {
	h := x.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(status)
	x.pieces(body)
	return nil
}

// pieces writes a body; whoever asked may be gone, and nothing is lost by it.
func (x *exchange) pieces(body []byte) {
	out, last, long := http.NewResponseController(x.ResponseWriter), x.began.Add(longestAnswer), len(body) > piece
	for len(body) > 0 {
		if long {
			_ = out.SetWriteDeadline(earlier(time.Now().Add(x.srv.Stall), last))
		}
		n, err := x.Write(body[:min(len(body), piece)])
		if err != nil {
			return
		}
		body = body[n:]
	}
}

// A long answer is written piece by piece, and whoever takes each in time has it, however slow the line: at 1.6 kB/s
// and more, but not for ever.
const (
	piece         = 16 << 10
	longestAnswer = 5 * time.Minute
)

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// fail answers with an error, if it is one.
func (x *exchange) fail(err error) {
	if err == nil {
		return
	}
	if _, told := errors.AsType[*chat.Error](err); !told && x.r.Context().Err() != nil {
		x.status = 499 // as is custom, for the log: nobody is there to read an answer
		return
	}
	_ = x.send(x.srv.failure(err, x.id, x.Header()))
}

// failure is the answer that says err, without what is set in h.
func (s *Server) failure(err error, id string, h http.Header) (status int, body []byte) {
	e, status := s.fault(err, id)
	if e.RetryAfterMS > 0 {
		h.Set("Retry-After", strconv.FormatInt((e.RetryAfterMS+999)/1000, 10))
	}
	b, err := json.Marshal(e)
	if err != nil {
		b = []byte(`{"code":"internal","message":"the server made a mistake"}`)
	}
	return status, b
}

// fault is an error as it leaves the server: what is not meant for others is logged instead.
func (s *Server) fault(err error, id string) (*chat.Error, int) {
	var e chat.Error
	switch c, ok := errors.AsType[*chat.Error](err); {
	case ok:
		e = *c
	case errors.Is(err, errMethod):
		return &chat.Error{Code: chat.CodeInvalid, Message: errMethod.Error(), RequestID: id}, http.StatusMethodNotAllowed
	default:
		s.Log.Error("failed", "id", id, "err", clip(err.Error(), 1_000))
		e = chat.Error{Code: chat.CodeInternal, Message: "the server made a mistake; its log says more under the request id"}
	}
	e.RequestID = id
	return &e, e.Code.Status()
}
