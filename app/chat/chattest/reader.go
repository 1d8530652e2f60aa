package chattest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// A reader follows a feed on its own goroutine, so that a test can wait for the
// next batch with a deadline.
type reader struct {
	batches chan chat.Batch // closed when the feed has ended
	cancel  context.CancelFunc
	err     error // what it ended with; read it after batches was closed
	cursor  chat.Cursor
}

func follow(tb testing.TB, f chat.Feed, after chat.Cursor) *reader {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	r := &reader{batches: make(chan chat.Batch), cancel: cancel, cursor: after}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(r.batches)
		for b, err := range f.Follow(ctx, after) {
			if r.err != nil {
				r.err = fmt.Errorf("the feed went on after its error %w", r.err)
				return
			}
			if err != nil {
				r.err = err
				continue
			}
			select {
			case r.batches <- b:
			case <-ctx.Done():
				return
			}
		}
	})
	tb.Cleanup(func() { cancel(); wg.Wait() })
	return r
}

// next waits for a batch.
func (r *reader) next(tb testing.TB) chat.Batch {
	tb.Helper()
	select {
	case b, ok := <-r.batches:
		if !ok {
			tb.Fatalf("the feed ended, with error %v", r.err)
		}
		if b.Cursor == "" {
			tb.Fatalf("a batch without a cursor: %+v", b)
		}
		if len(b.Events) > chat.MaxBatch {
			tb.Fatalf("a batch of %d events, more than %d", len(b.Events), chat.MaxBatch)
		}
		r.cursor = b.Cursor
		return b
	case <-time.After(patience):
		tb.Fatal("no batch came")
		panic("unreachable")
	}
}

// take waits until n events of the room came and returns them.
func (r *reader) take(tb testing.TB, room chat.RoomID, n int) []chat.Event {
	tb.Helper()
	var got []chat.Event
	for len(got) < n {
		got = append(got, logged(r.next(tb).Events, room)...)
	}
	if len(got) > n {
		tb.Fatalf("%d events came, %d were due: %s", len(got), n, brief(got))
	}
	return got
}

// logged are those of the events that are in the room's log. Others may come at any
// time: who is there, and what happens in the users' other rooms.
func logged(events []chat.Event, room chat.RoomID) []chat.Event {
	var in []chat.Event
	for _, e := range events {
		if e.Room == room && !e.Signal() {
			in = append(in, e)
		}
	}
	return in
}

// end waits until the feed ends by itself and returns its error.
func (r *reader) end(tb testing.TB) error {
	tb.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, ok := <-r.batches:
			if !ok {
				return r.err
			}
		case <-deadline:
			tb.Fatal("the feed did not end")
		}
	}
}

// stop cancels the feed and sees that it ends at once and in silence.
func (r *reader) stop(tb testing.TB) {
	tb.Helper()
	r.cancel()
	if err := r.end(tb); err != nil && !errors.Is(err, context.Canceled) {
		tb.Errorf("a cancelled feed ended with error %v", err)
	}
}

func say(text string) chat.Body { return chat.Body{Message: &chat.Message{Text: text}} }

func draft(room chat.RoomID, b chat.Body) chat.Draft {
	return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: b}
}

func send(tb testing.TB, l chat.Link, d chat.Draft) chat.Event {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	e, err := l.Send(ctx, d)
	if err != nil {
		tb.Fatalf("send %+v: %v", d, err)
	}
	return e
}

// dense fails the test unless the events of each room have consecutive Seqs.
func dense(tb testing.TB, events []chat.Event) {
	tb.Helper()
	last := map[chat.RoomID]chat.Seq{}
	for _, e := range events {
		if was, ok := last[e.Room]; ok && e.Seq != was+1 {
			tb.Fatalf("in room %s event %d follows %d", e.Room, e.Seq, was)
		}
		last[e.Room] = e.Seq
	}
}

func same(tb testing.TB, what string, want, got any) {
	tb.Helper()
	if d := cmp.Diff(want, got); d != "" {
		tb.Fatalf("%s: (-want +got)\n%s", what, d)
	}
}

func brief(events []chat.Event) string {
	var s strings.Builder
	for _, e := range events {
		fmt.Fprintf(&s, " %.4s/%d", e.Room, e.Seq)
	}
	return s.String()
}
