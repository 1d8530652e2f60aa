package swarm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/app/chat"
	"parley/build/child"
)

// A world is a server with its users and rooms. The host is in all rooms and made them.
type world struct {
	t     *testing.T
	srv   *child.Server
	host  *child.Account
	users []*child.Account
	rooms []chat.RoomID
	in    int // rooms that each user is in
	still int // of the rooms, how many at the end nobody writes in
}

// newWorld starts a server, prepared as is said, with users, each in some of the private rooms: user i in room i and those that follow.
func newWorld(t *testing.T, users, rooms, in int, prepare ...func(*child.Server)) *world {
	t.Helper()
	ctx := t.Context()
	srv, err := child.New(ctx, program, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, f := range prepare {
		f(srv)
	}
	w := &world{t: t, srv: srv, in: in}
	all, err := srv.AddUsers(ctx, "user", users+1)
	w.must(err)
	w.host, w.users = all[0], all[1:]
	_, err = srv.Start(ctx)
	w.must(err)
	w.must(w.enter(ctx))
	for i := range rooms {
		n := chat.NewRoom{Nonce: chat.Nonce(fmt.Sprintf("room%d", i)), Kind: chat.Private, Name: fmt.Sprintf("room %05d", i)}
		for u, a := range w.users {
			if (i-u%rooms+rooms)%rooms < in {
				n.Members = append(n.Members, a.ID)
			}
		}
		w.must(srv.CreateRoom(ctx, w.host, n))
	}
	w.find()
	return w
}

// must ends the test with an error.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// enter has everyone ask for something once: then they have their own room, and nothing about it is news.
func (w *world) enter(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, a := range append(slices.Clone(w.users), w.host) {
		g.Go(func() error { return w.srv.Ask(ctx, a, http.MethodGet, "/api/rooms", nil, nil) })
	}
	return g.Wait()
}

// find learns what the rooms are called.
func (w *world) find() {
	w.t.Helper()
	snap, err := w.srv.Snapshot(w.t.Context(), w.host)
	w.must(err)
	slices.SortFunc(snap.Rooms, func(a, b chat.Room) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range snap.Rooms {
		if r.Kind == chat.Private {
			w.rooms = append(w.rooms, r.ID)
		}
	}
}

// now is where all rooms stand.
func (w *world) now() place {
	w.t.Helper()
	snap, err := w.srv.Snapshot(w.t.Context(), w.host)
	w.must(err)
	p := place{cursor: snap.Cursor, heads: map[chat.RoomID]chat.Seq{}}
	for _, r := range snap.Rooms {
		if r.Kind == chat.Private {
			p.heads[r.ID] = r.Head
		}
	}
	return p
}

// of is what user u sees of a place.
func (w *world) of(u int, p place) place {
	seen := place{cursor: p.cursor, heads: map[chat.RoomID]chat.Seq{}}
	for k := range w.in {
		room := w.rooms[(u+k)%len(w.rooms)]
		seen.heads[room] = p.heads[room]
	}
	return seen
}

// readers makes n readers that begin at p, over the ways by turns, as the users by turns.
func (w *world) readers(n int, p place, vias ...chat.Via) []*reader {
	all := make([]*reader, n)
	for i := range all {
		u := i % len(w.users)
		all[i] = newReader(w.srv, w.users[u], vias[i%len(vias)], w.of(u, p))
	}
	return all
}

// A crowd is readers at work.
type crowd struct {
	readers []*reader
	running sync.WaitGroup
	stop    context.CancelFunc
}

// start has every reader follow until the crowd is closed, as back says: how long after what ended a way
// they come back, or that the end is one that should not be.
func start(ctx context.Context, readers []*reader, back back) *crowd {
	ctx, stop := context.WithCancel(ctx)
	c := &crowd{readers: readers, stop: stop}
	for _, r := range readers {
		c.running.Go(func() { r.run(ctx, back) })
	}
	return c
}

func (c *crowd) close() {
	c.stop()
	c.running.Wait()
}

// open waits until all are open, n times.
func (c *crowd) open(ctx context.Context, n int) error {
	return c.each(func(r *reader) error { return r.open(ctx, n) })
}

// level waits until all have everything.
func (c *crowd) level(ctx context.Context, goal map[chat.RoomID]chat.Seq) error {
	return c.each(func(r *reader) error { return r.level(ctx, goal) })
}

// each asks all readers and tells of the first few that fail.
func (c *crowd) each(f func(*reader) error) error {
	var errs []error
	for _, r := range c.readers {
		if err := f(r); err != nil {
			if errs = append(errs, err); len(errs) == 5 {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// deliveries is how many events came to all together.
func (c *crowd) deliveries() int {
	n := 0
	for _, r := range c.readers {
		_, k, _ := r.state()
		n += k
	}
	return n
}

// within bounds a wait.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, patience, fmt.Errorf("not in %v", patience))
}

// rest lets time pass, while what is tested goes on.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
