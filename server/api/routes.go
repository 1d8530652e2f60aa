package api

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"parley/app/chat"
	"parley/server/auth"
)

// A route is one address and method. What it does not say is refused.
type route struct {
	pattern string
	who     who
	cost    cost
	media   string // of the body; "" is application/json
	patient bool   // may take minutes to be read by a slow client
	do      func(*exchange) error
}

type who int

const (
	anyone who = iota
	user       // a session or a token
	person     // a session
)

type cost int

const (
	free    cost = iota
	read         // counts as a read of the user's
	feeding      // counts as a poll of the user's
	counted      // counts itself
)

const (
	feedPattern = "GET /api/feed"
	sendPattern = "POST /api/send"
)

// table lists all routes.
func (s *Server) table() []route {
	list := []route{
		{pattern: "POST /api/setup", do: s.setUp},
		{pattern: "POST /api/signup", do: s.signUp},
		{pattern: "POST /api/session", do: s.signIn},
		{pattern: "DELETE /api/session", who: person, cost: read, do: s.signOut},
		{pattern: "GET /api/server", do: s.server},
		{pattern: "GET /api/snapshot", who: user, cost: read, do: s.snapshot},
		{pattern: feedPattern, who: user, cost: feeding, do: s.feed},
		{pattern: sendPattern, who: user, cost: counted, do: s.post},
		{pattern: "GET /api/rooms", who: user, cost: read, do: s.rooms},
		{pattern: "POST /api/rooms", who: user, cost: counted, do: s.newRoom},
		{pattern: "GET /api/rooms/{room}/events", who: user, cost: read, do: s.history},
		{pattern: "GET /api/rooms/{room}/digest", who: user, cost: read, do: s.digest},
		{pattern: "POST /api/invites", who: person, cost: read, do: s.invite},
		{pattern: "GET /api/sessions", who: person, cost: read, do: s.sessions},
		{pattern: "DELETE /api/sessions/{id}", who: person, cost: read, do: s.revoke},
		{pattern: "POST /api/tokens", who: person, cost: read, do: s.newToken},
		{pattern: "GET /api/chaos", who: person, cost: read, do: s.chaos},
		{pattern: "PUT /api/chaos", who: person, cost: read, do: s.setChaos},
		{pattern: "GET /api/lab", who: person, cost: read, do: s.lab},
		{pattern: "POST /api/reports", media: "application/reports+json", do: s.report},
		{pattern: "GET /livez", do: s.live},
		{pattern: "GET /readyz", do: s.ready},
	}
	return append(list, s.pages()...)
}

// enter lets a request in to its route, or refuses it.
func (s *Server) enter(x *exchange, rt route) error {
	out := http.NewResponseController(x.ResponseWriter)
	patience := s.Patience
	if rt.patient {
		patience = 5 * time.Minute
	}
	_ = out.SetWriteDeadline(x.began.Add(patience)) // where that can not be done, TCP gives up in the end
	if err := x.enterBrowser(rt); err != nil {
		return err
	}
	if rt.who == anyone {
		return rt.do(x)
	}
	id, err := s.authenticate(x)
	if err != nil {
		return err
	}
	x.who = id
	if rt.who == person && id.Token {
		return chat.Errorf(chat.CodeForbidden, "a token may only chat; sign in with a browser for this")
	}
	switch rt.cost {
	case read:
		err = s.Accounts.Limits.Read(id.User.ID)
	case feeding:
		err = s.Accounts.Limits.Feed(id.User.ID)
	case free, counted:
	}
	if err != nil {
		return err
	}
	if err := s.admit(x); err != nil {
		return err
	}
	s.strike(x, rt)
	return rt.do(x)
}

// enterBrowser refuses what a page of another site could make a browser send.
func (x *exchange) enterBrowser(rt route) error {
	r := x.r
	feed := rt.cost == feeding
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	if safe && !feed {
		return nil
	}
	if feed && r.Method == http.MethodHead {
		return errMethod
	}
	cookie := !bearer(r) && len(r.CookiesNamed(x.cookieName())) > 0
	if x.foreign() || cookie && !x.sameOrigin() {
		return chat.Errorf(chat.CodeForbidden, "this request does not come from a page of this server; a program must use a token instead of a cookie")
	}
	if _, said := x.said("Content-Type"); safe || r.ContentLength == 0 && !said {
		return nil
	}
	want := rt.media
	if want == "" {
		want = "application/json"
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != want || r.Header.Get("Content-Encoding") != "" {
		return chat.Errorf(chat.CodeMedia, "the body must be %s, not compressed", want)
	}
	return nil
}

// authenticate answers who makes a request: by the Authorization header, and then cookies
// are ignored, or else by the session cookie. Two of a kind are none: one of
// them may be someone else's.
func (s *Server) authenticate(x *exchange) (auth.Identity, error) {
	if h := x.r.Header["Authorization"]; len(h) > 0 {
		scheme, secret, _ := strings.Cut(h[0], " ")
		if len(h) > 1 || !strings.EqualFold(scheme, "Bearer") {
			secret = ""
		}
		return s.Accounts.Authenticate(x.r.Context(), secret, true)
	}
	if c := x.r.CookiesNamed(x.cookieName()); len(c) == 1 {
		return s.Accounts.Authenticate(x.r.Context(), c[0].Value, false)
	}
	return auth.Identity{}, chat.ErrUnauthorized
}

// bearer reports whether r says who it is by itself, without a cookie.
func bearer(r *http.Request) bool { return len(r.Header["Authorization"]) > 0 }

// admit makes the hub know the user, once in this life of the process.
func (s *Server) admit(x *exchange) error {
	u := x.who.User.ID
	s.mu.Lock()
	known := s.admitted[u]
	s.mu.Unlock()
	if known {
		return nil
	}
	if err := s.Hub.Admit(x.r.Context(), u); err != nil {
		return err
	}
	if x.who.User.Owner { // who may have been made without set-up; if not, this is a conflict or long left
		_, err := s.Hub.CreateRoom(x.r.Context(), u, firstRoom(defaultRoom))
		if err != nil && !errors.Is(err, chat.ErrConflict) && !errors.Is(err, chat.ErrNotFound) {
			return err
		}
	}
	s.mu.Lock()
	s.admitted[u] = true
	s.mu.Unlock()
	return nil
}
