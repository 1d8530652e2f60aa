//go:build !js

package transport_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/app/chat"
	"parley/app/chat/chattest"
	"parley/app/transport"
	"parley/server/servertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const beat = 300 * time.Millisecond

// world is a World of one server followed over one transport.
func world(s *servertest.Server, via chat.Via) chattest.World {
	tokens := map[chat.UserID]string{}
	return chattest.World{
		User: func(tb testing.TB, name string) chat.UserID {
			u := s.User(tb, name)
			tokens[u.ID] = u.Token
			return u.ID
		},
		Room: s.Room,
		Link: func(_ testing.TB, u chat.UserID) chat.Link {
			return transport.New(via, transport.Config{
				Base: s.Base, Token: tokens[u], Every: 50 * time.Millisecond, Wire: transport.Wire{HTTP: s.HTTP},
			})
		},
		Beat:    beat,
		Signals: via != chat.Poll,
	}
}

// The one suite passes over each of the four transports, against the real server. Package hub has it pass over its own link.
func TestLinks(t *testing.T) {
	for _, via := range chat.Vias {
		t.Run(string(via), func(t *testing.T) {
			t.Parallel()
			chattest.TestLink(t, world(servertest.Start(t, beat), via))
		})
	}
}
