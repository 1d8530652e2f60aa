package client

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/app/chat"
	"parley/app/model"
)

func TestLadderRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		what  string // m: did not open, d: died, c: was cut, o: opened, l: lasted, u: up
		via   chat.Via
		why   model.ReasonCode
		above chat.Via
	}{
		{"nothing happened", "", chat.WebSocket, model.ReasonBest, ""},
		{"missed once", "m", chat.WebSocket, model.ReasonBest, ""},
		{"missed twice", "mm", chat.EventSource, model.ReasonNeverOpened, chat.WebSocket},
		{"missed, opened, missed", "mom", chat.WebSocket, model.ReasonBest, ""},
		{"died", "od", chat.EventSource, model.ReasonDied, chat.WebSocket},
		{"cut twice", "ococ", chat.WebSocket, model.ReasonBest, ""},
		{"cut three times", "ocococ", chat.EventSource, model.ReasonCut, chat.WebSocket},
		{"cut now and then", "oclocloclocl", chat.WebSocket, model.ReasonBest, ""},
		{"down to the end", "mmmmmm", chat.Poll, model.ReasonNeverOpened, chat.LongPoll},
		{"there is nothing below", "mmmmmmmmdmm", chat.Poll, model.ReasonNeverOpened, chat.LongPoll},
		{"down and up", "mmodu", chat.EventSource, model.ReasonNeverOpened, chat.WebSocket},
		{"up to the best", "mmu", chat.WebSocket, model.ReasonBest, ""},
		{"up, and as patient as ever", "mmum", chat.WebSocket, model.ReasonBest, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l ladder
			for _, w := range c.what {
				switch w {
				case 'm':
					l.failed(failure{kind: neverOpened})
				case 'd':
					l.failed(failure{kind: died})
				case 'c':
					l.failed(failure{kind: wasCut})
				case 'o':
					l.opened()
				case 'l':
					l.lasted()
				case 'u':
					l.up()
				}
			}
			above, _ := l.above()
			if l.via() != c.via || l.reason().Code != c.why || above != c.above {
				t.Errorf("%s for %q, above it %q", l.via(), l.reason().Code, above)
			}
		})
	}
}

// Each failed try upwards makes the pause before the next longer, up to a bound.
func TestLadderPauses(t *testing.T) {
	var l ladder
	l.failed(failure{kind: died})
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		if l.Pause != want*time.Minute {
			t.Errorf("pause %v, want %v", l.Pause, want*time.Minute)
		}
		l.stayed()
	}
}

// The pause is within its span and never shorter than the server asks.
func TestBackoffSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.Float64Range(0, 0.999999)
		b := backoff{rand: func() float64 { return r.Draw(t, "rand") }}
		span := backoffFirst
		for range rapid.IntRange(1, 40).Draw(t, "failures") {
			asked := rapid.Int64Range(0, 100_000).Draw(t, "asked")
			d := b.next(&chat.Error{Code: chat.CodeRateLimited, RetryAfterMS: asked})
			least := time.Duration(asked) * time.Millisecond
			if d < least || d > max(least, span) {
				t.Fatalf("%v, of a span of %v, asked for %v", d, span, least)
			}
			span = min(2*span, backoffMost)
		}
		b.reset()
		if d := b.next(nil); d > backoffFirst {
			t.Fatalf("after success the first pause is %v", d)
		}
	})
}

func TestSleeper(t *testing.T) {
	start := time.Now()
	for _, c := range []struct {
		name       string
		wall, mono time.Duration // that passed
		slept      bool
	}{
		{"a moment", time.Second, time.Second, false},
		{"a minute, as in a hidden tab", time.Minute, time.Minute, false},
		{"a sleep that both clocks saw", time.Hour, time.Hour, true},
		{"a sleep that one clock saw", time.Hour, time.Second, true},
		{"the wall clock set back", -time.Hour, time.Second, false},
	} {
		s := sleeper{}
		s.notice(start, start)
		now := start.Add(c.mono)
		if got := s.notice(start.Add(c.wall), now); got != c.slept || s.justWoke(now) != c.slept || s.justWoke(now.Add(time.Minute)) {
			t.Errorf("%s: slept %v, just woke %v", c.name, got, s.justWoke(now))
		}
	}
}
