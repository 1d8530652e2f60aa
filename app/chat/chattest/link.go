package chattest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
)

// TestLink tests that a world's links do what [chat.Link] says, feeds included.
func TestLink(t *testing.T, w World) {
	TestFeed(t, w)
	t.Run("Send", func(t *testing.T) { testSend(t, w) })
	t.Run("Idempotent", func(t *testing.T) { testIdempotent(t, w) })
	t.Run("Conflict", func(t *testing.T) { testConflict(t, w) })
	t.Run("Refused", func(t *testing.T) { testRefused(t, w) })
	t.Run("Signal", func(t *testing.T) { testSignal(t, w) })
	t.Run("Leave", func(t *testing.T) { testLeave(t, w) })
	t.Run("SendWithinFollow", func(t *testing.T) { testSendWithinFollow(t, w) })
}

// testSend: what Send returns is what every member's feed brings, to the letter.
func testSend(t *testing.T, w World) {
	ana, ben := w.User(t, "ana"), w.User(t, "ben")
	room := w.Room(t, ana, ben)
	mine, theirs := w.Link(t, ana), w.Link(t, ben)
	a, b := follow(t, mine, ""), follow(t, theirs, "")
	a.next(t)
	b.next(t)

	hello := send(t, mine, draft(room, say("hello")))
	bodies := []chat.Body{
		say("two\nlines\r\nand a \ttab"),
		say(`<script>"quoted" & 'not' \ \u2028</script>` + "\u2028\u2029\u0000"),
		say("你好,世界 👩‍👩‍👧‍👦 e\u0301"),
		say(strings.Repeat("𝒳", chat.MaxText)),
		{Edit: &chat.Edit{Seq: hello.Seq, Text: "hello again"}},
		{Delete: &chat.Delete{Seq: hello.Seq}},
	}
	// A deletion blanks what it names wherever it is read later, so the feeds
	// are read before it is sent.
	got := map[*reader][]chat.Event{a: a.take(t, room, 1), b: b.take(t, room, 1)}
	sent := []chat.Event{hello}
	for _, body := range bodies {
		d := draft(room, body)
		e := send(t, mine, d)
		same(t, "nonce", d.Nonce, e.Nonce)
		same(t, "body", d.Body, e.Body)
		same(t, "place", [2]any{room, sent[len(sent)-1].Seq + 1}, [2]any{e.Room, e.Seq})
		same(t, "author", ana, e.From)
		if e.At.IsZero() {
			t.Error("the event has no time")
		}
		sent = append(sent, e)
		for r := range got {
			got[r] = append(got[r], r.take(t, room, 1)...)
		}
	}
	same(t, "the sender's feed", sent, got[a])
	same(t, "the other's feed", sent, got[b])
}

// testIdempotent: one draft sent again, later and at once, over several links, is one event.
func testIdempotent(t *testing.T, w World) {
	ana := w.User(t, "ana")
	room := w.Room(t, ana)
	links := []chat.Link{w.Link(t, ana), w.Link(t, ana)}
	r := follow(t, links[0], "")
	r.next(t)
	d := draft(room, say("once"))
	answers := make([]chat.Event, 8)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			e, err := links[i%2].Send(t.Context(), d)
			if err != nil {
				t.Errorf("send: %v", err)
			}
			answers[i] = e
		})
	}
	wg.Wait()
	last := send(t, links[0], draft(room, say("last")))
	for _, e := range append(answers, send(t, links[1], d)) {
		same(t, "answer", answers[0], e)
	}
	same(t, "sequence", answers[0].Seq+1, last.Seq)
	same(t, "feed", []chat.Event{answers[0], last}, r.take(t, room, 2))

	// Another user's equal nonce is another name.
	ben := w.User(t, "ben")
	den := w.Room(t, ben)
	send(t, w.Link(t, ben), chat.Draft{Nonce: d.Nonce, Room: den, Body: say("mine")})
}

// testConflict: a nonce names one draft for ever.
func testConflict(t *testing.T, w World) {
	ana := w.User(t, "ana")
	room, other := w.Room(t, ana), w.Room(t, ana)
	link := w.Link(t, ana)
	d := draft(room, say("one"))
	first := send(t, link, d)
	for _, c := range []chat.Draft{
		{Nonce: d.Nonce, Room: room, Body: say("two")},
		{Nonce: d.Nonce, Room: other, Body: say("one")},
	} {
		if _, err := link.Send(t.Context(), c); !errors.Is(err, chat.ErrConflict) {
			t.Errorf("the nonce used again for %+v: error %v", c, err)
		}
	}
	same(t, "the draft itself", first, send(t, link, d))
}

