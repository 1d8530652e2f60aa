package ui

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// Actions is what a person can do. The engine of package client does it; ui only
// asks. Methods may be called from any goroutine. Those without an error return at once
// and show their outcome in a later View; those with one block until the
// server answered, so call them off the UI goroutine.
type Actions interface {
	// Watch calls f with the newest View, now and after changes. Views may be
	// passed over: at most one call is in flight. f must not block for long.
	Watch(f func(*model.View)) (stop func())

	Open(room chat.RoomID)              // shows the room; "" shows none
	Send(room chat.RoomID, text string) // queues a message, shown as pending
	Edit(room chat.RoomID, seq chat.Seq, text string)
	Delete(room chat.RoomID, seq chat.Seq)
	Retry(nonce chat.Nonce)          // sends a failed draft again
	Discard(nonce chat.Nonce) string // drops a pending or failed draft and returns its text
	Typing(room chat.RoomID)         // call at each input; it is throttled
	SaveDraft(room chat.RoomID, text string)
	Read(room chat.RoomID, seq chat.Seq) // the person has seen up to seq
	LoadOlder(room chat.RoomID)

	Use(c model.Choice) // switches the transport, live, and remembers it
	TryNow()            // cuts a back-off short
	Check()             // compares all that is known with the server; see Connection.Whole
	Measure(on bool)    // someone looks at Connection.Stats, or does not any more
	Drop()              // cuts the connection, of all tabs where they share one, to see it come back
	Pretend(off bool)   // behaves as if there were no network, in this tab, until told otherwise
	SetVisible(bool)    // the page is seen
	SetOnline(bool)     // what the browser thinks of the network

	SetUp(context.Context, chat.SetUp) error
	SignUp(context.Context, chat.SignUp) error
	SignIn(context.Context, chat.SignIn) error
	SignOut(context.Context) error
	NewRoom(context.Context, chat.NewRoom) (chat.Room, error)
	Rooms(context.Context) ([]chat.Room, error) // public rooms one is not in
	Join(context.Context, chat.RoomID) error
	Leave(context.Context, chat.RoomID) error
	Add(context.Context, chat.RoomID, chat.UserID) error    // brings someone into a room
	Remove(context.Context, chat.RoomID, chat.UserID) error // sends someone out
	Invite(context.Context) (chat.Invite, error)
	Sessions(context.Context) ([]chat.Session, error)
	Revoke(ctx context.Context, id string) error
	NewToken(ctx context.Context, name string) (chat.Token, error)

	Chaos(context.Context) (chat.Chaos, error) // how bad the network is made on purpose; for the owner of a Server with Dev
	SetChaos(context.Context, chat.Chaos) (chat.Chaos, error)

	// Lab measures the four ways side by side for span, and calls see a few times a
	// second with what is known. It ends with ctx, and then returns an error.
	Lab(ctx context.Context, span time.Duration, see func(*model.Lab)) error
}
