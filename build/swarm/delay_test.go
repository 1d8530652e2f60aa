package swarm

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A phase is how long the others waited for messages while there were slow readers, or were none.
type phase struct{ p50, p99 time.Duration }

func (p phase) String() string {
	return fmt.Sprintf("p50 %v, p99 %v", p.p50.Round(10*time.Microsecond), p.p99.Round(10*time.Microsecond))
}

// phase measures one, after a moment in which what was before is over.
func (b *bed) phase(watches []*stopwatch, length time.Duration) phase {
	ctx := b.t.Context()
	rest(ctx, time.Second)
	for _, w := range watches {
		w.set()
	}
	rest(ctx, length)
	var took []time.Duration
	for _, w := range watches {
		took = append(took, w.read()...)
	}
	slices.Sort(took)
	if len(took) == 0 {
		b.t.Fatal("nothing came")
	}
	return phase{exact(took, .5), exact(took, .99)}
}

// medians is the phase of the middle p50 and the middle p99.
func medians(all []phase) phase {
	var p50, p99 []time.Duration
	for _, p := range all {
		p50, p99 = append(p50, p.p50), append(p99, p.p99)
	}
	slices.Sort(p50)
	slices.Sort(p99)
	return phase{exact(p50, .5), exact(p99, .5)}
}

// slowReadersDelay measures what slow readers cost the others in time, from the first try to send to a reader that has it: the
// same load with them and without by turns, which of the two comes first by turns too, round after round.
//
// Wanted is a p99 at most a tenth higher, which can not be told from noise where others use the machine: of three runs on two shared
// processors, the middle ratios were 0.91, 1.02 and 0.97, but those of single rounds from 0.3 to 5.4, and the p99 without any slow
// reader was 90 ms in one round and 480 in the next. So the tenth is asserted of the middle ratio, with as much more as the rounds
// without slow readers differ among themselves: little on a quiet machine. A server that lets the streams of a shard wait half a
// second for each full socket came to 6.2 while all else went on, and failed.
func slowReadersDelay(t *testing.T) {
	b := newBed(t, plan(t))
	watches := b.watch()
	ws := b.write(t.Context(), b.plan, b.pace, b.size)
	defer func() { _ = ws.close() }()          // closed before, unless something failed
	const rounds, length = 9, 14 * time.Second // in which those who stopped fill their sockets and are waited for
	var without, with []phase
	var ratios []float64
	for round := range rounds {
		for turn := range 2 {
			if (turn+round)%2 == 0 {
				without = append(without, b.phase(watches, length))
				continue
			}
			slow := b.slow()
			with = append(with, b.phase(watches, length))
			ctx, cancel := within(t.Context())
			b.must(slow.dropped(ctx))
			cancel()
			b.heal(slow)
		}
		ratios = append(ratios, float64(with[round].p99)/float64(without[round].p99))
		t.Logf("without: %v; with slow readers: %v; p99 × %.3f", without[round], with[round], ratios[round])
	}
	b.must(ws.close())
	n, _, _ := ws.sent()
	slices.Sort(ratios)
	spread := spread(without)
	t.Logf("%d rounds, %d messages, %d deliveries: without %v; with slow readers %v; p99 × %.3f, and rounds without differ by %.3f", rounds, n,
		b.others.deliveries(), medians(without), medians(with), exact(ratios, .5), spread)
	if most := 1.1 + spread; exact(ratios, .5) > most {
		t.Errorf("with slow readers, the p99 of the others is %.2f times what it is without, more than %.2f", exact(ratios, .5), most)
	}
}

// watch gives the others stopwatches, a few for all.
func (b *bed) watch() []*stopwatch {
	watches := make([]*stopwatch, 8)
	for i := range watches {
		watches[i] = &stopwatch{}
	}
	for i, r := range b.others.readers {
		r.mu.Lock()
		r.watch = watches[i%len(watches)]
		r.mu.Unlock()
	}
	return watches
}

// spread is by how much the p99 of the middle half of phases differ, as a share of the middle one.
func spread(all []phase) float64 {
	var p99 []time.Duration
	for _, p := range all {
		p99 = append(p99, p.p99)
	}
	slices.Sort(p99)
	return float64(exact(p99, .75)-exact(p99, .25)) / float64(exact(p99, .5))
}
