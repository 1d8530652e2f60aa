package api

import (
	"net"
	"net/http"
	"strings"
	"time"

	"parley/app/chat"
	"parley/server/auth"
)

func (s *Server) server(x *exchange) error {
	state, err := s.Accounts.SetUp(x.r.Context(), x.visitor())
	if err != nil {
		return err
	}
	answer := chat.Server{Version: s.Version, SetUp: state, Dev: s.Chaos != nil}
	s.path(x, &answer)
	return x.reply(answer)
}

// defaultRoom is what the first room is called if its owner says nothing.
const defaultRoom = "General"

// firstRoom is where everyone begins. By its nonce there is one.
func firstRoom(name string) chat.NewRoom {
	return chat.NewRoom{Nonce: "parley-general", Kind: chat.Public, Name: name}
}

func (s *Server) setUp(x *exchange) error {
	var c chat.SetUp
	if err := x.read(&c); err != nil {
		return err
	}
	if c.Room == "" {
		c.Room = defaultRoom
	}
	first := firstRoom(c.Room)
	if err := first.Validate(); err != nil {
		return err
	}
	u, err := s.Accounts.Claim(x.r.Context(), x.visitor(), c)
	if err != nil {
		return err
	}
	if err := s.Hub.Admit(x.r.Context(), u.ID); err != nil {
		return err
	}
	if _, err := s.Hub.CreateRoom(x.r.Context(), u.ID, first); err != nil {
		return err
	}
	return s.begin(x, u)
}

func (s *Server) signUp(x *exchange) error {
	var in chat.SignUp
	if err := x.read(&in); err != nil {
		return err
	}
	u, err := s.Accounts.SignUp(x.r.Context(), x.visitor(), in)
	if err != nil {
		return err
	}
	if err := s.Hub.Admit(x.r.Context(), u.ID); err != nil {
		return err
	}
	return s.begin(x, u)
}

func (s *Server) signIn(x *exchange) error {
	var in chat.SignIn
	if err := x.read(&in); err != nil {
		return err
	}
	u, err := s.Accounts.SignIn(x.r.Context(), x.visitor(), in)
	if err != nil {
		return err
	}
	return s.begin(x, u)
}

// begin opens a session, always a new one. The one that the browser showed ends: it
// may have been planted there.
func (s *Server) begin(x *exchange, u chat.User) error {
	ctx := x.r.Context()
	if !bearer(x.r) {
		if old, err := s.authenticate(x); err == nil {
			if err := s.Accounts.Revoke(ctx, old, old.Grant); err != nil {
				return err
			}
		}
	}
	x.who.User = u
	secret, err := s.Accounts.Begin(ctx, u.ID, browser(x.r.UserAgent()))
	if err != nil {
		return err
	}
	x.setCookie(secret, int(auth.SessionLife/time.Second))
	return x.reply(chat.Account{User: u})
}

func (s *Server) signOut(x *exchange) error {
	if err := s.Accounts.Revoke(x.r.Context(), x.who, x.who.Grant); err != nil {
		return err
	}
	x.setCookie("", -1)
	if s.root == "" { // else others are at this origin too; the app itself removes what it kept
		x.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) sessions(x *exchange) error {
	list, err := s.Accounts.Sessions(x.r.Context(), x.who)
	if err != nil {
		return err
	}
	return x.reply(list)
}

func (s *Server) revoke(x *exchange) error {
	if err := s.Accounts.Revoke(x.r.Context(), x.who, x.r.PathValue("id")); err != nil {
		return err
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) newToken(x *exchange) error {
	var in chat.NewToken
	if err := x.read(&in); err != nil {
		return err
	}
	t, err := s.Accounts.NewToken(x.r.Context(), x.who, in.Name)
	if err != nil {
		return err
	}
	return x.reply(t)
}

func (s *Server) invite(x *exchange) error {
	code, expires, err := s.Accounts.NewInvite(x.r.Context(), x.who)
	if err != nil {
		return err
	}
	base := "http://" + x.r.Host
	if x.secure {
		base = "https://" + x.r.Host
	}
	if s.URL != nil {
		base = s.URL.Scheme + "://" + s.URL.Host + s.root
	}
	// In the fragment the code stays out of the logs of proxies.
	return x.reply(chat.Invite{Code: code, URL: base + "/join#" + code, Expires: expires.UTC()})
}

func (x *exchange) setCookie(value string, age int) {
	path := x.srv.root + "/"
	if x.secure {
		path = "/" // which that name must have
	}
	http.SetCookie(x, &http.Cookie{Name: x.cookieName(), Value: value, Path: path, MaxAge: age,
		Secure: x.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// cookieName is, by TLS, a name that only this very host can set. Without, the port is in
// it, since browsers keep one jar for all ports of a host. The path of the server is in it
// too: there may be another at another path.
func (x *exchange) cookieName() string {
	path := strings.ReplaceAll(x.srv.root, "/", "+")
	if x.secure {
		return "__Host-sid" + path
	}
	_, port, err := net.SplitHostPort(x.r.Host)
	if err != nil { // there is none
		return "sid" + path
	}
	return "sid" + port + path
}

// browser says in a few words what a User-Agent header says in many.
func browser(agent string) string {
	find := func(otherwise string, pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return otherwise
	}
	name := find("a program", "Edg", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrom", "Chrome", "CriOS", "Chrome",
		"FxiOS", "Firefox", "Safari/", "Safari", "Mozilla/", "a browser")
	on := find("", "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	if on == "" {
		return name
	}
	return name + ", " + on
}
