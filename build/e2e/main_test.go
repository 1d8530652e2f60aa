// Package e2e drives the app as people do: the real program, two people, and Chromium.
//
//	go test ./build/e2e
//	go test ./build/e2e -quick    # compresses the web app less, to begin sooner
//	make bench-browser            # measures what the app costs in a browser
//
// Every test has a server and a browser of its own. The folder shots holds what
// the tests saw, and of a test that failed the last thing it saw.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"parley/app/chat"
	"parley/build/child"
)

var quick = flag.Bool("quick", false, "compress the web app less")

// binary is the program under test, built from the tree as it is.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "parley-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "parley")
		args := []string{"run", "parley/build", "-o", binary}
		if *quick {
			args = append(args, "-quick")
		}
		if out, err := exec.CommandContext(context.Background(), "go", args...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: build the program: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// serve starts a server that nobody has claimed, with more variables than usual if env has any.
func serve(t testing.TB, env ...string) *child.Server {
	t.Helper()
	s, err := child.New(t.Context(), binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.Env = env
	if _, err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return s
}

// program is an account that has a token, for what a test says by the public protocol.
func program(t testing.TB, s *child.Server, name string) *child.Account {
	t.Helper()
	a, err := s.AddUser(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// say sends one message by the public protocol.
func say(ctx context.Context, s *child.Server, a *child.Account, room chat.RoomID, text string) error {
	d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Message: &chat.Message{Text: text}}}
	var e chat.Event
	return s.Ask(ctx, a, "POST", "/api/send", d, &e)
}

// found makes a room by the public protocol, and brings someone in.
func found(t testing.TB, s *child.Server, a *child.Account, kind chat.RoomKind, name string, guest chat.UserID) chat.RoomID {
	t.Helper()
	var room chat.Room
	if err := s.Ask(t.Context(), a, "POST", "/api/rooms", chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: kind, Name: name}, &room); err != nil {
		t.Fatal(err)
	}
	d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room.ID, Body: chat.Body{Member: &chat.Member{User: guest, State: chat.Joined}}}
	var e chat.Event
	if err := s.Ask(t.Context(), a, "POST", "/api/send", d, &e); err != nil {
		t.Fatal(err)
	}
	return room.ID
}

// join lets a program into a public room.
func join(t testing.TB, s *child.Server, a *child.Account, room chat.RoomID) {
	t.Helper()
	snap, err := s.Snapshot(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range snap.Rooms {
		if r.ID == room {
			return
		}
	}
	d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Member: &chat.Member{User: snap.You, State: chat.Joined}}}
	var e chat.Event
	if err := s.Ask(t.Context(), a, "POST", "/api/send", d, &e); err != nil {
		t.Fatal(err)
	}
}
