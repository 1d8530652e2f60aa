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

	messages, requests, up, down, breaks ring // by the minute
	lag                                  ring // by the TripStep: one more than the most that was missing, as 0 is not measured

	traffic transport.Traffic // as counted last

	open, ever bool // whether a connection is, and ever was
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

// A ring is what was counted in each of the last spans of time.
type ring struct {
	span  int64 // the present one, since 1970
	count [model.StatsLine]int
}

// in returns where the present span is counted.
func (r *ring) in(span int64) *int {
	if gone := span - r.span; gone < 0 || gone >= model.StatsLine {
		r.count = [model.StatsLine]int{}
	} else {
		for i := r.span + 1; i <= span; i++ {
			r.count[slot(i)] = 0
		}
	}
	r.span = span
	return &r.count[slot(span)]
}

// line is what was counted until now, the oldest first.
func (r *ring) line(span int64) (line [model.StatsLine]int) {
	r.in(span)
	for i := range line {
		line[i] = r.count[slot(span+1+int64(i))]
	}
	return line
}

// slot is where a span is counted; a clock may also be set to before 1970.
func slot(span int64) int64 { return (span%model.StatsLine + model.StatsLine) % model.StatsLine }

func minute(t time.Time) int64 { return t.Unix() / 60 }

func step(t time.Time) int64 { return t.Unix() / int64(model.TripStep/time.Second) }

const (
	tripsMost = 512 // ten minutes while someone looks, and more
	turnsMost = 50
	turnsKept = time.Hour
)

// tick counts what passed the gate to the present minute.
func (m *meter) tick(now time.Time, t transport.Traffic) {
	at := minute(now)
	*m.requests.in(at) += int(t.Requests - m.traffic.Requests)
	*m.up.in(at) += int(t.Up - m.traffic.Up)
	*m.down.in(at) += int(t.Down - m.traffic.Down)
	m.traffic = t
}

// heard counts a batch.
func (m *meter) heard(now time.Time, b chat.Batch) {
	m.last, m.behind = now, 0
	*m.messages.in(minute(now)) += events(b)
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

// missing notes how much was there and had not come.
func (m *meter) missing(now time.Time, n int) {
	m.behind = n
	at := m.lag.in(step(now))
	*at = max(*at, n+1)
}

// opened notes that a way is in use; from is the one that was open until now.
func (m *meter) opened(now time.Time, via, from chat.Via, why model.Reason) {
	if via == chat.EventSource || via == chat.WebSocket {
		m.buffers = model.No
	}
	switch {
	case !m.open:
		if m.ever {
			*m.breaks.in(minute(now))++
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
		At: now, Last: m.last, Behind: m.behind, Buffers: m.buffers, Server: m.server,
		Messages: m.messages.line(minute(now)), Requests: m.requests.line(minute(now)),
		Received: m.down.line(minute(now)), Sent: m.up.line(minute(now)), Reconnects: m.breaks.line(minute(now)),
		Lag: m.lag.line(step(now)),
	}
	for i := range s.Lag {
		s.Lag[i]--
	}
	first := step(now) - model.StatsLine + 1
	var all []time.Duration
	var steps [model.StatsLine][]time.Duration
	for _, t := range m.trips {
		if i := step(t.at) - first; !t.at.IsZero() && i >= 0 && i < model.StatsLine {
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
