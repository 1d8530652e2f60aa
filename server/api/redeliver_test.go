package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/server/api"
)

// redelivered is what the owner is told of sessions that are given the same again and again.
func (v *visitor) redelivered() map[chat.Via]int64 {
	v.t.Helper()
	var c chat.Costs
	v.ask("GET", "/api/lab", nil, &c)
	told := map[chat.Via]int64{}
	for _, way := range c.Ways {
		if way.Redelivered != 0 {
			told[way.Via] = way.Redelivered
		}
	}
	return told
}

// warned is how often the log says so.
func (w *world) warned() int { return strings.Count(w.log.String(), "given the same again and again") }

// given asks after a cursor and leaves with the text that follows it, as a client does that fails on it.
func (v *visitor) given(via chat.Via, after chat.Cursor, text string) {
	v.t.Helper()
	l, err := v.dial(via, after)
	must(v.t, err)
	defer l.close()
	_, err = until(l, func(e chat.Event) bool { return e.Message != nil && e.Message.Text == text })
	must(v.t, err)
}

// quiet is a cursor after which there is nothing: others know by then that v is here.
func (v *visitor) quiet() chat.Cursor {
	v.t.Helper()
	l, err := v.dial(chat.LongPoll, v.snapshot().Cursor)
	must(v.t, err)
	defer l.close()
	_, err = until(l, func(e chat.Event) bool { return e.Presence != nil })
	must(v.t, err)
	return v.snapshot().Cursor
}

// Who comes back with one cursor, and is given something each time, is counted from the fourth time on, and told of once; who
// is given nothing is not. (T24)
func TestRedeliveriesAreCounted(t *testing.T) {
	for name, set := range grounds {
		set.api = func(o *api.Options) { o.Hold = 20 * time.Millisecond } // which is held back in vain
		t.Run(name, func(t *testing.T) {
			for _, via := range chat.Vias {
				t.Run(string(via), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, set)
					ana := w.owner()
					bot := ana.program()
					cursor := bot.quiet()
					for range 5 {
						l, err := bot.dial(via, cursor)
						must(t, err)
						b, err := l.next()
						must(t, err)
						l.close()
						if len(b.Events) > 0 {
							t.Fatalf("something happened in silence: %+v", b)
						}
					}
					if d := cmp.Diff(map[chat.Via]int64{}, ana.redelivered()); d != "" {
						t.Errorf("of who was given nothing (-want +got):\n%s", d)
					}
					const poison = "which this client can not read"
					ana.say(w.room, poison)
					for n := range int64(7) {
						bot.given(via, cursor, poison)
						want := map[chat.Via]int64{}
						if n >= 3 {
							want[via] = n - 2
						}
						if d := cmp.Diff(want, ana.redelivered()); d != "" {
							t.Errorf("after it was given %d times (-want +got):\n%s", n+1, d)
						}
						if warned := w.warned(); (warned == 1) != (n >= 3) || warned > 1 {
							t.Errorf("after it was given %d times the log says so %d times", n+1, warned)
						}
					}
					if strings.Contains(w.log.String(), poison) {
						t.Errorf("the log says what was said:\n%s", w.log)
					}
				})
			}
		})
	}
}

// What reaches a stream long after it was asked for counts as what was there before.
func TestRedeliveryOnAStreamThatWaits(t *testing.T) {
	for name, set := range grounds {
		t.Run(name, func(t *testing.T) {
			for _, via := range streams {
				t.Run(string(via), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, set)
					ana := w.owner()
					bot := ana.program()
					cursor := bot.quiet()
					l, err := bot.dial(via, cursor)
					must(t, err)
					_, err = l.next()
					must(t, err)
					ana.say(w.room, "late")
					_, err = until(l, func(e chat.Event) bool { return e.Message != nil })
					must(t, err)
					ana.say(w.room, "later") // which is after another cursor
					_, err = until(l, func(e chat.Event) bool { return e.Message != nil })
					must(t, err)
					l.close()
					for range 2 {
						bot.given(via, cursor, "late")
					}
					if d := cmp.Diff(map[chat.Via]int64{}, ana.redelivered()); d != "" {
						t.Errorf("after three times (-want +got):\n%s", d)
					}
					bot.given(via, cursor, "late")
					if d := cmp.Diff(map[chat.Via]int64{via: 1}, ana.redelivered()); d != "" {
						t.Errorf("after four times (-want +got):\n%s", d)
					}
				})
			}
		})
	}
}

// Whoever goes on meanwhile is not stuck, and neither are several who follow side by side, and who peeks.
func TestWhatIsNoRedelivery(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	bot := ana.program()
	before := bot.quiet()
	var side []line
	for range 6 {
		l, err := bot.dial(chat.EventSource, before)
		must(t, err)
		defer l.close()
		_, err = l.next()
		must(t, err)
		side = append(side, l)
	}
	ana.say(w.room, "one")
	for _, l := range side {
		_, err := until(l, func(e chat.Event) bool { return e.Message != nil })
		must(t, err)
	}
	for range 6 {
		bot.ask("GET", "/api/feed?via=poll&peek=1&after="+string(before), nil, nil)
	}
	after := bot.snapshot().Cursor
	ana.say(w.room, "two")
	for range 3 {
		for range 3 {
			bot.given(chat.Poll, after, "two")
		}
		bot.given(chat.LongPoll, before, "one")
	}
	// Others are others, though they are of the same person.
	for range 3 {
		ana.program().given(chat.Poll, before, "one")
	}
	if d := cmp.Diff(map[chat.Via]int64{}, ana.redelivered()); d != "" || w.warned() > 0 {
		t.Errorf("somebody seems to be stuck (-want +got):\n%s", d)
	}
}
