package swarm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/app/chat"
	"parley/build/child"
)

// A witness is a reader that keeps what it was given, to be judged when all is over.
type witness struct {
	*reader
	user  int
	given []event // guarded by the reader's mu
	cut   int64   // the moment after which nothing that was sent may come; 0: never. Read when all is over
}

// witness makes one that begins at p.
func (w *world) witness(user int, acct *child.Account, via chat.Via, p place) *witness {
	v := &witness{reader: newReader(w.srv, acct, via, p), user: user}
	v.free = true
	v.heard = func(room chat.RoomID, seq chat.Seq) { v.given = append(v.given, event{room, seq}) }
	return v
}

// A cutter takes people's rights away while they read, and looks at once whether they are gone.
type cutter struct {
	w       *world
	clock   *atomic.Int64 // counts what was sent and what was revoked: which was first
	rand    *rand.Rand
	users   []int            // whose rights are this cutter's to take
	owners  []*child.Account // sessions that nobody takes away, by user
	out     []event          // who was sent out of which room and not brought back; seq is the user
	revoked []*witness
	cuts    map[string]int
}

// cut takes one right away at random.
func (c *cutter) cut(ctx context.Context) error {
	u := c.users[c.rand.IntN(len(c.users))]
	via := chat.Vias[c.rand.IntN(len(chat.Vias))]
	kind := []string{"sent out", "left", "token revoked", "session revoked", "signed out"}[c.rand.IntN(5)]
	c.cuts[kind]++
	var err error
	switch kind {
	case "sent out":
		err = c.remove(ctx, u, c.w.host)
	case "left":
		err = c.remove(ctx, u, c.w.users[u])
	default:
		err = c.revoke(ctx, u, via, kind)
	}
	if err != nil {
		return fmt.Errorf("%s, %s: %w", c.w.users[u].Name, kind, err)
	}
	return nil
}

// remove ends the membership of u in one of their rooms, or, when they are in none, brings them back into one.
func (c *cutter) remove(ctx context.Context, u int, by *child.Account) error {
	room := c.w.rooms[(u+c.rand.IntN(c.w.in))%len(c.w.rooms)]
	who := event{room, chat.Seq(u)}
	if at := slices.Index(c.out, who); at >= 0 {
		if err := c.member(ctx, c.w.host, u, room, chat.Joined); err != nil {
			return err
		}
		c.out = slices.Delete(c.out, at, at+1)
	}
	if err := c.member(ctx, by, u, room, chat.Left); err != nil {
		return err
	}
	c.out = append(c.out, who)
	acct, at := c.w.users[u], "/api/rooms/"+string(room)
	send := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Message: &chat.Message{Text: "still here?"}}}
	return errors.Join(
		refusedAs(chat.ErrNotFound, "history", c.w.srv.Ask(ctx, acct, http.MethodGet, at+"/events", nil, nil)),
		refusedAs(chat.ErrNotFound, "digest", c.w.srv.Ask(ctx, acct, http.MethodGet, at+"/digest", nil, nil)),
		refusedAs(chat.ErrNotFound, "sending", c.send(ctx, acct, send)))
}

// send sends a draft until it is known what became of it: a server under this load may say that it did not finish in time.
func (c *cutter) send(ctx context.Context, by *child.Account, d chat.Draft) error {
	for {
		err := c.w.srv.Ask(ctx, by, http.MethodPost, "/api/send", d, nil)
		if !errors.Is(err, chat.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
	}
}

func (c *cutter) member(ctx context.Context, by *child.Account, u int, room chat.RoomID, state chat.MemberState) error {
	return c.send(ctx, by, chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room,
		Body: chat.Body{Member: &chat.Member{User: c.w.users[u].ID, State: state}}})
}

