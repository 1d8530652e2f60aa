package chattest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
)

// TestFeed tests that the feeds of a world's links do what [chat.Feed] says.
func TestFeed(t *testing.T, w World) {
	t.Run("FirstBatch", func(t *testing.T) { testFirstBatch(t, w) })
	t.Run("Order", func(t *testing.T) { testOrder(t, w) })
	t.Run("Resume", func(t *testing.T) { testResume(t, w) })
	t.Run("CatchUp", func(t *testing.T) { testCatchUp(t, w) })
	t.Run("TwoFollowers", func(t *testing.T) { testTwoFollowers(t, w) })
	t.Run("Heartbeat", func(t *testing.T) { testHeartbeat(t, w) })
	t.Run("Reset", func(t *testing.T) { testReset(t, w) })
	t.Run("Cancel", func(t *testing.T) { testCancel(t, w) })
}

// testFirstBatch: a follower hears at once that the way is open, with or without
// a cursor; without one it hears only of what comes from then on.
func testFirstBatch(t *testing.T, w World) {
	ana := w.User(t, "ana")
	room := w.Room(t, ana)
	link := w.Link(t, ana)
	old := send(t, link, draft(room, say("before")))

	r := follow(t, link, "")
	if b := logged(r.next(t).Events, room); len(b) != 0 {
		t.Fatalf("following from now on began with%s", brief(b))
	}
	again := follow(t, link, r.cursor)
	if b := logged(again.next(t).Events, room); len(b) != 0 {
		t.Fatalf("following from the head began with%s", brief(b))
	}
	e := send(t, link, draft(room, say("after")))
	same(t, "sequence", old.Seq+1, e.Seq)
	same(t, "first event", []chat.Event{e}, r.take(t, room, 1))
	same(t, "first event", []chat.Event{e}, again.take(t, room, 1))
}

