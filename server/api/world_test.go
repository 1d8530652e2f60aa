package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/app/chat"
	"parley/build/web"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/hub"
	"parley/server/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests; none of them depends on how long something took.
const patience = time.Minute

// A world is a whole server in this process: store, hub, accounts and api.
type world struct {
	t        testing.TB
	base     string // its address
	dir      string // its data
	log      *buffer
	store    *sqlite.Store
	hub      *hub.Hub
	accounts *auth.Accounts
	api      *api.Server
	web      *http.Server
	now      *clock
	tls      *tls.Config // for its clients
	room     chat.RoomID // the first public one; set by owner
}

// A setting changes what a world is made of.
type setting struct {
	api      func(*api.Options)
	hub      func(*hub.Options)
	accounts func(*auth.Options)
	tls      bool
	portable bool
}

func newWorld(t testing.TB, sets ...setting) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), log: &buffer{}, now: &clock{}}
	var set setting
	if len(sets) > 0 {
		set = sets[0]
	}
	log := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	w.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: w.dir, Serve: true, Log: log})
	must(t, err)
	ho := hub.Options{Log: log}
	if set.hub != nil {
		set.hub(&ho)
	}
	w.hub, err = hub.New(t.Context(), w.store, ho)
	must(t, err)
	ao := auth.Options{Now: w.now.Now, Password: auth.Params{MemoryKiB: 64, Passes: 1},
		Rates:   auth.Rates{Send: 1e6, SendBurst: 1e6, Read: 1e6, ReadBurst: 1e6, Feed: 1e6, FeedBurst: 1e6},
		Streams: auth.Streams{PerAccount: 1000, PerIP: 1000}}
	if set.accounts != nil {
		set.accounts(&ao)
	}
	w.accounts = auth.New(w.store, ao)
	files, err := web.Embedded()
	must(t, err)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	o := api.Options{Log: log, Hub: w.hub, Accounts: w.accounts, Files: files, Version: "test",
		Page:     []byte("<!DOCTYPE html><title>parley</title>"),
		Hosts:    []string{"localhost:" + port(l)},
		Portable: set.portable, Hold: 500 * time.Millisecond, Beat: 500 * time.Millisecond, Park: time.Millisecond}
	if set.api != nil {
		set.api(&o)
	}
	w.api = api.New(o)
	w.web = w.api.HTTP()
	w.base = "http://" + l.Addr().String()
	if o.Chaos != nil {
		l = o.Chaos.Listen(l)
		t.Cleanup(o.Chaos.Close)
	}
	if set.tls {
		l = w.encrypt(l)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.web.Serve(l) })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		w.api.Close()
		if err := w.web.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		serving.Wait()
		must(t, w.hub.Close())
		must(t, w.store.Close())
		if n := w.api.Panics(); n > 0 {
			t.Errorf("%d requests panicked:\n%s", n, w.log)
		}
	})
	return w
}

// encrypt puts TLS, with HTTP/2, before l.
func (w *world) encrypt(l net.Listener) net.Listener {
	w.base = "https://" + l.Addr().String()
	like := httptest.NewUnstartedServer(nil)
	like.EnableHTTP2 = true
	like.StartTLS()
	defer like.Close()
	conf := like.TLS.Clone()
	w.tls = like.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	w.web.Protocols = new(http.Protocols)
	w.web.Protocols.SetHTTP1(true)
	w.web.Protocols.SetHTTP2(true)
	conf.NextProtos = []string{"h2", "http/1.1"}
	w.web.TLSConfig = conf
	return tls.NewListener(l, conf)
}

func port(l net.Listener) string {
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A clock stands still until it is moved on.
type clock struct {
	mu   sync.Mutex
	plus time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.plus)
}

// set makes the clock wrong by d.
func (c *clock) set(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plus = d
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plus += d
}

// A buffer is a log to be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A visitor is a browser, or with a token a program.
type visitor struct {
	*world
	client *http.Client
	token  string
	user   chat.User
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	tr := &http.Transport{TLSClientConfig: w.tls, ForceAttemptHTTP2: w.tls != nil, DisableCompression: true}
	w.t.Cleanup(tr.CloseIdleConnections)
	return &visitor{world: w, client: &http.Client{Transport: tr, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// request prepares a request as a page of this server, or a program, would make it.
func (v *visitor) request(method, path string, body any) *http.Request {
	v.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		j, err := json.Marshal(b)
		must(v.t, err)
		r = bytes.NewReader(j)
	}
	q, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, r)
	must(v.t, err)
	if r != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if v.token != "" {
		q.Header.Set("Authorization", "Bearer "+v.token)
	} else {
		q.Header.Set("Origin", v.base)
	}
	return q
}

// An answer is a response that has been read.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) fault() chat.Error {
	var e chat.Error
	_ = json.Unmarshal(a.body, &e) // what is no error has no code
	return e
}

func (a answer) String() string { return fmt.Sprintf("%s: %.300s", a.Status, a.body) }

func (v *visitor) do(q *http.Request) answer {
	v.t.Helper()
	res, err := v.client.Do(q)
	must(v.t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	must(v.t, err)
	return answer{res, b}
}

// ask does a request that must succeed, and decodes the answer into out.
func (v *visitor) ask(method, path string, body, out any) answer {
	v.t.Helper()
	a := v.do(v.request(method, path, body))
	if a.StatusCode/100 != 2 {
		v.t.Fatalf("%s %s: %v", method, path, a)
	}
	if out != nil {
		must(v.t, json.Unmarshal(a.body, out))
	}
	return a
}

const password = "correct horse battery"

// owner claims the server.
func (w *world) owner() *visitor {
	w.t.Helper()
	v := w.visitor()
	var a chat.Account
	v.ask("POST", "/api/setup", chat.SetUp{Name: "ana", Password: password}, &a)
	v.user = a.User
	for _, r := range v.snapshot().Rooms {
		if r.Kind == chat.Public {
			w.room = r.ID
		}
	}
	return v
}

// guest is a user who was invited.
func (v *visitor) guest(name string) *visitor {
	v.t.Helper()
	var i chat.Invite
	v.ask("POST", "/api/invites", nil, &i)
	g := v.visitor()
	var a chat.Account
	g.ask("POST", "/api/signup", chat.SignUp{Invite: i.Code, Name: name, Password: password}, &a)
	g.user = a.User
	return g
}

// program is v by a token.
func (v *visitor) program() *visitor {
	v.t.Helper()
	var t chat.Token
	v.ask("POST", "/api/tokens", chat.NewToken{Name: "bot"}, &t)
	p := v.visitor()
	p.token, p.user = t.Token, v.user
	return p
}

func (v *visitor) snapshot() (s chat.Snapshot) {
	v.t.Helper()
	v.ask("GET", "/api/snapshot", nil, &s)
	return s
}

func (v *visitor) say(room chat.RoomID, text string) (e chat.Event) {
	v.t.Helper()
	v.ask("POST", "/api/send", message(room, text), &e)
	return e
}

func message(room chat.RoomID, text string) chat.Draft {
	return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Message: &chat.Message{Text: text}}}
}

// revokeTokens ends all grants of v's programs.
func (v *visitor) revokeTokens() {
	v.t.Helper()
	var list []chat.Session
	v.ask("GET", "/api/sessions", nil, &list)
	for _, s := range list {
		if s.Token {
			v.ask("DELETE", "/api/sessions/"+s.ID, nil, nil)
		}
	}
}
