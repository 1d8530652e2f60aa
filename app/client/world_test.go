package client_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parley/app/chat"
	"parley/app/chat/chattest"
	"parley/app/client"
	"parley/app/model"
	"parley/app/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a server in memory, a network that can be broken, and an engine, all in
// a bubble where time passes as it is needed.
type world struct {
	t        *testing.T
	server   *chattest.Memory
	you, ana chat.User
	room     chat.RoomID // public, with both in it
	disk     *client.MemoryDisk
	choice   model.Choice

	mu      sync.Mutex
	ways    map[chat.Via]way // how each way behaves; what is not here works
	session chat.UserID      // whom the server takes the browser for
	setup   chat.SetUpState
	dead    bool                                   // no request is answered
	portal  bool                                   // each request is answered by a page of the network's own
	storm   error                                  // each request is answered with this
	sending func(chat.Draft) (before, after error) // what happens to a send, before and after it is done
	paging  chan struct{}                          // if there is one, a page of history waits until it is closed
	writing func() error                           // what happens to a write to disk
	lying   bool                                   // no digest is right
	twist   func(chat.Batch) chat.Batch            // what happens to a batch on its way
	follows []follow
	asked   map[string]int // API calls
	wall    time.Duration  // by how much the wall clock is off
	faults  []string
	random  float64

	engine *client.Engine
	stop   func()
	last   *model.View // guarded by mu
}

// A way is how a transport behaves.
type way struct {
	refuse error         // instead of a first batch
	hang   bool          // no first batch, no error
	cut    time.Duration // after this long
	silent bool          // after the first batch
	hush   time.Duration // cut after so much silence, unless signs of life are asked for that are closer
	hold   bool          // after the first batch, nothing comes through
}

// A follow is one call of Follow.
type follow struct {
	via   chat.Via
	at    time.Time
	after chat.Cursor
	every time.Duration
}

// in runs f in a world of its own.
func in(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, server: chattest.NewMemory(), disk: client.NewMemoryDisk(), setup: chat.SetUpDone,
			ways: map[chat.Via]way{}, asked: map[string]int{}, random: 1,
		}
		w.you, w.ana = w.server.AddUser("you"), w.server.AddUser("ana")
		w.room = w.server.CreateRoom(w.ana.ID, chat.NewRoom{Kind: chat.Public, Name: "Square", Members: []chat.UserID{w.you.ID}}).ID
		w.session = w.you.ID
		defer w.end()
		f(w)
		w.end()
		for _, f := range w.faults {
			t.Errorf("a fault was reported: %s", f)
		}
	})
}

// begin starts an engine; one that runs already is ended first.
func (w *world) begin() {
	w.end()
	w.engine = client.New(client.Config{
		Disk: scarce{w.disk, w}, Zone: time.UTC, API: api{w}, Rand: func() float64 { return w.random },
		Links: func(via chat.Via, every time.Duration) transport.Transport { return link{w, via, every} },
		Now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return time.Now().Add(w.wall)
		},
		Report: func(f string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.faults = append(w.faults, f)
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.engine.Run(ctx); close(done) }()
	w.engine.Watch(func(v *model.View) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.last = v
	})
	w.engine.Open(w.room)
	w.stop = func() { cancel(); <-done }
}

func (w *world) end() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// view is what the screen shows when all that can happen now has happened.
func (w *world) view() *model.View {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.t.Fatal("nothing was shown")
	}
	return w.last
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	synctest.Wait()
	<-time.After(d)
	synctest.Wait()
}

func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// say has ana write.
func (w *world) say(text string) chat.Event {
	w.t.Helper()
	return w.tell(w.ana.ID, chat.Draft{Room: w.room, Body: chat.Body{Message: &chat.Message{Text: text}}})
}

func (w *world) tell(from chat.UserID, d chat.Draft) chat.Event {
	w.t.Helper()
	if d.Nonce == "" {
		d.Nonce = chat.NewID[chat.Nonce]()
	}
	e, err := w.server.Link(from).Send(context.Background(), d)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// log is what everyone wrote in a room, in order.
func (w *world) log(room chat.RoomID) []string {
	var texts []string
	for _, e := range w.server.Log(w.ana.ID, room) {
		if e.Message != nil {
			texts = append(texts, e.Message.Text)
		}
	}
	return texts
}

// shown is what the screen has of the messages of the open room, and what is pending.
func shown(v *model.View) (texts, pending []string) {
	if v.Room == nil {
		return nil, nil
	}
	for _, c := range v.Room.Chunks {
		for _, r := range c.Rows {
			if r.Kind == model.RowMessage && !r.Deleted {
				texts = append(texts, r.Text)
			}
		}
	}
	for _, r := range v.Room.Pending.Rows {
		pending = append(pending, r.Text)
	}
	return texts, pending
}

func (w *world) want(what string, want, got any) {
	w.t.Helper()
	if ws, ok := want.([]string); ok {
		if gs := got.([]string); !slices.Equal(ws, gs) {
			w.t.Fatalf("%s: want %q, got %q", what, ws, gs)
		}
		return
	}
	if want != got {
		w.t.Fatalf("%s: want %v, got %v", what, want, got)
	}
}

// vias are the transports that were followed over, since the last time it was asked.
func (w *world) vias() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, f := range w.follows {
		list = append(list, string(f.via))
	}
	w.follows = nil
	return list
}

