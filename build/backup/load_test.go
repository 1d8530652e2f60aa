package backup

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/transport"
	"parley/build/child"
)

const (
	people = 8 // each follows, over one of the four ways, and sends over the same
	rooms  = 4
)

// load is a server in use.
type load struct {
	srv   *child.Server
	accts []*child.Account
	rooms []chat.RoomID

	mu      sync.Mutex
	acked   int
	heads   map[chat.RoomID]chat.Seq // the furthest answer in each room
	cursors map[chat.Via][]chat.Cursor
	changed chan struct{} // closed and replaced at each answer
}

// settle starts a server with people and rooms.
func settle(t *testing.T, ctx context.Context, srv *child.Server) *load {
	t.Helper()
	l := &load{srv: srv, heads: map[chat.RoomID]chat.Seq{}, cursors: map[chat.Via][]chat.Cursor{}, changed: make(chan struct{})}
	for i := range people {
		a, err := srv.AddUser(ctx, fmt.Sprintf("user%d", i))
		must(t, err)
		l.accts = append(l.accts, a)
	}
	_, err := srv.Start(ctx)
	must(t, err)
	var members []chat.UserID
	for _, a := range l.accts {
		snap, err := srv.Snapshot(ctx, a)
		must(t, err)
		members = append(members, snap.You)
	}
	for i := range rooms {
		must(t, srv.CreateRoom(ctx, l.accts[0], chat.NewRoom{Nonce: chat.Nonce(fmt.Sprintf("room%d", i)), Kind: chat.Private, Name: "room", Members: members[1:]}))
	}
	snap, err := srv.Snapshot(ctx, l.accts[0])
	must(t, err)
	for _, r := range snap.Rooms {
		if r.Name == "room" {
			l.rooms = append(l.rooms, r.ID)
		}
	}
	if len(l.rooms) != rooms {
		t.Fatalf("there are %d rooms", len(l.rooms))
	}
	return l
}

// run has everyone follow and send, so many a second in all, until stop is closed, and returns the first error.
func (l *load) run(ctx context.Context, seed uint64, rate float64, stop <-chan struct{}) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var senders, followers sync.WaitGroup
	for i, a := range l.accts {
		via := chat.Vias[i%len(chat.Vias)]
		link := reach(l.srv, via, a)
		followers.Go(func() {
			if err := l.follow(ctx, a, via, link); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("following over %s: %w", via, err))
			}
		})
		s := &sender{load: l, link: link, name: fmt.Sprintf("s%d", i), rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		senders.Go(func() {
			if err := s.run(ctx, time.Duration(people/rate*float64(time.Second)), stop); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("sending over %s: %w", via, err))
			}
		})
	}
	senders.Wait()
	err := context.Cause(ctx)
	cancel(nil)
	followers.Wait()
	return err
}

// reach is a client's own code on the way to a server.
func reach(srv *child.Server, via chat.Via, a *child.Account) transport.Transport {
	return transport.New(via, transport.Config{Base: srv.Base(), Token: a.Token, Every: 30 * time.Millisecond})
}

// follow follows, and keeps every cursor that it is given.
func (l *load) follow(ctx context.Context, a *child.Account, via chat.Via, link chat.Feed) error {
	snap, err := l.srv.Snapshot(ctx, a)
	if err != nil {
		return err
	}
	for batch, err := range link.Follow(ctx, snap.Cursor) {
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.cursors[via] = append(l.cursors[via], batch.Cursor)
		l.mu.Unlock()
	}
	return nil
}

func (l *load) answered(e chat.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked++
	l.heads[e.Room] = max(l.heads[e.Room], e.Seq)
	close(l.changed)
	l.changed = make(chan struct{})
}

// so tells how many sends were answered, and up to where in each room.
func (l *load) so() (int, map[chat.RoomID]chat.Seq, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked, maps.Clone(l.heads), l.changed
}

// more waits until so many more sends were answered, or the load has ended.
func (l *load) more(ctx context.Context, n int, ended <-chan error) error {
	begin, _, _ := l.so()
	for {
		now, _, changed := l.so()
		if now >= begin+n {
			return nil
		}
		select {
		case <-changed:
		case err := <-ended:
			return fmt.Errorf("the load has ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sender writes messages, edits and deletes its own.
type sender struct {
	*load
	link chat.Link
	name string
	rand *rand.Rand
	n    int
	mine []chat.Event // the newest of its messages that are still there
}

func (s *sender) run(ctx context.Context, pace time.Duration, stop <-chan struct{}) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		e, err := s.link.Send(ctx, s.draft())
		if err != nil { // a backup is no reason for any
			return err
		}
		s.answered(e)
		if e.Message != nil {
			s.mine = append(s.mine, e)
		}
	}
}

func (s *sender) draft() chat.Draft {
	s.n++
	d := chat.Draft{Nonce: chat.Nonce(fmt.Sprintf("%s-%d", s.name, s.n))}
	text := fmt.Sprintf("%d of %s: %x", s.n, s.name, s.rand.Uint64())
	how := s.rand.IntN(16)
	if len(s.mine) == 0 || how > 2 {
		d.Room, d.Message = s.load.rooms[s.rand.IntN(rooms)], &chat.Message{Text: text}
		return d
	}
	i := s.rand.IntN(len(s.mine))
	e := s.mine[i]
	d.Room = e.Room
	if how > 0 {
		d.Edit = &chat.Edit{Seq: e.Seq, Text: text}
		return d
	}
	d.Delete = &chat.Delete{Seq: e.Seq}
	s.mine = append(s.mine[:i:i], s.mine[i+1:]...)
	return d
}
