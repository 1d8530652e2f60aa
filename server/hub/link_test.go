package hub_test

import (
	"fmt"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/chat/chattest"
	"parley/server/auth"
	"parley/server/hub"
)

// The hub's own link does what every link must, as the transports over it do.
func TestLink(t *testing.T) {
	const beat = 200 * time.Millisecond
	w := newWorld(t, 1, hub.Options{Beat: beat})
	chattest.TestLink(t, chattest.World{
		User: func(tb testing.TB, name string) chat.UserID {
			tb.Helper()
			id := chat.NewID[chat.UserID]()
			name = fmt.Sprint(name, " ", id) // each test has people of its own
			if err := w.store.AddUser(w.ctx, auth.User{User: chat.User{ID: id, Name: name}, Key: name, Hash: "-", Created: time.Now()}); err != nil {
				tb.Fatal(err)
			}
			w.admit(id)
			return id
		},
		Room: func(_ testing.TB, creator chat.UserID, others ...chat.UserID) chat.RoomID {
			return w.newRoom(creator, chat.Private, "den", others...).ID
		},
		Link:    func(_ testing.TB, u chat.UserID) chat.Link { return w.hub.Link(u) },
		Beat:    beat,
		Signals: true,
	})
}