// testOrder: with many writing into two rooms at once, each room arrives whole and in order.
func testOrder(t *testing.T, w World) {
	const writers, each = 4, 15
	users := make([]chat.UserID, writers)
	for i := range users {
		users[i] = w.User(t, fmt.Sprintf("writer %d", i))
	}
	reader := w.User(t, "reader")
	rooms := [2]chat.RoomID{w.Room(t, users[0], append(users[1:], reader)...), w.Room(t, reader, users...)}
	r := follow(t, w.Link(t, reader), "")
	r.next(t)

	var wg sync.WaitGroup
	for i, u := range users {
		link := w.Link(t, u)
		wg.Go(func() {
			for n := range each {
				if _, err := link.Send(t.Context(), draft(rooms[(i+n)%2], say(fmt.Sprintf("%d/%d", i, n)))); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	var got []chat.Event
	for len(got) < writers*each {
		for _, e := range r.next(t).Events {
			if e.Message != nil {
				got = append(got, e)
			}
		}
	}
	wg.Wait()
	dense(t, got)
	seen := map[string]bool{}
	for _, e := range got {
		if seen[e.Message.Text] {
			t.Fatalf("%q came twice", e.Message.Text)
		}
		seen[e.Message.Text] = true
	}
}

// testResume: from every cursor that a feed gave, a new one goes on exactly there.
func testResume(t *testing.T, w World) {
	const n = 8
	ana, ben := w.User(t, "ana"), w.User(t, "ben")
	room := w.Room(t, ana, ben)
	link := w.Link(t, ben)
	r := follow(t, link, "")
	r.next(t)
	cursors, events := []chat.Cursor{r.cursor}, []chat.Event(nil)
	by := [2]chat.Link{w.Link(t, ana), link}
	for i := range n {
		send(t, by[i%2], draft(room, say(fmt.Sprint(i))))
		events = append(events, r.take(t, room, 1)...)
		cursors = append(cursors, r.cursor)
	}
	for i, c := range cursors {
		again := follow(t, link, c)
		if i == n {
			if b := logged(again.next(t).Events, room); len(b) != 0 {
				t.Fatalf("from the last cursor came%s", brief(b))
			}
		} else {
			same(t, fmt.Sprintf("from cursor %d", i), events[i:], again.take(t, room, n-i))
		}
		again.stop(t)
	}
}

// testCatchUp: a long absence arrives whole, in batches of bounded size,
// and the cursors in the middle of it are as good as any.
func testCatchUp(t *testing.T, w World) {
	const n = chat.MaxBatch + 60
	ana := w.User(t, "ana")
	room := w.Room(t, ana)
	link := w.Link(t, ana)
	r := follow(t, link, "")
	r.next(t)
	from := r.cursor
	r.stop(t)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			for j := i; j < n; j += 12 {
				if _, err := link.Send(t.Context(), draft(room, say(fmt.Sprint(j)))); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	wg.Wait()

	r = follow(t, link, from)
	first := logged(r.next(t).Events, room)
	middle, rest := r.cursor, n-len(first)
	if rest == 0 {
		t.Fatalf("all %d came at once", n)
	}
	all := append(first, r.take(t, room, rest)...)
	dense(t, all)
	again := follow(t, link, middle)
	same(t, "from the middle", all[len(first):], again.take(t, room, rest))
}

// testTwoFollowers: two follow one feed and hear the same.
func testTwoFollowers(t *testing.T, w World) {
	ana, ben := w.User(t, "ana"), w.User(t, "ben")
	room := w.Room(t, ana, ben)
	link, other := w.Link(t, ben), w.Link(t, ana)
	one, two := follow(t, link, ""), follow(t, link, "")
	one.next(t)
	two.next(t)
	var sent []chat.Event
	for i := range 5 {
		sent = append(sent, send(t, other, draft(room, say(fmt.Sprint(i)))))
	}
	same(t, "one", sent, one.take(t, room, len(sent)))
	same(t, "two", sent, two.take(t, room, len(sent)))
	one.stop(t)
	e := send(t, other, draft(room, say("one less")))
	same(t, "the one left", []chat.Event{e}, two.take(t, room, 1))
}

// testHeartbeat: silence is broken by empty batches, whose cursors are good.
func testHeartbeat(t *testing.T, w World) {
	ana := w.User(t, "ana")
	room := w.Room(t, ana)
	link := w.Link(t, ana)
	r := follow(t, link, "")
	r.next(t)
	for range 2 {
		start := time.Now()
		if b := logged(r.next(t).Events, room); len(b) != 0 {
			t.Fatalf("in silence came%s", brief(b))
		}
		if d := time.Since(start); d > 2*w.Beat+time.Second {
			t.Errorf("the feed was silent for %v, at most %v was promised", d, w.Beat)
		}
	}
	from := r.cursor
	e := send(t, link, draft(room, say("tick")))
	same(t, "after a heartbeat", []chat.Event{e}, follow(t, link, from).take(t, room, 1))
}

// testReset: a cursor that is of no use is refused as such, by one error.
func testReset(t *testing.T, w World) {
	ana := w.User(t, "ana")
	w.Room(t, ana)
	link := w.Link(t, ana)
	for _, c := range []chat.Cursor{"rubbish", "0", "-1", "../..", "游标", "a b&c=d#e\x00\n", chat.Cursor(strings.Repeat("9", 300))} {
		if err := follow(t, link, c).end(t); !errors.Is(err, chat.ErrReset) {
			t.Errorf("following from %q ended with %v, not a reset", c, err)
		}
	}
}

// testCancel: a feed ends when its context does, and when its reader has had enough.
func testCancel(t *testing.T, w World) {
	ana := w.User(t, "ana")
	room := w.Room(t, ana)
	link := w.Link(t, ana)
	r := follow(t, link, "")
	r.next(t)
	start := time.Now()
	r.stop(t)
	if d := time.Since(start); d > patience/4 {
		t.Errorf("the cancelled feed took %v to end", d)
	}

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, err := range link.Follow(ctx, r.cursor) {
		if err != nil {
			t.Fatalf("follow: %v", err)
		}
		break
	}
	if ctx.Err() != nil {
		t.Error("a feed went on though its reader had left")
	}

	done, cancel2 := context.WithCancel(t.Context())
	cancel2()
	for b, err := range link.Follow(done, r.cursor) {
		if err == nil {
			t.Errorf("with a context that has ended came %+v", b)
		}
	}
	send(t, link, draft(room, say("the link still works")))
}
