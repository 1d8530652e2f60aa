package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

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

func TestPollKnownAgainEndsWithItsGrant(t *testing.T) {
	ana, bot := patient(t)
	l := bot.pollLine()
	cursor := l.known(ana, bot.snapshot().Cursor)
	l.unattended()
	ana.revokeTokens()
	l.ask(cursor)
	if a := l.answer(); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a poll after the end of its grant: %v", a)
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
