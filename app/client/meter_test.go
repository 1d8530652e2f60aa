package client

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/transport"
)

// brought is a batch of n events and one signal.
func brought(n int) chat.Batch {
	b := chat.Batch{Events: make([]chat.Event, n+1), Cursor: "c"}
	for i := range n {
		b.Events[i].Seq = chat.Seq(i + 1)
	}
	return b
}

// pass lets time pass, in a bubble.
func pass(d time.Duration) { <-time.After(d) }

func TestMeterMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		var traffic transport.Traffic
		count := func(messages int, requests int64) {
			traffic.Requests, traffic.Up, traffic.Down = traffic.Requests+requests, traffic.Up+2*requests, traffic.Down+3*requests
			m.tick(time.Now(), traffic)
			m.heard(time.Now(), brought(messages))
		}
		count(3, 1)
		pass(time.Minute)
		count(4, 10)
		count(5, 100)
		pass(2 * time.Minute)
		m.tick(time.Now(), traffic)
		s := m.stats(time.Now())
		if d := cmp.Diff([]int{3, 9, 0, 0}, s.Messages[56:]); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]int{1, 110, 0, 0}, s.Requests[56:]); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([][]int{{2, 220, 0, 0}, {3, 330, 0, 0}}, [][]int{s.Sent[56:], s.Received[56:]}); d != "" {
			t.Error(d)
		}
		pass(57 * time.Minute) // the first is out of sight, the second not yet
		m.tick(time.Now(), traffic)
		if s = m.stats(time.Now()); s.Messages[0] != 9 || sum(s.Messages) != 9 || sum(s.Requests) != 110 {
			t.Errorf("after an hour: %v and %v", s.Messages, s.Requests)
		}
		pass(5 * time.Hour) // as after a sleep
		m.tick(time.Now(), traffic)
		if s = m.stats(time.Now()); sum(s.Messages) != 0 || sum(s.Requests) != 0 {
			t.Errorf("after a sleep: %v and %v", s.Messages, s.Requests)
		}
		count(2, 2)
		m.tick(time.Now().Add(-24*time.Hour), traffic) // the clock was set
		if s = m.stats(time.Now().Add(-24 * time.Hour)); sum(s.Messages) != 0 {
			t.Errorf("after the clock was set: %v", s.Messages)
		}
	})
}

// Connections that were had again are counted by the minute, and what was missing by its most in ten seconds.
func TestMeterBreaksAndLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		for range 3 {
			m.opened(time.Now(), chat.WebSocket, "", model.Reason{})
			m.lost(model.Turn{Kind: model.TurnLost, At: time.Now(), Via: chat.WebSocket})
			pass(time.Minute)
		}
		s := m.stats(time.Now())
		if d := cmp.Diff([]int{0, 1, 1, 0}, s.Reconnects[56:]); d != "" {
			t.Error(d)
		}
		for _, n := range []int{0, 4, 2} {
			m.missing(time.Now(), n)
		}
		pass(20 * time.Second)
		m.missing(time.Now(), 0)
		s = m.stats(time.Now())
		if d := cmp.Diff([]int{-1, 4, -1, 0}, s.Lag[56:]); d != "" || s.Behind != 0 {
			t.Errorf("behind by %d: %s", s.Behind, d)
		}
		pass(10 * time.Minute)
		if s = m.stats(time.Now()); slices.Max(s.Lag[:]) != -1 {
			t.Errorf("after ten minutes: %v", s.Lag)
		}
	})
}

func sum(of [model.StatsLine]int) (n int) {
	for _, v := range of {
		n += v
	}
	return n
}

