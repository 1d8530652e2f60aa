package sqlite

import (
	"context"
	"log"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/hub"
	"parley/server/hub/hubtest"
)

func TestMain(m *testing.M) {
	if at := os.Getenv(diesAt); at != "" {
		if err := upgradeAndDie(os.Args[1], at); err != nil {
			log.Fatal(err)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func maker() hubtest.Maker {
	return hubtest.Maker{
		Open:    func(t testing.TB, dir string) hub.Store { return open(t, dir, true) },
		Close:   func(t testing.TB, s hub.Store) { shut(t, s.(*Store)) },
		AddUser: func(t testing.TB, s hub.Store, u chat.User) { addUser(t, s.(*Store), u) },
	}
}

func open(t testing.TB, dir string, serve bool) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Dir: dir, Serve: serve})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

func shut(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func addUser(t testing.TB, s *Store, u chat.User) auth.User {
	t.Helper()
	a := auth.User{User: u, Key: string(u.ID), Hash: "x", Created: time.UnixMilli(1_767_225_600_000).UTC()}
	if err := s.AddUser(context.Background(), a); err != nil {
		t.Fatalf("AddUser: %v", err)
	}
	return a
}

func TestStore(t *testing.T) { hubtest.TestStore(t, maker()) }

func BenchmarkStore(b *testing.B) { hubtest.BenchmarkStore(b, maker()) }
