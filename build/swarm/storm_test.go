package swarm

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/app/chat"
	"parley/build/child"
)

// A pulse asks a server again and again whether it is alive.
type pulse struct {
	running sync.WaitGroup
	stop    context.CancelFunc
	took    []time.Duration // read after close, as fault
	fault   error
}

func (w *world) pulse(ctx context.Context) *pulse {
	ctx, stop := context.WithCancel(ctx)
	p := &pulse{stop: stop}
	p.running.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for p.fault == nil {
			began := time.Now()
			if err := w.alive(ctx); ctx.Err() != nil {
				return
			} else if err != nil {
				p.fault = err
			}
			p.took = append(p.took, time.Since(began))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return p
}

func (p *pulse) close() error {
	p.stop()
	p.running.Wait()
	return p.fault
}

// alive asks on a connection of its own, as who watches over a server does.
func (w *world) alive(ctx context.Context) error {
	ctx, cancel := within(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.srv.Base()+"/livez", nil)
	if err != nil {
		return err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("is it alive: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("is it alive: %s, %w", res.Status, err)
	}
	return nil
}

// mostFiles is how many connections this process, and the server, may have beside what else they have open.
func mostFiles(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	most := int(min(limit.Max, 1<<20)) - 500
	if most < 500 {
		t.Fatalf("a process may have %d files open here, which is too few for a crowd; \"ulimit -Hn 4096\" or more lets it", limit.Max)
	}
	return most
}

// TestReconnectStorm: a crowd that comes back at once after a crash is level soon, while the server goes on to live and to
// take messages.
func TestReconnectStorm(t *testing.T) {
	plan := plan(t)
	readers := min(pick(1000, *clients), mostFiles(t))
	users := pick(500, readers)
	const backlog = 50
	w := newWorld(t, users, users/100, 2)
	ctx, cancel := within(t.Context())
	defer cancel()

	everyone := w.readers(readers, w.now(), chat.Vias[:]...)
	before := start(t.Context(), everyone, soon)
	defer before.close()
	w.must(before.open(ctx, 1))
	idle, err := child.Resident(w.srv.PID())
	w.must(err)
	before.close()

	w.must(w.fill(ctx, w.rooms, backlog/w.in, 100))
	w.srv.Kill()
	w.must(w.srv.Gone(ctx))
	spread := int64(pick(500*time.Millisecond, time.Second))
	away := map[*reader]time.Duration{} // before the first try; later ones are random
	for _, r := range everyone {
		away[r] = time.Duration(plan.Int64N(spread))
	}
	restart, err := w.srv.Start(ctx)
	w.must(err)
	began := time.Now()
	pulse := w.pulse(t.Context())
	defer func() { _ = pulse.close() }() // closed before, unless something failed
	ws := w.write(t.Context(), plan, 20, 100)
	defer func() { _ = ws.close() }() // as the pulse
	after := &crowd{readers: everyone, stop: cancel}
	for _, r := range everyone {
		after.running.Go(func() {
			rest(ctx, away[r])
			r.run(ctx, func(*reader, int, error) time.Duration { return 100*time.Millisecond + rand.N(200*time.Millisecond) })
		})
	}
	defer after.close()
	w.must(after.open(ctx, 2))
	w.must(ws.close())
	w.must(after.level(ctx, w.now().heads))
	took := time.Since(began)
	storm, err := child.Resident(w.srv.PID())
	w.must(err)
	cpu, err := child.Processor(w.srv.PID())
	w.must(err)
	w.must(pulse.close())
	w.must(ws.check(ctx, backlog/w.in*len(w.rooms)))
	n, acked, again := ws.sent()
	t.Logf("%d readers, of %d users: ready %v after the start, all level %v later; the server used %v of a processor; %d KiB idle before, %d level after",
		readers, users, restart.Round(time.Millisecond), took.Round(time.Millisecond), cpu, idle, storm)
	t.Logf("meanwhile: %d messages acknowledged in p50 %v, at most %v; alive in p50 %v, at most %v", n, quantile(acked, .5), quantile(acked, 1),
		quantile(pulse.took, .5), quantile(pulse.took, 1))
	if again > 0 {
		t.Errorf("%d sends were not answered during the storm", again)
	}
}
