// Package servertest runs a whole server inside a test: store, hub, accounts
// and HTTP on loopback, with a database of its own. Tests of the client's side use
// it, so that both ends of every way are the real ones.
package servertest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/app/chat"
	"parley/build/web"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/hub"
	"parley/server/sqlite"
	"parley/server/toxic"
)

// A Server is a server that runs until its test ends.
type Server struct {
	Base     string // scheme://host:port
	HTTP     *http.Client
	Hub      *hub.Hub
	API      *api.Server
	Accounts *auth.Accounts
	Net      *toxic.Net // what its connections suffer, by StartBad; nothing at first
	users    atomic.Int64
}

// A User has an account and a token.
type User struct {
	ID    chat.UserID
	Name  string
	Token string
}

// Start starts a server that breaks every silence within beat, and that limits nobody.
func Start(tb testing.TB, beat time.Duration) *Server {
	tb.Helper()
	return start(tb, beat, nil)
}

// StartBad starts a server whose network can be made bad.
func StartBad(tb testing.TB, beat time.Duration) *Server {
	tb.Helper()
	n := toxic.New(nil)
	tb.Cleanup(n.Close) // after the server's own end
	return start(tb, beat, n)
}

func start(tb testing.TB, beat time.Duration, n *toxic.Net) *Server {
	tb.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(tb.Context(), sqlite.Options{Dir: tb.TempDir(), Serve: true, Log: log})
	must(tb, err)
	h, err := hub.New(tb.Context(), store, hub.Options{Log: log})
	must(tb, err)
	accounts := auth.New(store, auth.Options{
		Password: auth.Params{MemoryKiB: 64, Passes: 1},
		Rates:    auth.Rates{Send: 1e6, SendBurst: 1e6, Read: 1e6, ReadBurst: 1e6, Feed: 1e6, FeedBurst: 1e6},
		Streams:  auth.Streams{PerAccount: 10_000, PerIP: 10_000},
	})
	files, err := web.Embedded()
	must(tb, err)
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	must(tb, err)
	s := &Server{
		Base: "http://" + l.Addr().String(), Net: n, Hub: h, Accounts: accounts,
		HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1_000}},
		API: api.New(api.Options{
			Log: log, Hub: h, Accounts: accounts, Files: files, Version: "test", Hold: beat, Beat: beat, Chaos: n,
			Park: time.Millisecond, // so that both ways of waiting are met: the faster answers find polls with net/http
		}),
	}
	if n != nil {
		l = n.Listen(l)
	}
	web := s.API.HTTP()
	var serving sync.WaitGroup
	serving.Go(func() { _ = web.Serve(l) }) // it ends when it is shut down
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		s.API.Close()
		s.HTTP.CloseIdleConnections()
		if err := web.Shutdown(ctx); err != nil {
			tb.Errorf("shutting down: %v", err)
		}
		serving.Wait()
		must(tb, h.Close())
		must(tb, store.Close())
		if n := s.API.Panics(); n > 0 {
			tb.Errorf("%d requests panicked", n)
		}
	})
	return s
}

// User makes a user whose name begins so.
func (s *Server) User(tb testing.TB, name string) User {
	tb.Helper()
	name = fmt.Sprint(name, " ", s.users.Add(1))
	u, err := s.Accounts.Add(tb.Context(), name, "correct horse battery", false)
	must(tb, err)
	must(tb, s.Hub.Admit(tb.Context(), u.ID))
	t, err := s.Accounts.TokenFor(tb.Context(), name, "test")
	must(tb, err)
	return User{ID: u.ID, Name: name, Token: t.Token}
}

// Room makes a private room of creator, with the others as members.
func (s *Server) Room(tb testing.TB, creator chat.UserID, others ...chat.UserID) chat.RoomID {
	tb.Helper()
	r, err := s.Hub.CreateRoom(tb.Context(), creator, chat.NewRoom{
		Nonce: chat.NewID[chat.Nonce](), Kind: chat.Private, Name: "den", Members: others,
	})
	must(tb, err)
	return r.ID
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
