// Package chattest says, as tests, what every [chat.Feed] and every [chat.Link]
// must do. [TestFeed] and [TestLink] run against whatever a [World] gives them: the
// hub's own links, a transport over a real server, or [Memory], the small
// reference that lives here and serves other packages' tests as a server.
package chattest

import (
	"testing"
	"time"

	"parley/app/chat"
)

// A World is where the tests happen. The tests make users and rooms
// of their own, so one World serves many tests.
type World struct {
	// User makes a user nobody has met.
	User func(tb testing.TB, name string) chat.UserID
	// Room makes a private room of creator, with the others as members.
	Room func(tb testing.TB, creator chat.UserID, others ...chat.UserID) chat.RoomID
	// Link gives a link of u, the same or another at each call.
	Link func(tb testing.TB, u chat.UserID) chat.Link
	// Beat is the longest that a feed of these links is silent.
	Beat time.Duration
	// Signals says that a feed carries the signals sent while it waits. One
	// that only asks now and then can not.
	Signals bool
}

// patience bounds each wait: far more than anything here takes.
const patience = 20 * time.Second
