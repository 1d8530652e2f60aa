//go:build !js

package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/transport"
	"parley/server/servertest"
)

// Whatever the network does, each way brings everything once and in order to whoever comes back with
// the cursor that was last seen, and what is sent until it is answered is there once.
func TestBadNetworks(t *testing.T) {
	const rounds = 2
	faults := []chat.Fault{
		{}, {LatencyMS: 20, JitterMS: 80}, {Loss: 0.2}, {HoldBytes: 2_000, HoldMS: 100}, {CutBytes: 700}, {HalfOpen: true},
		{LatencyMS: 5, Loss: 0.1, CutBytes: 1_500},
	}
	for _, via := range chat.Vias {
		t.Run(string(via), func(t *testing.T) {
			t.Parallel()
			s := servertest.StartBad(t, 200*time.Millisecond)
			ana := s.User(t, "ana")
			room := s.Room(t, ana.ID)
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			link := transport.New(via, transport.Config{
				Base: s.Base, Token: ana.Token, Every: 20 * time.Millisecond, Quiet: 700 * time.Millisecond, Wire: transport.Wire{HTTP: client},
			})
			ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
			defer cancel()
			b, err := transport.NewCaller(transport.Config{Base: s.Base, Token: ana.Token, Wire: transport.Wire{HTTP: client}}).Peek(ctx, "")
			if err != nil {
				t.Fatal(err)
			}
			cursor := b.Cursor

			var working sync.WaitGroup
			defer working.Wait()
			defer cancel()
			fair := make(chan struct{}) // the weather is
			working.Go(func() {
				defer close(fair)
				defer s.Net.Set(nil)
				tick := time.NewTicker(150 * time.Millisecond)
				defer tick.Stop()
				for i := range rounds * len(faults) {
					s.Net.Set(faults[i%len(faults) : i%len(faults)+1])
					select {
					case <-tick.C:
					case <-ctx.Done():
						return
					}
				}
			})
			var sent atomic.Int64
			working.Go(func() {
				for ctx.Err() == nil {
					d := message(room, fmt.Sprint(sent.Load()))
					for answered := false; !answered && ctx.Err() == nil; {
						try, done := context.WithTimeout(ctx, time.Second)
						_, err := link.Send(try, d)
						done()
						answered = err == nil
					}
					select {
					case <-fair:
						sent.Store(-sent.Load() - 1) // that was the last
						return
					default:
						sent.Add(1)
					}
				}
			})
			all := func(n int64) bool { return n > 0 && sent.Load() == -n } // a number below zero is how many there were
			next, breaks := int64(0), 0
			for !all(next) && ctx.Err() == nil {
				for b, err := range link.Follow(ctx, cursor) {
					if err != nil {
						breaks++
						if chat.CodeOf(err) == chat.CodeReset {
							t.Fatal(err)
						}
						break
					}
					for _, e := range b.Events {
						if e.Message == nil {
							continue
						}
						if e.Message.Text != fmt.Sprint(next) {
							t.Fatalf("%q came, want %d", e.Message.Text, next)
						}
						next++
					}
					cursor = b.Cursor
					if all(next) {
						break
					}
				}
			}
			if !all(next) || breaks == 0 {
				t.Errorf("%d messages came; the connection broke %d times", next, breaks)
			}
			t.Logf("%d messages, %d breaks", next, breaks)
		})
	}
}