// revoke lets u follow by a token or a session of their own, and takes it away while they do.
func (c *cutter) revoke(ctx context.Context, u int, via chat.Via, kind string) error {
	acct, id, err := c.grant(ctx, u, kind)
	if err != nil {
		return err
	}
	snap, err := c.w.srv.Snapshot(ctx, acct)
	if err != nil {
		return err
	}
	v := c.w.witness(u, acct, via, place{cursor: snap.Cursor})
	c.revoked = append(c.revoked, v)
	ended := make(chan error, 1)
	go func() { ended <- v.follow(ctx) }() // ends with the grant, or with ctx
	if err := v.open(ctx, 1); err != nil {
		return err
	}
	if kind == "signed out" {
		err = c.w.srv.Ask(ctx, acct, http.MethodDelete, "/api/session", nil, nil)
	} else {
		err = c.w.srv.Ask(ctx, c.owners[u], http.MethodDelete, "/api/sessions/"+id, nil, nil)
	}
	if err != nil {
		return err
	}
	v.cut = c.clock.Add(1)
	select {
	case err = <-ended:
	case <-ctx.Done():
		return fmt.Errorf("the %s did not end: %w", via, context.Cause(ctx))
	}
	// How it ended, and what comes of opening it again.
	return errors.Join(
		refusedAs(chat.ErrUnauthorized, string(via), err),
		refusedAs(chat.ErrUnauthorized, string(via)+" again", v.follow(ctx)),
		refusedAs(chat.ErrUnauthorized, "snapshot", c.w.srv.Ask(ctx, acct, http.MethodGet, "/api/snapshot", nil, nil)))
}

// grant makes a session or a token for u, and tells what it is called.
func (c *cutter) grant(ctx context.Context, u int, kind string) (*child.Account, string, error) {
	if kind == "token revoked" {
		var t chat.Token
		err := c.w.srv.Ask(ctx, c.owners[u], http.MethodPost, "/api/tokens", chat.NewToken{Name: "a program"}, &t)
		return &child.Account{Name: c.w.users[u].Name, ID: c.w.users[u].ID, Token: t.Token}, t.ID, err
	}
	list, err := c.w.srv.Sessions(ctx, []*child.Account{c.w.users[u]})
	if err != nil {
		return nil, "", err
	}
	var sessions []chat.Session
	if err := c.w.srv.Ask(ctx, list[0], http.MethodGet, "/api/sessions", nil, &sessions); err != nil {
		return nil, "", err
	}
	for _, s := range sessions {
		if s.Current {
			return list[0], s.ID, nil
		}
	}
	return nil, "", errors.New("a session does not know itself")
}

func refusedAs(want error, what string, err error) error {
	if errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("%s is answered with %w, not with %w", what, err, want)
}

// TestCutOff: nothing that was appended after someone was removed, left, signed out or was revoked reaches them.
func TestCutOff(t *testing.T) {
	plan := plan(t)
	users, rooms, pace, cuts := pick(40, 200), pick(8, 20), pick(300.0, 2000.0), pick(60, 1000)
	vias := pick(chat.Vias[:], chat.Vias[:1]) // by turns where there are enough users
	w := newWorld(t, users, rooms, 3)
	ctx, cancel := context.WithTimeoutCause(t.Context(), pick(patience, 10*time.Minute), errors.New("it takes too long"))
	defer cancel()
	owners, err := w.srv.Sessions(ctx, w.users)
	w.must(err)

	begin := w.now()
	var all []*witness
	watching := &crowd{}
	for u, acct := range w.users {
		for i := range vias {
			v := w.witness(u, acct, chat.Vias[(u+i)%len(chat.Vias)], begin)
			all = append(all, v)
			watching.readers = append(watching.readers, v.reader)
		}
	}
	watching = start(ctx, watching.readers, soon)
	defer watching.close()
	w.must(watching.open(ctx, 1))

	ws := w.write(ctx, plan, pace, 100)
	cutters := make([]*cutter, 4)
	g, gctx := errgroup.WithContext(ctx)
	for i := range cutters {
		c := &cutter{w: w, clock: ws.clock, rand: rand.New(rand.NewPCG(plan.Uint64(), 2)), owners: owners, cuts: map[string]int{}}
		for u := i; u < users; u += len(cutters) {
			c.users = append(c.users, u)
		}
		cutters[i] = c
		g.Go(func() error {
			for range cuts / len(cutters) {
				if err := c.cut(gctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w.must(errors.Join(g.Wait(), ws.close()))

	j, err := ws.judge(ctx)
	w.must(err)
	for _, v := range all {
		want := j.wanted(w.users[v.user].ID, begin)
		w.must(v.await(ctx, "level", func() bool { return len(v.given) >= len(want) }))
		if err := j.whole(v, w.users[v.user].ID, want); err != nil {
			t.Error(err)
		}
	}
	kinds := map[string]int{}
	for _, c := range cutters {
		for kind, n := range c.cuts {
			kinds[kind] += n
		}
		for _, v := range c.revoked {
			if err := j.ended(v, w.users[v.user].ID); err != nil {
				t.Error(err)
			}
		}
	}
	n, _, _ := ws.sent()
	t.Logf("%d messages, %d deliveries, cuts: %v", n, watching.deliveries(), kinds)
}
