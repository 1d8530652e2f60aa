package client

import (
	"slices"
	"time"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/transport"
)

// A meter remembers what happened to the connection: rings of fixed size, filled at little
// cost all the time, of which [model.Stats] are made only when someone looks. It has no clock:
// times are the wall clock's, so that sleep leaves a hole. A clock that was set back
// begins the minutes anew.
type meter struct {
	trips    [tripsMost]trip
	nextTrip int

	minute             int64 // of what was counted last, since 1970
	messages, requests [model.StatsLine]int
	traffic            transport.Traffic // until minute

	open, ever bool // whether a connection is, and ever was
	breaks     int
	last       time.Time
	behind     int
	buffers    model.Verdict
	server     chat.Server
	turns      []model.Turn // oldest first

	looked bool // someone looks
}

type trip struct {
	at   time.Time
	took time.Duration
}

const (
	tripsMost = 512 // ten minutes while someone looks, and more
	turnsMost = 50
	turnsKept = time.Hour
)

// tick counts what passed the gate to the present minute.
func (m *meter) tick(now time.Time, t transport.Traffic) {
	minute := now.Unix() / 60
	if gone := minute - m.minute; gone < 0 || gone >= model.StatsLine {
		m.messages, m.requests = [model.StatsLine]int{}, [model.StatsLine]int{}
	} else {
		for i := m.minute + 1; i <= minute; i++ {
			m.messages[slot(i)], m.requests[slot(i)] = 0, 0
		}
	}
	m.minute = minute
	m.requests[slot(minute)] += int(t.Requests - m.traffic.Requests)
	m.traffic = t
}

// slot is where a minute is counted; a clock may also be set to before 1970.
func slot(minute int64) int64 { return (minute%model.StatsLine + model.StatsLine) % model.StatsLine }

// heard counts a batch. Call tick before.
func (m *meter) heard(now time.Time, b chat.Batch) {
	m.last, m.behind = now, 0
	m.messages[slot(m.minute)] += events(b)
}

// events counts the entries of logs in a batch; signals may be lost and do not count.
func events(b chat.Batch) (n int) {
	for _, e := range b.Events {
		if e.Seq > 0 {
			n++
		}
	}
	return n
}

// took notes a way there and back.
func (m *meter) took(now time.Time, d time.Duration) {
	m.trips[m.nextTrip] = trip{now, d}
	m.nextTrip = (m.nextTrip + 1) % tripsMost
}

// opened notes that a way is in use; from is the one that was open until now.
func (m *meter) opened(now time.Time, via, from chat.Via, why model.Reason) {
	if via == chat.EventSource || via == chat.WebSocket {
		m.buffers = model.No
	}
	switch {
	case !m.open:
		if m.ever {
			m.breaks++
		}
		m.turn(model.Turn{Kind: model.TurnOpened, At: now, Via: via, Why: why})
	case via != from && from != "":
		m.turn(model.Turn{Kind: model.TurnSwitched, At: now, Via: via, From: from, Why: why})
	}
	m.open, m.ever = true, true
}

// lost notes that a way failed.
func (m *meter) lost(t model.Turn) {
	if t.Why.Code == model.ReasonHeld {
		m.buffers = model.Yes
	}
	if t.Kind != model.TurnTried {
		m.open = false
	}
	m.turn(t)
}

// turn notes what happened. The same again is the same, once more.
func (m *meter) turn(t model.Turn) {
	t.Times = 1
	if n := len(m.turns); n > 0 {
		last := &m.turns[n-1]
		if last.Kind == t.Kind && last.Via == t.Via && last.From == t.From && last.Why.Code == t.Why.Code {
			t.Times += last.Times
			*last = t
			return
		}
		if n == turnsMost {
			m.turns = slices.Delete(m.turns, 0, 1)
		}
	}
	m.turns = append(m.turns, t)
}

// stats makes what is shown. Call tick before.
func (m *meter) stats(now time.Time) *model.Stats {
	s := &model.Stats{
		At: now, Up: m.traffic.Up, Down: m.traffic.Down, Total: m.traffic.Requests, Breaks: m.breaks,
		Last: m.last, Behind: m.behind, Buffers: m.buffers, Server: m.server,
	}
	for i := range s.Messages {
		at := slot(m.minute + 1 + int64(i))
		s.Messages[i], s.Requests[i] = m.messages[at], m.requests[at]
	}
	const step = int64(model.TripStep / time.Second)
	first := now.Unix()/step - model.StatsLine + 1
	var all []time.Duration
	var steps [model.StatsLine][]time.Duration
	for _, t := range m.trips {
		if i := t.at.Unix()/step - first; !t.at.IsZero() && i >= 0 && i < model.StatsLine {
			steps[i] = append(steps[i], t.took)
			all = append(all, t.took)
		}
	}
	for i := range steps {
		s.Trips[i].Median, s.Trips[i].Slow = quantiles(steps[i])
	}
	s.Samples = len(all)
	s.Median, s.Slow = quantiles(all)
	for _, t := range slices.Backward(m.turns) {
		if now.Sub(t.At) < turnsKept {
			s.Turns = append(s.Turns, t)
		}
	}
	return s
}

// quantiles are the smallest spans that are not exceeded by half and by 95 of 100 of the given ones, which it sorts.
func quantiles(d []time.Duration) (median, slow time.Duration) {
	if len(d) == 0 {
		return 0, 0
	}
	slices.Sort(d)
	at := func(percent int) time.Duration { return d[(len(d)*percent+99)/100-1] }
	return at(50), at(95)
}