// The quantiles are those of a sorted list, in each step and in all of ten minutes.
func TestMeterQuantiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		pass(3 * time.Second)
		var m meter
		var all, step []time.Duration
		m.took(time.Now(), time.Hour) // too long ago to count
		pass(10*time.Minute + 10*time.Second)
		for range 300 { // a minute
			d := time.Duration(random.IntN(500)+1) * time.Millisecond
			m.took(time.Now(), d)
			all, step = append(all, d), append(step, d)
			at := time.Now()
			pass(200 * time.Millisecond)
			if time.Now().Unix()/10 != at.Unix()/10 {
				check(t, m.stats(at).Trips[model.StatsLine-1], step)
				step = nil
			}
		}
		s := m.stats(time.Now())
		check(t, model.Trip{Median: s.Median, Slow: s.Slow}, all)
		if s.Samples != len(all) {
			t.Errorf("%d samples, want %d", s.Samples, len(all))
		}
	})
}

func check(t *testing.T, got model.Trip, of []time.Duration) {
	t.Helper()
	of = slices.Sorted(slices.Values(of))
	within := func(d time.Duration) int {
		n, _ := slices.BinarySearch(of, d+1)
		return 100 * n
	}
	for percent, q := range map[int]time.Duration{50: got.Median, 95: got.Slow} {
		if !slices.Contains(of, q) || within(q) < percent*len(of) || within(q-1) >= percent*len(of) {
			t.Errorf("%v is not what %d%% of %v are within", q, percent, of)
		}
	}
}

// A day of trouble every second takes no more room than an hour of it, and what is
// told of it is of the last hour.
func TestMeterBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		for i := range 24 * 60 * 60 {
			m.tick(time.Now(), transport.Traffic{Requests: int64(i)})
			m.heard(time.Now(), brought(1))
			m.took(time.Now(), time.Millisecond)
			m.opened(time.Now(), chat.Vias[i%4], "", model.Reason{})
			if i%10 == 0 {
				m.lost(model.Turn{Kind: model.TurnLost, At: time.Now(), Via: chat.Vias[i%4]})
			}
			pass(time.Second)
		}
		s := m.stats(time.Now())
		if n := len(m.turns); n != turnsMost || cap(m.turns) > 2*turnsMost {
			t.Errorf("%d turns are kept, in room for %d", n, cap(m.turns))
		}
		if size := unsafe.Sizeof(m); size > 32<<10 {
			t.Errorf("a meter takes %d bytes", size)
		}
		if got := sum(s.Messages); got < 59*60 || got > 60*60 {
			t.Errorf("%d messages in an hour of one a second", got)
		}
		if got := sum(s.Reconnects); got < 59*6 || got > 60*6 {
			t.Errorf("%d breaks in an hour of six a minute", got)
		}
		pass(time.Hour)
		if s = m.stats(time.Now()); len(s.Turns) != 0 {
			t.Errorf("an hour later %d turns are told", len(s.Turns))
		}
	})
}

// The same trouble again is one line with a number.
func TestMeterCountsTheSame(t *testing.T) {
	var m meter
	at := time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)
	for i := range 5 {
		m.lost(model.Turn{Kind: model.TurnLost, At: at.Add(time.Duration(i) * time.Second), Via: chat.Poll})
	}
	m.opened(at.Add(time.Minute), chat.Poll, "", model.Reason{})
	m.opened(at.Add(2*time.Minute), chat.WebSocket, chat.Poll, model.Reason{Code: model.ReasonBetter})
	m.opened(at.Add(3*time.Minute), chat.WebSocket, chat.WebSocket, model.Reason{})
	want := []model.Turn{
		{Kind: model.TurnLost, At: at.Add(4 * time.Second), Via: chat.Poll, Times: 5},
		{Kind: model.TurnOpened, At: at.Add(time.Minute), Via: chat.Poll, Times: 1},
		{Kind: model.TurnSwitched, At: at.Add(2 * time.Minute), Via: chat.WebSocket, From: chat.Poll, Why: model.Reason{Code: model.ReasonBetter}, Times: 1},
	}
	if d := cmp.Diff(want, m.turns); d != "" {
		t.Error(d)
	}
}