// testRefused: a refusal keeps its code on the way, is final, and appends nothing.
func testRefused(t *testing.T, w World) {
	ana, ben, eve := w.User(t, "ana"), w.User(t, "ben"), w.User(t, "eve")
	room := w.Room(t, ana, ben)
	hello := send(t, w.Link(t, ana), draft(room, say("hello")))
	long := strings.Repeat("x", chat.MaxText+1)
	for _, c := range []struct {
		name string
		from chat.UserID
		d    chat.Draft
		want chat.Code
	}{
		{"edit of another's", ben, draft(room, chat.Body{Edit: &chat.Edit{Seq: hello.Seq, Text: "no"}}), chat.CodeForbidden},
		{"deletion of another's", ben, draft(room, chat.Body{Delete: &chat.Delete{Seq: hello.Seq}}), chat.CodeForbidden},
		{"sending the creator out", ben, draft(room, chat.Body{Member: &chat.Member{User: ana, State: chat.Left}}), chat.CodeForbidden},
		{"a stranger", eve, draft(room, say("let me in")), chat.CodeNotFound},
		{"a stranger joining a private room", eve, draft(room, chat.Body{Member: &chat.Member{User: eve, State: chat.Joined}}), chat.CodeNotFound},
		{"no such room", ana, draft(chat.NewID[chat.RoomID](), say("hello?")), chat.CodeNotFound},
		{"no such message", ana, draft(room, chat.Body{Edit: &chat.Edit{Seq: 9999, Text: "no"}}), chat.CodeNotFound},
		{"too long", ana, draft(room, say(long)), chat.CodeTooLarge},
		{"empty", ana, draft(room, say(" \n")), chat.CodeInvalid},
		{"nothing", ana, draft(room, chat.Body{}), chat.CodeInvalid},
		{"no nonce", ana, chat.Draft{Room: room, Body: say("x")}, chat.CodeInvalid},
	} {
		_, err := w.Link(t, c.from).Send(t.Context(), c.d)
		if chat.CodeOf(err) != c.want || !chat.Final(err) {
			t.Errorf("%s: error %v with code %q, want %q", c.name, err, chat.CodeOf(err), c.want)
		}
		if e, ok := errors.AsType[*chat.Error](err); ok && c.want == chat.CodeTooLarge && (e.Max != chat.MaxText || e.Got != len(long)) {
			t.Errorf("%s: max %d, got %d", c.name, e.Max, e.Got)
		}
	}
	same(t, "nothing was appended", hello.Seq+1, send(t, w.Link(t, ana), draft(room, say("next"))).Seq)
}

// testSignal: a signal has no Seq and takes none; followers that wait hear it.
func testSignal(t *testing.T, w World) {
	ana, ben := w.User(t, "ana"), w.User(t, "ben")
	room := w.Room(t, ana, ben)
	link := w.Link(t, ana)
	r := follow(t, w.Link(t, ben), "")
	r.next(t)
	before := send(t, link, draft(room, say("before")))
	typing := chat.Draft{Room: room, Body: chat.Body{Typing: &chat.Typing{}}}
	if e := send(t, link, typing); !e.Signal() || e.Room != room || e.From != ana {
		t.Errorf("the signal came back as %+v", e)
	}
	if w.Signals {
		heard := func() bool {
			for _, e := range r.next(t).Events {
				if e.Typing != nil && e.Room == room && e.From == ana && e.Signal() {
					return true
				}
			}
			return false
		}
		// One may be lost, so it is repeated until it is heard.
		stop := repeat(t, 200*time.Millisecond, func(ctx context.Context) { _, _ = link.Send(ctx, typing) })
		for !heard() {
		}
		stop()
	}
	after := send(t, link, draft(room, say("after")))
	same(t, "a signal takes no place", before.Seq+1, after.Seq)
	again := follow(t, w.Link(t, ben), r.cursor)
	for done := false; !done; {
		for _, e := range again.next(t).Events {
			done = done || e.Seq == after.Seq
		}
	}
}

// repeat calls f now and then until stop.
func repeat(tb testing.TB, every time.Duration, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(tb.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			f(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	stop = func() { cancel(); wg.Wait() }
	tb.Cleanup(stop)
	return stop
}

// testLeave: whoever leaves sees that they left, and nothing after; whoever
// is brought back sees what comes from then on.
func testLeave(t *testing.T, w World) {
	ana, ben := w.User(t, "ana"), w.User(t, "ben")
	room, other := w.Room(t, ana, ben), w.Room(t, ana, ben)
	mine, theirs := w.Link(t, ana), w.Link(t, ben)
	r := follow(t, theirs, "")
	r.next(t)
	from := r.cursor
	member := func(s chat.MemberState) chat.Body {
		return chat.Body{Member: &chat.Member{User: ben, State: s}}
	}
	var want []chat.Event
	want = append(want,
		send(t, mine, draft(room, say("stay"))),
		send(t, mine, draft(room, member(chat.Left))))
	send(t, mine, draft(room, say("behind their back")))
	if _, err := theirs.Send(t.Context(), draft(room, say("still here?"))); chat.CodeOf(err) != chat.CodeNotFound {
		t.Errorf("one who was sent out wrote: error %v", err)
	}
	want = append(want,
		send(t, mine, draft(other, say("elsewhere"))),
		send(t, mine, draft(room, member(chat.Joined))),
		send(t, theirs, draft(room, say("back"))),
		send(t, theirs, draft(room, member(chat.Left))))
	send(t, mine, draft(room, say("gone again")))
	want = append(want, send(t, mine, draft(other, say("the end"))))

	for what, r := range map[string]*reader{"live": r, "from the log": follow(t, theirs, from)} {
		var got []chat.Event
		for len(got) < len(want) {
			for _, e := range r.next(t).Events {
				if e.Room == room || e.Room == other {
					got = append(got, e)
				}
			}
		}
		same(t, what, want, got)
	}
}

// testSendWithinFollow: a reader may send while it handles a batch.
func testSendWithinFollow(t *testing.T, w World) {
	ana := w.User(t, "ana")
	room := w.Room(t, ana)
	link := w.Link(t, ana)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n := 0
	for b, err := range link.Follow(ctx, "") {
		if err != nil {
			t.Fatalf("follow: %v", err)
		}
		for _, e := range b.Events {
			if e.Room == room {
				n++
			}
		}
		if n >= 3 {
			return
		}
		if len(b.Events) > 0 || n == 0 {
			if _, err := link.Send(ctx, draft(room, say("next"))); err != nil {
				t.Fatalf("send: %v", err)
			}
		}
	}
	t.Fatalf("%d of 3 came", n)
}
