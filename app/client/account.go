package client

import (
	"context"
	"errors"

	"parley/app/chat"
)

// SetUp claims a new server.
func (e *Engine) SetUp(ctx context.Context, in chat.SetUp) error {
	_, err := e.c.API.SetUp(ctx, in)
	return e.admitted(ctx, err)
}

// SignUp joins the server by invite.
func (e *Engine) SignUp(ctx context.Context, in chat.SignUp) error {
	_, err := e.c.API.SignUp(ctx, in)
	return e.admitted(ctx, err)
}

// SignIn opens a session.
func (e *Engine) SignIn(ctx context.Context, in chat.SignIn) error {
	_, err := e.c.API.SignIn(ctx, in)
	return e.admitted(ctx, err)
}

// admitted goes on from the server's answer. The session is open when there is no error; should
// the first snapshot not come at once, the engine goes on trying.
func (e *Engine) admitted(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	if err := e.enter(ctx); errors.Is(err, chat.ErrUnauthorized) {
		return err // the browser did not keep the session
	}
	return nil
}

// SignOut ends the session and forgets, here, all that was its. When the
// server can not be told, it does neither: the session would live on.
func (e *Engine) SignOut(ctx context.Context) error {
	if err := e.c.API.SignOut(ctx); err != nil && !errors.Is(err, chat.ErrUnauthorized) {
		return err
	}
	return e.forget(ctx)
}

// NewRoom makes a room, or finds a direct one.
func (e *Engine) NewRoom(ctx context.Context, in chat.NewRoom) (chat.Room, error) {
	if in.Nonce == "" {
		in.Nonce = chat.NewID[chat.Nonce]()
	}
	r, err := retried(ctx, func() (chat.Room, error) { return e.c.API.NewRoom(ctx, in) })
	if err != nil {
		return chat.Room{}, err
	}
	e.post(func() {
		e.model.AddRoom(r)
		e.changed()
	})
	return r, nil
}

// Rooms asks for the public rooms one is not in.
func (e *Engine) Rooms(ctx context.Context) ([]chat.Room, error) { return e.c.API.Rooms(ctx) }

// Join lets the person into a public room.
func (e *Engine) Join(ctx context.Context, room chat.RoomID) error {
	me, err := e.me()
	if err != nil {
		return err
	}
	if _, err := e.member(ctx, room, me, chat.Joined); err != nil && !errors.Is(err, chat.ErrConflict) {
		return err
	}
	_ = e.refreshed(ctx, nil) // the feed says so too, sooner or later
	return nil
}

// Leave lets the person out of a room.
func (e *Engine) Leave(ctx context.Context, room chat.RoomID) error {
	me, err := e.me()
	if err != nil {
		return err
	}
	ev, err := e.member(ctx, room, me, chat.Left)
	if err != nil {
		return err
	}
	e.post(func() {
		e.model.Leave(room, ev.Seq)
		e.changed()
	})
	return nil
}

// Add brings someone into a room.
func (e *Engine) Add(ctx context.Context, room chat.RoomID, u chat.UserID) error {
	_, err := e.member(ctx, room, u, chat.Joined)
	return err
}

// Remove sends someone out.
func (e *Engine) Remove(ctx context.Context, room chat.RoomID, u chat.UserID) error {
	_, err := e.member(ctx, room, u, chat.Left)
	return err
}

// Invite asks for a link for new people.
func (e *Engine) Invite(ctx context.Context) (chat.Invite, error) { return e.c.API.Invite(ctx) }

// Sessions asks for one's sessions and tokens.
func (e *Engine) Sessions(ctx context.Context) ([]chat.Session, error) { return e.c.API.Sessions(ctx) }

// Revoke ends a session or a token.
func (e *Engine) Revoke(ctx context.Context, id string) error { return e.c.API.Revoke(ctx, id) }

// NewToken asks for a bearer token for a program.
func (e *Engine) NewToken(ctx context.Context, name string) (chat.Token, error) {
	return e.c.API.NewToken(ctx, chat.NewToken{Name: name})
}

// Chaos asks how bad the server's network is made on purpose.
func (e *Engine) Chaos(ctx context.Context) (chat.Chaos, error) { return e.c.API.Chaos(ctx) }

// SetChaos makes it as bad as that from now on.
func (e *Engine) SetChaos(ctx context.Context, c chat.Chaos) (chat.Chaos, error) {
	return e.c.API.SetChaos(ctx, c)
}

// member sends a membership over the link in use.
func (e *Engine) member(ctx context.Context, room chat.RoomID, u chat.UserID, s chat.MemberState) (chat.Event, error) {
	link, err := query(e, func() chat.Link { return e.link })
	if err != nil || link == nil {
		return chat.Event{}, errors.Join(err, chat.ErrUnavailable)
	}
	d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Member: &chat.Member{User: u, State: s}}}
	return retried(ctx, func() (chat.Event, error) { return link.Send(ctx, d) })
}

// me is who the person is.
func (e *Engine) me() (chat.UserID, error) {
	me, err := query(e, func() chat.UserID { return e.model.You() })
	if err == nil && me == "" {
		err = chat.ErrUnauthorized
	}
	return me, err
}

// query reads something that the engine's goroutine owns.
func query[T any](e *Engine, f func() T) (v T, err error) {
	c := make(chan T, 1)
	if !e.post(func() { c <- f() }) {
		return v, errEnded
	}
	select {
	case v = <-c:
		return v, nil
	case <-e.done:
		return v, errEnded
	}
}

// retried does what is idempotent once more when its answer was lost.
func retried[T any](ctx context.Context, f func() (T, error)) (T, error) {
	v, err := f()
	if _, told := errors.AsType[*chat.Error](err); err != nil && !told && ctx.Err() == nil {
		return f()
	}
	return v, err
}
