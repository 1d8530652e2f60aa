//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
	"parley/app/transport"
	"parley/server/servertest"
)

// Everything at once, against the real server over real connections: sixteen write, over all
// ways, and lose every second answer; readers change the way at every batch. In the
// end each has the log of each room, whole, in order, once.
func TestSwitchingLosesNothing(t *testing.T) {
	const writers, each, rooms = 16, 30, 3
	s := servertest.Start(t, 500*time.Millisecond)
	users := make([]servertest.User, writers+8)
	var ids []chat.UserID
	for i := range users {
		users[i] = s.User(t, "user")
		ids = append(ids, users[i].ID)
	}
	var ins []chat.RoomID
	for range rooms {
		ins = append(ins, s.Room(t, ids[0], ids[1:]...))
	}
	begin, err := s.Hub.Snapshot(t.Context(), ids[0])
	must(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var reading, writing sync.WaitGroup
	readers := make([]*switcher, 4)
	for i := range readers {
		r := &switcher{user: users[writers+i], logs: map[chat.RoomID][]chat.Event{}}
		readers[i] = r
		reading.Go(func() { r.run(ctx, s, begin.Cursor, i) })
	}
	engines := make([]*screen, 4)
	for i := range engines {
		engines[i] = newScreen(t, s, users[writers+4+i], i)
	}
	for i := range writers {
		writing.Go(func() { write(ctx, t, s, users[i], ins, each, i) })
	}
	for i, e := range engines { // those with a screen write too
		for n := range each {
			e.engine.Send(ins[n%rooms], fmt.Sprintf("screen %d, %d", i, n))
		}
	}
	writing.Wait()

	logs := map[chat.RoomID][]chat.Event{}
	total := func() (n int) {
		for _, room := range ins {
			logs[room] = history(t, s, ids[0], room)
			for _, e := range logs[room] {
				if e.Message != nil {
					n++
				}
			}
		}
		return n
	}
	eventually(ctx, t, "all messages are in the log", func() bool { return total() == (writers+len(engines))*each })
	for i, r := range readers {
		eventually(ctx, t, fmt.Sprintf("reader %d has all", i), func() bool { return r.level(logs) })
	}
	for i, e := range engines {
		for _, room := range ins {
			e.engine.Open(room)
			want := texts(logs[room])
			var got, pending []string
			ok := wait(ctx, func() bool {
				got, pending = e.shown(room)
				return slices.Equal(want, got) && len(pending) == 0
			})
			if !ok {
				t.Errorf("screen %d, of room %s: pending %q, (-want +got)\n%s", i, room, pending, cmp.Diff(want, got))
			}
		}
		if n := e.switches.Load(); n < 10 {
			t.Errorf("screen %d changed its way %d times", i, n)
		}
		e.stop()
	}
	cancel()
	reading.Wait()
	for i, r := range readers {
		if r.err != nil {
			t.Errorf("reader %d: %v", i, r.err)
		}
		for _, room := range ins {
			// The rooms were made before the cursor, so what comes is what was written.
			if d := cmp.Diff(after(logs[room], begin, room), r.logs[room]); d != "" {
				t.Errorf("reader %d, of room %s: (-want +got)\n%s", i, room, d)
			}
		}
		t.Logf("reader %d changed its way %d times", i, r.switches)
	}
}

// A switcher follows for one batch, then goes on over the next way.
type switcher struct {
	user     servertest.User
	mu       sync.Mutex
	logs     map[chat.RoomID][]chat.Event
	switches int
	err      error
}

func (r *switcher) run(ctx context.Context, s *servertest.Server, cursor chat.Cursor, i int) {
	for ; ctx.Err() == nil; i++ {
		link := transport.New(chat.Vias[i%4], transport.Config{
			Base: s.Base, Token: r.user.Token, Every: 20 * time.Millisecond, Wire: transport.Wire{HTTP: s.HTTP},
		})
		for b, err := range link.Follow(ctx, cursor) {
			if err != nil {
				r.err = err
				return
			}
			r.mu.Lock()
			for _, e := range b.Events {
				if !e.Signal() {
					r.logs[e.Room] = append(r.logs[e.Room], e)
				}
			}
			r.switches++
			r.mu.Unlock()
			cursor = b.Cursor
			if len(b.Events) > 0 || i%3 == 0 {
				break
			}
		}
	}
}

// level reports whether the reader has the last event of each log.
func (r *switcher) level(logs map[chat.RoomID][]chat.Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for room, l := range logs {
		got := r.logs[room]
		if len(got) == 0 || got[len(got)-1].Seq < l[len(l)-1].Seq {
			return false
		}
	}
	return true
}

// A screen is an engine and what it shows, over a wire that loses answers.
type screen struct {
	engine   *client.Engine
	stop     func()
	switches atomic.Int64
	view     atomic.Pointer[model.View]
}

func newScreen(t *testing.T, s *servertest.Server, u servertest.User, i int) *screen {
	wire := transport.Wire{HTTP: &http.Client{Transport: &lossy{RoundTripper: s.HTTP.Transport, random: rand.New(rand.NewPCG(uint64(i), 7))}}}
	e := &screen{engine: client.New(client.Config{
		API: client.NewAPI(transport.Config{Base: s.Base, Token: u.Token, Wire: transport.Wire{HTTP: s.HTTP}}),
		Links: func(via chat.Via, every time.Duration) transport.Transport {
			return transport.New(via, transport.Config{Base: s.Base, Token: u.Token, Every: every, Wire: wire})
		},
		Report: func(f string) { t.Error(f) },
	})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { e.engine.Run(ctx); close(done) }()
	batches := uint64(0)
	ready := make(chan struct{})
	signal := sync.OnceFunc(func() { close(ready) })
	e.engine.Watch(func(v *model.View) {
		e.view.Store(v)
		if v.Session == model.SignedIn {
			signal()
		}
		if v.Connection.Batches > batches {
			batches = v.Connection.Batches
			n := e.switches.Add(1)
			e.engine.Use(model.Choice{Via: chat.Vias[(int(n)+i)%4], Every: time.Second})
		}
	})
	<-ready
	e.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(e.stop)
	return e
}

func (e *screen) shown(room chat.RoomID) (texts, pending []string) {
	v := e.view.Load()
	if v == nil || v.Room == nil || v.Room.ID != room {
		return nil, []string{"another room is shown"}
	}
	return shown(v)
}

// write sends messages over changing ways, and again until an answer comes.
func write(ctx context.Context, t *testing.T, s *servertest.Server, u servertest.User, ins []chat.RoomID, n, i int) {
	random := rand.New(rand.NewPCG(uint64(i), 3))
	config := transport.Config{
		Base: s.Base, Token: u.Token, Every: 20 * time.Millisecond,
		Wire: transport.Wire{HTTP: &http.Client{Transport: &lossy{RoundTripper: s.HTTP.Transport, random: random}}},
	}
	for k := range n {
		link := transport.New(chat.Vias[random.IntN(4)], config)
		d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: ins[random.IntN(len(ins))],
			Body: chat.Body{Message: &chat.Message{Text: fmt.Sprintf("%d of %d", k, i)}}}
		follow, stop := context.WithCancel(ctx)
		var following sync.WaitGroup
		open := make(chan struct{})
		opened := sync.OnceFunc(func() { close(open) })
		following.Go(func() { // so that WebSocket has a socket
			for _, err := range link.Follow(follow, "") {
				if err == nil {
					opened()
				}
			}
		})
		select {
		case <-open:
		case <-ctx.Done():
		}
		for ctx.Err() == nil {
			// A socket's answer is lost by not waiting for it.
			short, cancel := context.WithTimeout(ctx, time.Duration(1+random.IntN(2)*5000)*time.Millisecond)
			e, err := link.Send(short, d)
			cancel()
			if err == nil {
				if e.Message == nil || e.Message.Text != d.Message.Text {
					t.Errorf("the answer to %+v is %+v", d, e)
				}
				break
			}
			if chat.Final(err) {
				t.Errorf("send: %v", err)
				break
			}
		}
		stop()
		following.Wait()
	}
}

// A lossy wire destroys every second answer to a send.
type lossy struct {
	http.RoundTripper
	mu     sync.Mutex
	random *rand.Rand
}

var errLost = errors.New("the answer was lost")

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil || r.URL.Path != "/api/send" {
		return resp, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.random.IntN(2) == 0 {
		return nil, errors.Join(errLost, resp.Body.Close())
	}
	return resp, nil
}

// history is the whole log of a room, as the server has it.
func history(t *testing.T, s *servertest.Server, u chat.UserID, room chat.RoomID) []chat.Event {
	t.Helper()
	var all []chat.Event
	for before := chat.Seq(0); ; before = all[0].Seq {
		h, err := s.Hub.History(t.Context(), u, room, before, chat.MaxPage)
		must(t, err)
		all = append(slices.Clone(h.Events), all...)
		if !h.More {
			return all
		}
	}
}

// after is the part of a log that a snapshot did not have yet.
func after(log []chat.Event, s chat.Snapshot, room chat.RoomID) []chat.Event {
	for _, r := range s.Rooms {
		if r.ID == room {
			return slices.DeleteFunc(slices.Clone(log), func(e chat.Event) bool { return e.Seq <= r.Head })
		}
	}
	return log
}

func texts(log []chat.Event) (list []string) {
	for _, e := range log {
		if e.Message != nil {
			list = append(list, e.Message.Text)
		}
	}
	return list
}

// wait waits until ok, or reports that it never was.
func wait(ctx context.Context, ok func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ok()
		}
	}
	return true
}

func eventually(ctx context.Context, t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !wait(ctx, ok) {
		t.Fatalf("in the end it is not so that %s", what)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
