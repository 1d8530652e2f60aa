package chaos

import (
	"math/rand/v2"
	"time"

	"parley/build/chaos/proxy"
)

// Strikes says how many there are of each kind, at least.
type Strikes struct {
	Kills    int // SIGKILL
	Freezes  int // SIGSTOP, and SIGCONT after 0.1 to 3 s
	Networks int // of each of the six that a line can suffer
	Switches int // of a consumer to another transport, at any moment
	Stales   int // a consumer goes on from an older cursor than where it is
}

// A kind of strike, as the history names it.
type kind string

const (
	kill      kind = "kill"
	freeze    kind = "freeze"
	latency   kind = "latency"
	slow      kind = "slow"
	sliced    kind = "slices"
	reset     kind = "reset"
	silence   kind = "silence"
	cut       kind = "cut"
	switchWay kind = "switch"
	stale     kind = "stale"
)

// networks are the kinds that lines suffer.
var networks = [...]kind{latency, slow, sliced, reset, silence, cut}

// A strike is one thing that the nemesis does. Only what its kind needs counts.
type strike struct {
	kind    kind
	pause   time.Duration // before it
	lasts   time.Duration
	whom    int         // which client, by turns
	share   float64     // of all lines
	fault   proxy.Fault // of the lines
	answer  bool        // the moment is that of an answer to a sender
	overlap bool        // the old connection goes on until the new one is open
	back    int         // how many marks ago
}

// newPlan draws the strikes of a run, in the order in which they come.
func newPlan(cfg Config, r *rand.Rand) []strike {
	var plan []strike
	add := func(n int, k kind) {
		for range n {
			plan = append(plan, newStrike(k, cfg, r))
		}
	}
	add(cfg.Strikes.Kills, kill)
	add(cfg.Strikes.Freezes, freeze)
	for _, k := range networks {
		add(cfg.Strikes.Networks, k)
	}
	add(cfg.Strikes.Switches, switchWay)
	add(cfg.Strikes.Stales, stale)
	r.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan
}

func newStrike(k kind, cfg Config, r *rand.Rand) strike {
	between := func(from, to time.Duration) time.Duration { return from + time.Duration(r.Int64N(int64(to-from))) }
	s := strike{
		kind: k, pause: between(0, cfg.Pause), lasts: between(100*time.Millisecond, 3*time.Second),
		whom: r.IntN(1 << 30), share: []float64{0.1, 0.1, 0.3, 1}[r.IntN(4)],
		answer: r.IntN(2) == 0, overlap: r.IntN(2) == 0, back: 1 + r.IntN(maxPast),
	}
	switch k {
	case latency:
		s.fault = proxy.Fault{Latency: between(10*time.Millisecond, 200*time.Millisecond), Jitter: between(time.Millisecond, 300*time.Millisecond)}
	case slow:
		s.fault = proxy.Fault{Rate: 2 << 10}
	case sliced:
		s.fault = proxy.Fault{Slice: 1 + r.IntN(7)}
	case reset:
		s.fault, s.lasts = proxy.Fault{Reset: true}, min(s.lasts, time.Second)
	case silence:
		s.fault = proxy.Fault{Silent: true, Lose: r.IntN(2) == 0}
		if r.IntN(3) == 0 {
			s.lasts += quiet // longer than any client waits for a sign of life
		}
	case cut:
		s.fault = proxy.Fault{Cut: 1 + r.IntN(4_000)}
	default: // not of a line
	}
	return s
}
