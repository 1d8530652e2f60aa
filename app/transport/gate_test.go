//go:build !js

package transport_test

import (
	"errors"
	"testing"

	"parley/app/chat"
	"parley/app/transport"
	"parley/server/servertest"
)

// Over each way, what passes the gate is counted, and nothing passes while it is shut.
func TestGate(t *testing.T) {
	s := servertest.Start(t, beat)
	for _, via := range chat.Vias {
		t.Run(string(via), func(t *testing.T) {
			u := s.User(t, "ana "+string(via))
			room := s.Room(t, u.ID)
			gate := &transport.Gate{}
			link := transport.New(via, transport.Config{Base: s.Base, Token: u.Token, Gate: gate, Wire: transport.Wire{HTTP: s.HTTP}})
			draft := func() chat.Draft {
				return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Message: &chat.Message{Text: "a text of thirty bytes or more"}}}
			}
			snap, err := s.Hub.Snapshot(t.Context(), u.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range link.Follow(t.Context(), snap.Cursor) {
				if err != nil {
					t.Fatal(err)
				}
				sent := gate.Traffic()
				if sent.Requests == 0 || sent.Down == 0 {
					t.Errorf("after the first batch: %+v", sent)
				}
				if _, err := link.Send(t.Context(), draft()); err != nil {
					t.Fatal(err)
				}
				if now := gate.Traffic(); now.Up < sent.Up+30 || now.Down <= sent.Down {
					t.Errorf("after a message: %+v, before %+v", now, sent)
				}
				break
			}
			gate.Shut(true)
			before := gate.Traffic()
			if _, err := link.Send(t.Context(), draft()); !errors.Is(err, chat.ErrUnavailable) {
				t.Errorf("sent through a shut gate: %v", err)
			}
			for _, err := range link.Follow(t.Context(), snap.Cursor) {
				if !errors.Is(err, chat.ErrUnavailable) {
					t.Errorf("followed through a shut gate: %v", err)
				}
				break
			}
			if now := gate.Traffic(); now != before {
				t.Errorf("%+v passed a shut gate, before it was %+v", now, before)
			}
			gate.Shut(false)
			if _, err := link.Send(t.Context(), draft()); err != nil {
				t.Errorf("after it was opened: %v", err)
			}
		})
	}
}
