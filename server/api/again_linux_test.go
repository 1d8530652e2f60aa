package api_test

import (
	"encoding/json"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/server/api"
	"parley/server/auth"
)

// served counts the polls that net/http has served.
func (w *world) served() int { return strings.Count(w.log.String(), `"route":"GET /api/feed"`) }

// known polls until polls of this connection are known again.
func (l *pollLine) known(ana *visitor, cursor chat.Cursor) chat.Cursor {
	l.t.Helper()
	for _, text := range []string{"one", "two", "three", "four"} {
		before := l.served()
		l.park(cursor)
		ana.say(ana.room, text)
		if cursor = l.until(cursor, text); text == "four" && l.served() != before {
			l.t.Fatalf("net/http served the fourth poll:\n%s", l.log)
		}
	}
	return cursor
}

func TestPollsAreKnownAgain(t *testing.T) {
	ana, bot := patient(t)
	l := bot.pollLine()
	before, cursor := bot.served(), bot.snapshot().Cursor
	for _, text := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		l.park(cursor)
		ana.say(ana.room, text)
		cursor = l.until(cursor, text)
	}
	if n := bot.served() - before; n != 2 {
		t.Errorf("net/http served %d polls of one connection, want the first two", n)
	}
}

// One connection may be for many people, as behind a proxy. Another's poll after the same cursor is another's.
func TestPollOfAnotherIsNotKnown(t *testing.T) {
	ana, bot := patient(t)
	bob := ana.guest("bob").program()
	den := ana.makes(chat.Private, "Den")
	l := bot.pollLine()
	cursor := l.known(ana, bot.snapshot().Cursor)
	other := &pollLine{bob, l.conn, l.in}
	other.ask(cursor)
	ana.say(den, "for ana alone")
	ana.say(ana.room, "for all")
	for {
		b := other.batch()
		said := texts(b.Events)
		if slices.Contains(said, "for ana alone") {
			t.Fatal("bob reads what is not for him")
		}
		if slices.Contains(said, "for all") {
			break
		}
		other.ask(b.Cursor)
	}
	l.ask(cursor)
	l.until(cursor, "for ana alone") // which it still is
}

// A poll whose session has ended is refused though it is known, and also if there is something to answer it with at once.
func TestPollKnownAgainEndsWithItsGrant(t *testing.T) {
	for _, said := range []string{"", "not for you"} {
		ana, bot := patient(t)
		l := bot.pollLine()
		cursor := l.known(ana, bot.snapshot().Cursor)
		l.unattended()
		ana.revokeTokens()
		if said != "" {
			ana.say(ana.room, said)
		}
		l.ask(cursor)
		if a := l.answer(); a.StatusCode != http.StatusUnauthorized || said != "" && strings.Contains(string(a.body), said) {
			t.Errorf("a poll after the end of its grant, with %q to be told: %v, %.300s", said, a, a.body)
		}
	}
}

// What is there when a known poll comes is answered at once, in the same words as by net/http.
func TestPollKnownAgainIsAnsweredAtOnce(t *testing.T) {
	ana, bot := patient(t)
	l := bot.pollLine()
	cursor := l.known(ana, bot.snapshot().Cursor)
	before := bot.served()
	for range 3 {
		for _, text := range []string{"here", "is 漢字", `and "more"`} {
			ana.say(ana.room, text)
		}
		l.ask(cursor)
		a := l.answer()
		if n := bot.served() - before; n != 0 {
			t.Fatalf("net/http served %d of the polls", n)
		}
		var b chat.Batch
		must(t, json.Unmarshal(a.body, &b))
		if d := cmp.Diff([]string{"here", "is 漢字", `and "more"`}, texts(b.Events)); d != "" {
			t.Errorf("the answer (-want +got):\n%s", d)
		}
		other := bot.do(bot.request("GET", "/api/feed?via=poll&after="+string(cursor), nil))
		if d := cmp.Diff(string(other.body), string(a.body)); d != "" {
			t.Errorf("by net/http and here (-net/http +here):\n%s", d)
		}
		before, cursor = bot.served(), b.Cursor
	}
}

// Who takes long to read a long answer has it all the same, and the line goes on.
func TestPollKnownAgainIsReadSlowly(t *testing.T) {
	ana, bot := patient(t)
	l := bot.pollLine()
	must(t, l.conn.(*net.TCPConn).SetReadBuffer(32<<10))
	cursor := l.known(ana, bot.snapshot().Cursor)
	before, got := bot.served(), 0
	long := strings.Repeat("漢", chat.MaxText)
	for range 30 {
		ana.say(ana.room, long)
	}
	l.ask(cursor)
	_, err := l.in.Peek(1)
	must(t, err)
	l.unattended()
	l.ask(cursor) // without having read on: now the socket is full
	buf := make([]byte, 4<<20)
	l.eventually(func() bool {
		stacks := string(buf[:runtime.Stack(buf, true)])
		return strings.Contains(stacks, "api.(*Server).answerNow(") && strings.Contains(stacks, "api.(*block).write(")
	})
	first, second := l.batch(), l.batch()
	if d := cmp.Diff(texts(first.Events), texts(second.Events)); d != "" || len(first.Events) == 0 {
		t.Errorf("%d messages at first, and then (-first +second):\n%.300s", len(first.Events), d)
	}
	for cursor = second.Cursor; ; {
		l.ask(cursor)
		b := l.batch()
		cursor = b.Cursor
		if got += len(b.Events); got+len(second.Events) >= 30 {
			break
		}
	}
	l.park(cursor)
	ana.say(ana.room, "and on")
	l.until(cursor, "and on")
	if n := bot.served() - before; got+len(second.Events) != 30 || n != 0 {
		t.Errorf("%d and %d of 30 messages arrived, and net/http served %d polls", len(second.Events), got, n)
	}
}

func TestPollsKnownAgainAreCounted(t *testing.T) {
	const most = 9
	w := newWorld(t, setting{
		api:      func(o *api.Options) { o.Hold, o.Beat = time.Hour, time.Hour },
		accounts: func(o *auth.Options) { o.Rates.Feed, o.Rates.FeedBurst = 1e-6, most },
	})
	ana := w.owner()
	bot := ana.program()
	l, cursor := bot.pollLine(), bot.snapshot().Cursor
	for n := range most {
		l.ask(cursor)
		ana.say(ana.room, "go on")
		a := l.answer()
		if a.StatusCode != http.StatusOK {
			t.Fatalf("poll %d of %d: %v", n+1, most, a)
		}
		var b chat.Batch
		must(t, json.Unmarshal(a.body, &b))
		cursor = b.Cursor
	}
	l.ask(cursor)
	if a := l.answer(); a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %v", a)
	}
}
