//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
	"parley/app/transport"
	"parley/server/servertest"
)

// A bench is an engine of someone on a real server.
type bench struct {
	*client.Engine
	server *servertest.Server
	user   servertest.User

	mu   sync.Mutex
	view *model.View // guarded by mu
}

// onBench starts an engine whose lab has something instead of its ways.
func onBench(t *testing.T, instead func(transport.Transport) transport.Transport) *bench {
	t.Helper()
	s := servertest.Start(t, 300*time.Millisecond)
	b := &bench{server: s, user: s.User(t, "ana")}
	config := func(every time.Duration, g *transport.Gate) transport.Config {
		return transport.Config{Base: s.Base, Token: b.user.Token, Every: every, Gate: g, Wire: transport.Wire{HTTP: s.HTTP}}
	}
	b.Engine = client.New(client.Config{
		Zone: time.UTC, API: client.NewAPI(config(0, nil)),
		Links: func(via chat.Via, every time.Duration) transport.Transport {
			return transport.New(via, config(every, nil))
		},
		Ways: func(via chat.Via, every time.Duration, g *transport.Gate) transport.Transport {
			return instead(transport.New(via, config(every, g)))
		},
		Report: func(fault string) { t.Error(fault) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { b.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	in := make(chan struct{})
	var once sync.Once
	stop := b.Watch(func(v *model.View) {
		b.mu.Lock()
		b.view = v
		b.mu.Unlock()
		if v.Session == model.SignedIn {
			once.Do(func() { close(in) })
		}
	})
	t.Cleanup(stop)
	select {
	case <-in:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was signed in")
	}
	return b
}

func asItIs(l transport.Transport) transport.Transport { return l }

// All four ways bring every message, and what they took adds up.
func TestLab(t *testing.T) {
	b := onBench(t, asItIs)
	var last *model.Lab
	moments := 0
	see := func(m *model.Lab) {
		if last != nil && (m.Version <= last.Version || m.Sent < last.Sent || last.Over) {
			t.Errorf("moment %d with %d messages follows %d with %d", m.Version, m.Sent, last.Version, last.Sent)
		}
		last = m
		moments++
	}
	if err := b.Lab(t.Context(), 3*time.Second, see); err != nil {
		t.Fatal(err)
	}
	if !last.Over || moments < 2 || last.Sent < 4 || last.HeadUp < 50 || last.HeadDown < 50 {
		t.Fatalf("it ended as %+v after %d moments", last, moments)
	}
	for i, w := range last.Ways {
		bars := 0
		for _, n := range w.Histogram {
			bars += n
		}
		if w.Via != model.LabOrder[i] || w.State != model.LabOpen || w.Came != last.Sent || bars != last.Sent || len(w.Delays) != last.Sent {
			t.Errorf("%s: of %d messages %d came, %d are in the histogram and %d in the list; its state is %d", w.Via, last.Sent, w.Came, bars, len(w.Delays), w.State)
		}
		if w.Median <= 0 || w.Slow < w.Median || w.Answer <= 0 || w.Breaks != 0 || w.Up <= 0 || w.Down <= 0 {
			t.Errorf("%s: %+v", w.Via, w)
		}
	}
	poll, socket := last.Ways[0], last.Ways[3]
	if posts := int64(last.Sent+1) / 2; last.Ways[2].Requests != 1+posts {
		t.Errorf("an EventSource and %d requests that send are %d requests", posts, last.Ways[2].Requests)
	}
	if socket.Requests != 1 || poll.Requests <= last.Ways[2].Requests || poll.Empty == 0 || socket.Empty != 0 {
		t.Errorf("the WebSocket took %d requests, polling %d, of which %d were for nothing", socket.Requests, poll.Requests, poll.Empty)
	}
	if last.Costs != nil {
		t.Error("someone who is not the owner was told what the server spends")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.view.Rooms {
		if r.Name == chat.LabName {
			t.Error("the lab's room is listed")
		}
	}
}

// It is the same room each time, and it ends when it is told to, with nothing left of it: TestMain looks.
func TestLabIsEnded(t *testing.T) {
	b := onBench(t, asItIs)
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		err := b.Lab(ctx, time.Minute, func(*model.Lab) { cancel() })
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("it ended with %v", err)
		}
	}
	snap, err := b.server.Hub.Snapshot(t.Context(), b.user.ID)
	if err != nil {
		t.Fatal(err)
	}
	rooms := 0
	for _, r := range snap.Rooms {
		if r.Lab(b.user.ID) {
			rooms++
		}
	}
	if rooms != 1 {
		t.Errorf("there are %d rooms of the lab", rooms)
	}
}

// One way that does not work disturbs no other.
func TestLabWithoutWebSocket(t *testing.T) {
	b := onBench(t, func(l transport.Transport) transport.Transport {
		if l.Name() == chat.WebSocket {
			return refused{l}
		}
		return l
	})
	var last *model.Lab
	if err := b.Lab(t.Context(), 2*time.Second, func(m *model.Lab) { last = m }); err != nil {
		t.Fatal(err)
	}
	for _, w := range last.Ways {
		want := fmt.Sprint(model.LabOpen, last.Sent)
		if w.Via == chat.WebSocket {
			want = fmt.Sprint(model.LabShut, 0)
		}
		if got := fmt.Sprint(w.State, w.Came); got != want {
			t.Errorf("%s: state and messages are %s, want %s", w.Via, got, want)
		}
	}
}

// A refused way never opens.
type refused struct{ transport.Transport }

func (refused) Follow(context.Context, chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		yield(chat.Batch{}, errors.New("the handshake was refused"))
	}
}
