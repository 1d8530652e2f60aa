package swarm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/app/chat"
)

// writers send messages as the host, at a steady pace, each until it is acknowledged: again and again under the same nonce.
type writers struct {
	w       *world
	running sync.WaitGroup
	stop    context.CancelFunc
	clock   *atomic.Int64 // counts what happens

	mu    sync.Mutex
	began map[chat.Nonce]int64 // by the clock; guarded by mu, as all below
	acked map[chat.Nonce]chat.Event
	took  []time.Duration // from the first try of each to its answer
	again int             // tries that were answered by nothing
	fault error           // the first refusal for good
}

// write begins to send rate messages a second, of size bytes, to rooms at random.
func (w *world) write(ctx context.Context, plan *rand.Rand, rate float64, size int) *writers {
	ctx, stop := context.WithCancel(ctx)
	ws := &writers{w: w, stop: stop, clock: &atomic.Int64{}, began: map[chat.Nonce]int64{}, acked: map[chat.Nonce]chat.Event{}}
	n := min(max(int(rate/10), 1), 64)
	name := fmt.Sprintf("%x", plan.Uint64())
	for i := range n {
		r := rand.New(rand.NewPCG(plan.Uint64(), 1))
		ws.running.Go(func() {
			ws.run(ctx, fmt.Sprintf("%s-%d", name, i), r, time.Duration(float64(n)/rate*float64(time.Second)), size)
		})
	}
	return ws
}

func (ws *writers) run(ctx context.Context, name string, r *rand.Rand, pace time.Duration, size int) {
	rest(ctx, time.Duration(r.Int64N(int64(pace)))) // not all at once each time
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		room := ws.w.rooms[r.IntN(len(ws.w.rooms)-ws.w.still)]
		at := stamp()
		ws.send(context.WithoutCancel(ctx), chat.Draft{Nonce: chat.Nonce(fmt.Sprintf("%s-%d", name, n)), Room: room,
			Body: chat.Body{Message: &chat.Message{Text: at + text(size-len(at))}}})
	}
}

// started is what stamps count from.
var started = time.Now()

// stampMark begins a stamp, which tells readers in this process when a message was first tried.
const stampMark = "sent at "

func stamp() string { return fmt.Sprintf(stampMark+"%019d ", time.Since(started)) }

// text is a message of about so many bytes.
func text(size int) string { return strings.Repeat("lorem ipsum ", size/12+1)[:size-1] + "." }

// send sends one message until it is acknowledged, also when the writers are told to stop meanwhile.
func (ws *writers) send(ctx context.Context, d chat.Draft) {
	ctx, cancel := within(ctx)
	defer cancel()
	began := time.Now()
	ws.mu.Lock()
	ws.began[d.Nonce] = ws.clock.Add(1)
	ws.mu.Unlock()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		var e chat.Event
		err := ws.w.srv.Ask(ctx, ws.w.host, http.MethodPost, "/api/send", d, &e)
		ws.mu.Lock()
		switch {
		case err == nil:
			ws.acked[d.Nonce] = e
			ws.took = append(ws.took, time.Since(began))
		case chat.Final(err) || ctx.Err() != nil:
			if ws.fault == nil {
				ws.fault = fmt.Errorf("sending %s: %w", d.Nonce, err)
			}
		default:
			ws.again++
		}
		over := err == nil || ws.fault != nil
		ws.mu.Unlock()
		if over {
			return
		}
		pause.Reset(25 * time.Millisecond)
		<-pause.C
	}
}

// close lets what is under way be acknowledged and says what was wrong.
func (ws *writers) close() error {
	ws.stop()
	ws.running.Wait()
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.fault
}

// await waits until n are acknowledged in all.
func (ws *writers) await(ctx context.Context, n int) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ws.mu.Lock()
		have, fault := len(ws.acked), ws.fault
		ws.mu.Unlock()
		if fault != nil || have >= n {
			return fault
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d messages are acknowledged, not %d: %w", have, n, context.Cause(ctx))
		}
	}
}

// sent counts what was acknowledged, and tells how long it took and how many tries were in vain.
func (ws *writers) sent() (n int, took []time.Duration, again int) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return len(ws.acked), slices.Clone(ws.took), ws.again
}

// check holds the logs of the rooms against what was acknowledged: each once, where the answer said, and nothing else but
// as many messages of others.
func (ws *writers) check(ctx context.Context, others int) error {
	found := 0
	for _, room := range ws.w.rooms {
		log, err := ws.w.srv.Log(ctx, ws.w.host, room)
		if err != nil {
			return err
		}
		for i, e := range log {
			if int(e.Seq) != i+1 {
				return fmt.Errorf("the log of %s has %d as its event %d", room, e.Seq, i+1)
			}
			if e.Message == nil {
				continue
			}
			said, ok := ws.acked[e.Nonce]
			if !ok {
				if others--; others < 0 {
					return fmt.Errorf("%s/%d is of the nonce %s, which was not acknowledged", room, e.Seq, e.Nonce)
				}
				continue
			}
			if said.Room != room || said.Seq != e.Seq {
				return fmt.Errorf("%s was acknowledged as %s/%d and is %s/%d", e.Nonce, said.Room, said.Seq, room, e.Seq)
			}
			found++
		}
	}
	if found != len(ws.acked) || others > 0 {
		return fmt.Errorf("%d messages were acknowledged and the logs have %d", len(ws.acked), found)
	}
	return nil
}

// fill sends n messages of size bytes to each of the rooms, and returns when all are acknowledged.
func (w *world) fill(ctx context.Context, rooms []chat.RoomID, n, size int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(32)
	for range n {
		for _, room := range rooms {
			g.Go(func() error {
				return w.srv.Ask(ctx, w.host, http.MethodPost, "/api/send", chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room,
					Body: chat.Body{Message: &chat.Message{Text: text(size)}}}, nil)
			})
		}
	}
	return g.Wait()
}

// quantile is the value below which a share q of the durations lies, to be printed.
func quantile(d []time.Duration, q float64) time.Duration {
	return exact(slices.Sorted(slices.Values(d)), q).Round(time.Millisecond)
}

// exact is the same of what is in order already.
func exact[T int64 | float64 | time.Duration](sorted []T, q float64) T {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
