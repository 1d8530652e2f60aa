package proxies

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/transport"
)

// The spans of a measurement. All ways over all proxies are measured at once, as each
// does little but wait.
const (
	toOpen   = 3 * time.Second  // a way that is not open then is not for Auto
	toArrive = 2 * time.Second  // of a message
	toCut    = 12 * time.Second // of silence, which the server would not break for longer
	pollEach = 300 * time.Millisecond
)

// A track is what one way did over one proxy.
type track struct {
	mu     sync.Mutex
	opened time.Time
	last   time.Time            // when something came
	came   map[string]time.Time // texts
	ended  time.Time
	err    error
	sent   error
}

// alone measures each way over each proxy, without anyone choosing, and says of each what a
// person would.
func (w *world) alone(ctx context.Context, t *testing.T, list []proxy) map[string]map[chat.Via]string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tracks := map[string]map[chat.Via]*track{}
	var following sync.WaitGroup
	defer following.Wait()
	defer cancel()
	each := func(f func(p proxy, via chat.Via)) {
		for _, p := range list {
			for _, via := range chat.Vias {
				f(p, via)
			}
		}
	}
	links := map[*track]transport.Transport{}
	began := time.Now()
	each(func(p proxy, via chat.Via) {
		c := w.config(p)
		c.Every = pollEach
		link, k := transport.New(via, c), &track{came: map[string]time.Time{}}
		if tracks[p.name] == nil {
			tracks[p.name] = map[chat.Via]*track{}
		}
		tracks[p.name][via], links[k] = k, link
		following.Go(func() {
			defer c.HTTP.CloseIdleConnections()
			k.follow(ctx, link)
		})
	})
	pass(ctx, began.Add(toOpen))

	// What is sent by the way itself must come in, and what came in must come out.
	said := time.Now()
	must(t, w.say(ctx, 0, 1, func(int) string { return "one" }))
	var sending sync.WaitGroup
	each(func(p proxy, via chat.Via) {
		k := tracks[p.name][via]
		sending.Go(func() {
			if k.open() {
				_, k.sent = links[k].Send(ctx, message(w.sites[p.path].room, "by "+string(via)))
			}
		})
	})
	sending.Wait()
	pass(ctx, said.Add(toArrive))
	pass(ctx, time.Now().Add(toCut))

	// What is held back comes when there is more than the buffer takes.
	must(t, w.say(ctx, 0, 100, func(i int) string { return fmt.Sprint("more ", i, " ", strings.Repeat("x", 2_000)) }))
	pass(ctx, time.Now().Add(toArrive))
	found := map[string]map[chat.Via]string{}
	each(func(p proxy, via chat.Via) {
		if found[p.name] == nil {
			found[p.name] = map[chat.Via]string{}
		}
		k := tracks[p.name][via]
		if k.sent != nil {
			t.Errorf("sending by %s over %s: %v", via, p.name, k.sent)
		}
		found[p.name][via] = k.verdict(began, said)
	})
	return found
}

func (k *track) follow(ctx context.Context, link transport.Transport) {
	for b, err := range link.Follow(ctx, "") {
		k.mu.Lock()
		now := time.Now()
		if err != nil {
			k.err, k.ended = err, now
			k.mu.Unlock()
			return
		}
		if k.opened.IsZero() {
			k.opened = now
		}
		k.last = now
		for _, e := range b.Events {
			if e.Message != nil {
				k.came[e.Message.Text] = now
			}
		}
		k.mu.Unlock()
	}
}

func (k *track) open() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.opened.IsZero() && k.err == nil
}

// verdict is what the README says of it.
func (k *track) verdict(began, said time.Time) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	one := k.came["one"]
	switch {
	case k.opened.IsZero():
		return "blocked"
	case k.opened.Sub(began) > toOpen || one.IsZero() || one.Sub(said) > toArrive:
		return "delayed"
	case k.err != nil:
		return fmt.Sprintf("cut after %.0f s", k.ended.Sub(k.last).Seconds())
	}
	return "works"
}

// pass waits until a time, or until ctx ends.
func pass(ctx context.Context, until time.Time) {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