// A scarce disk may be full.
type scarce struct {
	client.Disk
	w *world
}

func (d scarce) err() error {
	d.w.mu.Lock()
	writing := d.w.writing
	d.w.mu.Unlock()
	if writing == nil {
		return nil
	}
	return writing()
}

func (d scarce) Save(ctx context.Context, key string, record []byte) error {
	if err := d.err(); err != nil {
		return err
	}
	return d.Disk.Save(ctx, key, record)
}

func (d scarce) SaveAll(ctx context.Context, records map[string][]byte) error {
	if err := d.err(); err != nil {
		return err
	}
	return d.Disk.SaveAll(ctx, records)
}

var (
	errDown = errors.New("the network is down")
	errFull = errors.New("no space is left")
	errPage = &transport.Astray{Status: 200, Page: true}
)

// A link is a transport over the world's network.
type link struct {
	w     *world
	via   chat.Via
	every time.Duration
}

func (l link) Name() chat.Via { return l.via }

func (l link) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		w := l.w
		w.mu.Lock()
		way, user, dead, portal, storm := w.ways[l.via], w.session, w.dead, w.portal, w.storm
		w.follows = append(w.follows, follow{l.via, time.Now(), after, l.every})
		w.mu.Unlock()
		fail := func(err error) {
			if ctx.Err() == nil {
				yield(chat.Batch{}, err)
			}
		}
		switch {
		case dead:
			fail(errDown)
			return
		case portal:
			fail(errPage)
			return
		case storm != nil:
			fail(storm)
			return
		case way.hang:
			<-ctx.Done()
			return
		case way.refuse != nil:
			fail(way.refuse)
			return
		case user == "":
			fail(chat.ErrUnauthorized)
			return
		}
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		if way.cut != 0 {
			defer time.AfterFunc(way.cut, cancel).Stop()
		}
		silence := time.NewTimer(time.Hour)
		defer silence.Stop()
		if way.hush != 0 && (l.every == 0 || l.every >= way.hush) {
			silence.Reset(way.hush)
			defer context.AfterFunc(ctx, cancel)()
			go func() {
				select {
				case <-silence.C:
					cancel()
				case <-inner.Done():
				}
			}()
		}
		for b, err := range w.server.Link(user).Follow(inner, after) {
			w.mu.Lock()
			if w.twist != nil {
				b = w.twist(b)
			}
			w.mu.Unlock()
			if !yield(b, err) || err != nil {
				return
			}
			if way.hush != 0 && (l.every == 0 || l.every >= way.hush) {
				silence.Reset(way.hush)
			}
			if way.hold {
				<-ctx.Done()
				return
			}
			if way.silent {
				t := time.NewTimer(45 * time.Second)
				defer t.Stop()
				select {
				case <-t.C:
					fail(transport.ErrSilent)
				case <-ctx.Done():
				}
				return
			}
			w.mu.Lock()
			ended, dead, storm := w.session != user, w.dead, w.storm
			w.mu.Unlock()
			if ended {
				fail(chat.ErrUnauthorized)
				return
			}
			if storm != nil {
				fail(storm)
				return
			}
			if dead {
				break
			}
			if l.via == chat.Poll {
				select {
				case <-time.After(l.every):
				case <-ctx.Done():
				}
			}
		}
		fail(transport.ErrCut)
	}
}

func (l link) Send(ctx context.Context, d chat.Draft) (chat.Event, error) {
	w := l.w
	w.mu.Lock()
	user, dead, storm, sending := w.session, w.dead, w.storm, w.sending
	w.asked["send"]++
	w.mu.Unlock()
	var before, after error
	switch {
	case dead:
		before = errDown
	case storm != nil:
		before = storm
	case user == "":
		before = chat.ErrUnauthorized
	case sending != nil:
		before, after = sending(d)
	}
	if before != nil {
		return chat.Event{}, before
	}
	e, err := w.server.Link(user).Send(ctx, d)
	if after != nil {
		return chat.Event{}, after
	}
	return e, err
}

