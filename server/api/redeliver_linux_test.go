package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// Long polls are counted also where net/http knows nothing of them: the first of these waits for what it is given, and the others
// find it there.
func TestRedeliveryOfParkedPolls(t *testing.T) {
	ana, bot := patient(t)
	l := bot.pollLine()
	cursor := l.known(ana, bot.snapshot().Cursor)
	before := bot.served()
	l.park(cursor)
	ana.say(ana.room, "poison")
	l.until(cursor, "poison")
	for range 5 {
		l.ask(cursor)
		l.until(cursor, "poison")
	}
	if d := cmp.Diff(map[chat.Via]int64{chat.LongPoll: 3}, ana.redelivered()); d != "" {
		t.Errorf("after six times (-want +got):\n%s", d)
	}
	if n := bot.served() - before; n > 0 {
		t.Errorf("net/http served %d of six polls that were to be known again", n)
	}
}

// A poll that is parked counts under the cursor it came with. The server would write that otherwise: by then it is past what others
// said where this one may not read.
func TestRedeliveryAfterAnOldCursor(t *testing.T) {
	ana, bot := patient(t)
	ben := ana.guest("ben")
	den := ben.makes(chat.Private, "Den")
	l, old := bot.pollLine(), bot.snapshot().Cursor
	ben.say(den, "to himself")
	l.park(old)
	ana.say(ana.room, "poison")
	l.until(old, "poison")
	for range 3 {
		bot.given(chat.LongPoll, old, "poison")
	}
	if d := cmp.Diff(map[chat.Via]int64{chat.LongPoll: 1}, ana.redelivered()); d != "" {
		t.Errorf("after four times (-want +got):\n%s", d)
	}
}
