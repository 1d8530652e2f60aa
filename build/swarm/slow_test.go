package swarm

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/app/chat"
	"parley/build/child"
)

// few is how many stop reading, and how many read a KiB a second.
const few = 5

// kept is how many events are in the server's memory.
const kept = 16_384

// A bed is where some read slowly beside others who do not.
type bed struct {
	*world
	plan   *rand.Rand
	pace   float64
	size   int
	others *crowd
	filled int // messages sent while it was made
}

// newBed makes one in which messages come at the full pace. In the full form each reader is in one of the four rooms: all of a
// thousand a second to all is half a million deliveries a second, which is all that two processors can do, and who waits for a
// processor tells nothing about slow readers.
func newBed(t *testing.T, plan *rand.Rand) *bed {
	t.Helper()
	ctx, cancel := within(t.Context())
	defer cancel()
	b := &bed{world: newWorld(t, 20, 4, pick(4, 1), (*child.Server).Gauged), plan: plan, pace: pick(500.0, 1000.0), size: pick(1000, 120)}
	// Who polls now and then can hardly be slowed, and many who do make it hard to tell what is held: their answers are large.
	b.others = start(t.Context(), b.readers(pick(60, 490), b.now(), chat.WebSocket, chat.EventSource, chat.LongPoll), soon)
	t.Cleanup(b.others.close)
	b.must(b.others.open(ctx, 1))
	// The newest events are kept as JSON and in the form of each stream. There are as many as there will be before anything is
	// measured.
	ws := b.write(t.Context(), plan, 4*b.pace, b.size)
	err := ws.await(ctx, kept+kept/8)
	b.must(errors.Join(err, ws.close()))
	b.filled, _, _ = ws.sent()
	b.must(b.others.level(ctx, b.now().heads))
	return b
}

// The slow are some that stopped and some that trickle.
type slow struct {
	*crowd
	stopped, trickling []*sleeper
}

// slow opens a few of each.
func (b *bed) slow() *slow {
	b.t.Helper()
	ctx, cancel := within(b.t.Context())
	defer cancel()
	s := &slow{}
	begin := b.now()
	var all []*reader
	for _, r := range b.readers(few, begin, chat.WebSocket, chat.EventSource) {
		s.stopped = append(s.stopped, sleep(r, 0))
		all = append(all, r)
	}
	for _, r := range b.readers(few, begin, chat.Vias[:]...) {
		s.trickling = append(s.trickling, sleep(r, 1<<10))
		all = append(all, r)
	}
	s.crowd = start(b.t.Context(), all, soon)
	b.t.Cleanup(s.close)
	b.must(s.open(ctx, 1))
	return s
}

// dropped waits until the server has let go of all who stopped.
func (s *slow) dropped(ctx context.Context) error {
	var errs []error
	for _, r := range s.stopped {
		errs = append(errs, r.dropped(ctx))
	}
	return errors.Join(errs...)
}

// heal lets all read again. They must be told that they were slow, be level with what there is, and have lost nothing on the way.
func (b *bed) heal(s *slow) {
	b.t.Helper()
	ctx, cancel := within(b.t.Context())
	defer cancel()
	for _, r := range slices.Concat(s.stopped, s.trickling) {
		r.wake()
	}
	b.must(s.level(ctx, b.now().heads))
	s.close()
	for _, r := range s.stopped {
		if ends := r.ended(); len(ends) != 1 || !tooSlow(ends[0]) {
			b.t.Errorf("a %s that stopped was not ended for that, once, but with %q", r.via, ends)
		}
	}
	for _, r := range s.trickling {
		if ends := r.ended(); slices.ContainsFunc(ends, func(err error) bool { return !tooSlow(err) }) {
			b.t.Errorf("a %s that trickled was ended with %q", r.via, ends)
		}
	}
}

// weigh samples how many bytes the server holds while f runs, in the heap and in stacks, all of it in use.
func (b *bed) weigh(f func(context.Context) error) []int64 {
	b.t.Helper()
	ctx, cancel := within(b.t.Context())
	defer cancel()
	over := make(chan error, 1)
	go func() { over <- f(ctx) }() // ends with ctx at the latest
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var all []int64
	for {
		g, err := b.srv.Gauge(ctx)
		b.must(err)
		all = append(all, g.Heap+g.Stacks)
		select {
		case err := <-over:
			b.must(err)
			return all
		case <-tick.C:
		}
	}
}

// TestSlowReaders: whoever reads slowly, or not at all, costs the server a bounded amount of memory, is cut off and told so, and
// loses nothing; and neither do the others. What it costs the others in time is measured in the full form.
//
// Memory is what is in use, heap and stacks, after a collection. What is resident goes up and down by 40 MiB here without any slow
// reader, as garbage does, and with ten of them they held half a MiB: the rest of what was written when each socket was full, about
// 30 KiB of large messages, a goroutine, and of a poll its one answer, 256 KiB at the most. What has filled the socket is the kernel's.
func TestSlowReaders(t *testing.T) {
	t.Run("memory", slowReadersMemory)
	if *full {
		t.Run("delay", slowReadersDelay)
	}
}

func slowReadersMemory(t *testing.T) {
	b := newBed(t, plan(t))
	ws := b.write(t.Context(), b.plan, b.pace, b.size)
	defer func() { _ = ws.close() }() // closed before, unless something failed
	var more []int64
	for range pick(1, 5) {
		without := b.weigh(func(ctx context.Context) error { rest(ctx, pick(4*time.Second, 8*time.Second)); return nil })
		slow := b.slow()
		began := time.Now()
		with := b.weigh(slow.dropped)
		// A socket is full in a few seconds, and for ten before its reader is told, which leaves two: of all this time, the third
		// quarter is of ten that are full. What is held all the time is the least of the samples. Others have what is on its way at
		// that moment too: MiB, while an answer of every long poll is, or while something else has the processors.
		with = with[len(with)/2 : len(with)*3/4]
		least, leastWith := slices.Min(without), slices.Min(with)
		more = append(more, leastWith-least)
		t.Logf("%d KiB are held without slow readers, %d with; those that stopped were cut off after %v", least>>10, leastWith>>10,
			time.Since(began).Round(time.Millisecond))
		b.heal(slow)
	}
	ctx, cancel := within(t.Context())
	defer cancel()
	b.must(ws.close())
	b.must(b.others.level(ctx, b.now().heads))
	b.must(ws.check(ctx, b.filled))
	n, took, again := ws.sent()
	t.Logf("%d messages, acknowledged p50 %v, p99 %v; %d deliveries", n, quantile(took, .5), quantile(took, .99), b.others.deliveries())
	if again > 0 {
		t.Errorf("%d sends were not answered", again)
	}
	// A queue for each, of what they have not read, is tens of MiB by then; build/chaos has a build that keeps one.
	slices.Sort(more)
	if held := exact(more, .5); held > 2<<20 {
		t.Errorf("%d slow readers cost the server %d KiB, more than 2048", 2*few, held>>10)
	}
}
