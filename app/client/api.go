package client

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"parley/app/chat"
	"parley/app/transport"
)

// An API answers questions. Its errors are *chat.Errors where the server
// refused, and trouble on the way otherwise.
type API interface {
	Live(context.Context) error                                      // the server answers
	Peek(ctx context.Context, after chat.Cursor) (chat.Batch, error) // what there is after a cursor
	Server(context.Context) (chat.Server, error)
	SetUp(context.Context, chat.SetUp) (chat.Account, error)
	SignUp(context.Context, chat.SignUp) (chat.Account, error)
	SignIn(context.Context, chat.SignIn) (chat.Account, error)
	SignOut(context.Context) error
	Snapshot(context.Context) (chat.Snapshot, error)
	History(ctx context.Context, room chat.RoomID, before chat.Seq, limit int) (chat.History, error)
	Digest(ctx context.Context, room chat.RoomID, from, to chat.Seq) (chat.Digest, error)
	Rooms(context.Context) ([]chat.Room, error)
	NewRoom(context.Context, chat.NewRoom) (chat.Room, error)
	Invite(context.Context) (chat.Invite, error)
	Sessions(context.Context) ([]chat.Session, error)
	Revoke(ctx context.Context, id string) error
	NewToken(context.Context, chat.NewToken) (chat.Token, error)
	Costs(context.Context) (chat.Costs, error) // for the owner
	Chaos(context.Context) (chat.Chaos, error) // … of a server that was started for it
	SetChaos(context.Context, chat.Chaos) (chat.Chaos, error)
}

// askPatience is how long an answer may take to begin and to go on.
const askPatience = 15 * time.Second

// NewAPI returns the API of a server.
func NewAPI(c transport.Config) API { return caller{transport.NewCaller(c)} }

type caller struct{ *transport.Caller }

func call[T any](ctx context.Context, c caller, method, path string, in any) (T, error) {
	ctx, cancel := transport.Patient(ctx, askPatience, context.DeadlineExceeded)
	defer cancel()
	var out T
	err := c.Call(ctx, method, path, in, &out)
	return out, err
}

func (c caller) Server(ctx context.Context) (chat.Server, error) {
	return call[chat.Server](ctx, c, "GET", "/api/server", nil)
}

func (c caller) SetUp(ctx context.Context, in chat.SetUp) (chat.Account, error) {
	return call[chat.Account](ctx, c, "POST", "/api/setup", in)
}

func (c caller) SignUp(ctx context.Context, in chat.SignUp) (chat.Account, error) {
	return call[chat.Account](ctx, c, "POST", "/api/signup", in)
}

func (c caller) SignIn(ctx context.Context, in chat.SignIn) (chat.Account, error) {
	return call[chat.Account](ctx, c, "POST", "/api/session", in)
}

func (c caller) SignOut(ctx context.Context) error {
	return c.Call(ctx, "DELETE", "/api/session", nil, nil)
}

func (c caller) Snapshot(ctx context.Context) (chat.Snapshot, error) {
	return call[chat.Snapshot](ctx, c, "GET", "/api/snapshot", nil)
}

func (c caller) History(ctx context.Context, room chat.RoomID, before chat.Seq, limit int) (chat.History, error) {
	return call[chat.History](ctx, c, "GET", "/api/rooms/"+url.PathEscape(string(room))+
		"/events?before="+strconv.FormatInt(int64(before), 10)+"&limit="+strconv.Itoa(limit), nil)
}

func (c caller) Rooms(ctx context.Context) ([]chat.Room, error) {
	return call[[]chat.Room](ctx, c, "GET", "/api/rooms", nil)
}

func (c caller) NewRoom(ctx context.Context, in chat.NewRoom) (chat.Room, error) {
	return call[chat.Room](ctx, c, "POST", "/api/rooms", in)
}

func (c caller) Invite(ctx context.Context) (chat.Invite, error) {
	return call[chat.Invite](ctx, c, "POST", "/api/invites", struct{}{})
}

func (c caller) Sessions(ctx context.Context) ([]chat.Session, error) {
	return call[[]chat.Session](ctx, c, "GET", "/api/sessions", nil)
}

func (c caller) Revoke(ctx context.Context, id string) error {
	return c.Call(ctx, "DELETE", "/api/sessions/"+url.PathEscape(id), nil, nil)
}

func (c caller) NewToken(ctx context.Context, in chat.NewToken) (chat.Token, error) {
	return call[chat.Token](ctx, c, "POST", "/api/tokens", in)
}

func (c caller) Costs(ctx context.Context) (chat.Costs, error) {
	return call[chat.Costs](ctx, c, "GET", "/api/lab", nil)
}

func (c caller) Chaos(ctx context.Context) (chat.Chaos, error) {
	return call[chat.Chaos](ctx, c, "GET", "/api/chaos", nil)
}

func (c caller) SetChaos(ctx context.Context, in chat.Chaos) (chat.Chaos, error) {
	return call[chat.Chaos](ctx, c, "PUT", "/api/chaos", in)
}
