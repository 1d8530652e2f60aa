package hubtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"parley/app/chat"
	"parley/server/hub"
)

// testConcurrent lets many send at once, by way of the one who appends, while others
// read, in pages of all sizes. Every reader has to end with exactly their
// part of the log: whoever was told of a position finds nothing new at or below it later.
func testConcurrent(t *testing.T, w *world) {
	const senders, each, readers = 8, 60, 6
	var users []chat.UserID
	for i := range senders {
		users = append(users, w.user(fmt.Sprintf("user %d", i)))
	}
	var rooms []chat.RoomID
	for range 3 {
		rooms = append(rooms, w.create(users[0], chat.Public, users[1:senders/2]...))
	}
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()

	queue := make(chan hub.Append)
	var drafts [senders][]hub.Append
	for i, u := range users {
		rnd := rand.New(rand.NewPCG(uint64(i), 1))
		for j := range each {
			d := chat.Draft{Room: rooms[rnd.IntN(len(rooms))], Body: message(fmt.Sprintf("%d of %d", j, i))}
			switch rnd.IntN(8) { // some of these are refused
			case 0:
				d.Body = joined(u)
			case 1:
				d.Body = left(u)
			}
			drafts[i] = append(drafts[i], w.draft(u, d))
		}
	}
	var sending sync.WaitGroup
	for _, mine := range drafts {
		sending.Go(func() {
			for i, a := range mine {
				queue <- a
				if i%9 == 0 {
					queue <- a // the answer was lost
				}
			}
		})
	}
	failed := make(chan error, 2*readers+1)
	done := make(chan struct{}) // closed: everything is appended
	go func() {
		sending.Wait()
		close(queue)
	}()
	go func() {
		defer close(done)
		for a := range queue {
			group := []hub.Append{a}
		more:
			for len(group) < 16 {
				select {
				case a, ok := <-queue:
					if !ok {
						break more
					}
					group = append(group, a)
				default:
					break more
				}
			}
			if _, err := w.s.Append(ctx, group); err != nil {
				failed <- fmt.Errorf("append: %w", err)
			}
		}
	}()

	seen := make([][]hub.Logged, readers)
	var reading sync.WaitGroup
	for i := range readers {
		reading.Go(func() {
			var err error
			if seen[i], err = follow(ctx, w.s, users[i], i, done); err != nil {
				failed <- err
			}
		})
		reading.Go(func() {
			if err := holds(ctx, w.s, users[i], done); err != nil {
				failed <- err
			}
		})
	}
	reading.Wait()
	<-done
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}

	log := w.log()
	seqs := map[chat.RoomID]chat.Seq{}
	nonces := map[string]bool{}
	for i, l := range log {
		e := l.Event
		seqs[e.Room]++
		key := string(e.From) + " " + string(e.Nonce)
		if l.Pos != hub.Pos(i+1) || e.Seq != seqs[e.Room] || e.Nonce != "" && nonces[key] {
			t.Fatalf("entry %d of the log: %+v", i, l)
		}
		nonces[key] = true
	}
	for i := range readers {
		spans := w.spans(users[i])
		var want []hub.Logged
		for _, l := range log {
			for _, s := range spans {
				if s.Room == l.Event.Room && s.From <= l.Pos && (s.To == 0 || l.Pos < s.To) {
					want = append(want, l)
				}
			}
		}
		same(t, fmt.Sprintf("what reader %d saw", i), want, seen[i])
	}
}

// follow reads u's log to its head, and until done is closed once more.
func follow(ctx context.Context, s hub.Store, u chat.UserID, seed int, done <-chan struct{}) (all []hub.Logged, err error) {
	rnd := rand.New(rand.NewPCG(uint64(seed), 2))
	var pos hub.Pos
	for last := false; ; {
		page, seen, err := s.AfterFor(ctx, u, pos, 1+rnd.IntN(20))
		if err != nil {
			return nil, fmt.Errorf("following: %w", err)
		}
		all = append(all, page...)
		if seen > pos {
			pos = seen
			continue
		}
		if last {
			return all, nil
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
}

// holds checks, until done is closed, that a snapshot is of one moment: its heads are those at its
// position.
func holds(ctx context.Context, s hub.Store, u chat.UserID, done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		snap, pos, err := s.Snapshot(ctx, u)
		if err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
		log, err := s.After(ctx, 0, int(pos))
		if err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
		heads := map[chat.RoomID]chat.Seq{}
		for _, l := range log {
			heads[l.Event.Room] = l.Event.Seq
		}
		for _, r := range snap.Rooms {
			if r.Head != heads[r.ID] || len(r.Events) > 0 && r.Events[len(r.Events)-1].Seq != r.Head {
				return fmt.Errorf("the snapshot at %d shows %s at %d; the log had %d", pos, r.ID, r.Head, heads[r.ID])
			}
		}
	}
}