func (l link) Ping(context.Context) (time.Duration, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.asked["ping"]++
	switch {
	case l.w.dead:
		return 0, errDown
	case l.w.storm != nil:
		return 0, l.w.storm
	}
	return 7 * time.Millisecond, nil
}

// An api answers for the server in memory.
type api struct{ w *world }

// as counts a question and says who asks.
func (a api) as(what string) (chat.UserID, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.w.asked[what]++
	switch {
	case a.w.dead:
		return "", errDown
	case a.w.portal:
		return "", errPage
	case a.w.storm != nil:
		return "", a.w.storm
	case a.w.session == "":
		return "", chat.ErrUnauthorized
	}
	return a.w.session, nil
}

func (a api) Live(context.Context) error {
	if _, err := a.as("live"); !errors.Is(err, chat.ErrUnauthorized) {
		return err
	}
	return nil
}

func (a api) Peek(ctx context.Context, after chat.Cursor) (chat.Batch, error) {
	u, err := a.as("peek")
	if err != nil {
		return chat.Batch{}, err
	}
	for b, err := range a.w.server.Link(u).Follow(ctx, after) {
		return b, err
	}
	return chat.Batch{}, ctx.Err()
}

func (a api) Server(context.Context) (chat.Server, error) {
	if err := a.Live(context.Background()); err != nil {
		return chat.Server{}, err
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return chat.Server{SetUp: a.w.setup}, nil
}

func (a api) enter(name string) (chat.Account, error) {
	if err := a.Live(context.Background()); err != nil {
		return chat.Account{}, err
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	for _, u := range []chat.User{a.w.you, a.w.ana} {
		if u.Name == name {
			a.w.session, a.w.setup = u.ID, chat.SetUpDone
			return chat.Account{User: u}, nil
		}
	}
	return chat.Account{}, chat.ErrForbidden
}

func (a api) SetUp(_ context.Context, in chat.SetUp) (chat.Account, error)   { return a.enter(in.Name) }
func (a api) SignUp(_ context.Context, in chat.SignUp) (chat.Account, error) { return a.enter(in.Name) }
func (a api) SignIn(_ context.Context, in chat.SignIn) (chat.Account, error) { return a.enter(in.Name) }

func (a api) SignOut(context.Context) error {
	_, err := a.as("sign out")
	if err == nil {
		a.w.set(func() { a.w.session = "" })
	}
	return err
}

func (a api) Snapshot(context.Context) (chat.Snapshot, error) {
	u, err := a.as("snapshot")
	if err != nil {
		return chat.Snapshot{}, err
	}
	return a.w.server.Snapshot(u, 20), nil
}

func (a api) History(ctx context.Context, room chat.RoomID, before chat.Seq, limit int) (chat.History, error) {
	u, err := a.as("history")
	if err != nil {
		return chat.History{}, err
	}
	if a.w.paging != nil {
		select {
		case <-a.w.paging:
		case <-ctx.Done():
			return chat.History{}, ctx.Err()
		}
	}
	return a.w.server.History(u, room, before, limit)
}

func (a api) Digest(_ context.Context, room chat.RoomID, from, to chat.Seq) (chat.Digest, error) {
	u, err := a.as("digest")
	if err != nil {
		return chat.Digest{}, err
	}
	d, err := a.w.server.Digest(u, room, from, to)
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	if a.w.lying {
		d.Hash[0]++
	}
	return d, err
}

func (a api) Rooms(context.Context) ([]chat.Room, error) {
	u, err := a.as("rooms")
	return a.w.server.Rooms(u), err
}

func (a api) NewRoom(_ context.Context, in chat.NewRoom) (chat.Room, error) {
	u, err := a.as("new room")
	if err != nil {
		return chat.Room{}, err
	}
	return a.w.server.CreateRoom(u, in), nil
}

func (a api) Invite(context.Context) (chat.Invite, error) {
	_, err := a.as("invite")
	return chat.Invite{Code: "code"}, err
}

func (a api) Sessions(context.Context) ([]chat.Session, error) {
	_, err := a.as("sessions")
	return nil, err
}

func (a api) Revoke(context.Context, string) error {
	_, err := a.as("revoke")
	return err
}

func (a api) NewToken(_ context.Context, in chat.NewToken) (chat.Token, error) {
	_, err := a.as("token")
	return chat.Token{Name: in.Name}, err
}

func (a api) Costs(context.Context) (chat.Costs, error) { return chat.Costs{}, chat.ErrForbidden }
func (a api) Chaos(context.Context) (chat.Chaos, error) { return chat.Chaos{}, chat.ErrForbidden }

func (a api) SetChaos(context.Context, chat.Chaos) (chat.Chaos, error) {
	return chat.Chaos{}, chat.ErrForbidden
}
