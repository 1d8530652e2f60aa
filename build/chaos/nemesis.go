package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parley/build/chaos/check"
)

// trigger lets a sender, at the moment it is answered, do what the nemesis left with it.
type trigger struct{ armed atomic.Pointer[func()] }

// pull does it, if something was left; once.
func (t *trigger) pull() {
	if f := t.armed.Swap(nil); f != nil {
		(*f)()
	}
}

// nemesis carries out a plan.
type nemesis struct {
	w         *world
	cfg       Config
	consumers []*consumer
	healing   sync.WaitGroup // faults of lines
	orders    sync.WaitGroup // what consumers have been told to do
}

// run does all strikes, spread over the deliveries of the run, and waits for the end of the last. It returns how long
// the server took to start after each kill.
func (n *nemesis) run(ctx context.Context, plan []strike) (restarts []time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() { cancel(); n.healing.Wait() }()
	for i, s := range plan {
		if err := n.w.board.reach(ctx, n.cfg.Deliveries*i/len(plan), 0); err != nil {
			return nil, err
		}
		// What never answers again must not be covered by the next strike.
		if err := n.onAnswer(ctx, func() {}); err != nil {
			return nil, fmt.Errorf("before strike %d, %s: %w", i+1, s.kind, err)
		}
		if err := pause(ctx, s.pause); err != nil {
			return nil, err
		}
		switch s.kind {
		case kill:
			took, err := n.kill(ctx, s)
			if err != nil {
				return nil, err
			}
			restarts = append(restarts, took)
		case freeze:
			if err := n.freeze(ctx, s); err != nil {
				return nil, err
			}
		case switchWay, stale:
			if err := n.order(ctx, s); err != nil {
				return nil, err
			}
		default:
			n.spoil(ctx, s)
		}
	}
	if err := wait(ctx, &n.healing); err != nil {
		return nil, err
	}
	return restarts, wait(ctx, &n.orders)
}

// pause waits for d.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (n *nemesis) note(k kind, who, format string, args ...any) {
	n.w.hist.put(check.Record{Op: check.Strike, Kind: string(k), Who: who, Note: fmt.Sprintf(format, args...)})
}

// onAnswer waits for the next answer that a sender gets, and does f at once, on the sender's goroutine.
func (n *nemesis) onAnswer(ctx context.Context, f func()) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("no send was answered for "+patience.String()))
	defer cancel()
	done := make(chan struct{})
	g := func() { f(); close(done) }
	n.w.trigger.armed.Store(&g)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		n.w.trigger.armed.Store(nil)
		return context.Cause(ctx)
	}
}

// kill ends the server and starts it again. It returns how long the start took.
func (n *nemesis) kill(ctx context.Context, s strike) (time.Duration, error) {
	if err := n.w.weigh(); err != nil {
		return 0, err
	}
	note := "at random"
	if !s.answer {
		n.w.srv.Kill()
	} else {
		note = "right after an answer"
		if err := n.onAnswer(ctx, n.w.srv.Kill); err != nil {
			return 0, err
		}
	}
	if err := n.w.srv.Gone(ctx); err != nil {
		return 0, err
	}
	n.note(kill, "", "%s", note)
	return n.w.srv.Start(ctx)
}

// freeze stops the server for a while. Its clients do not know.
func (n *nemesis) freeze(ctx context.Context, s strike) error {
	if err := n.w.srv.Freeze(); err != nil {
		return err
	}
	n.note(freeze, "", "for %v", s.lasts)
	return errors.Join(pause(ctx, s.lasts), n.w.srv.Thaw())
}

// spoil makes the network of some clients bad for a while, and does not wait for the end of it.
func (n *nemesis) spoil(ctx context.Context, s strike) {
	lines := n.w.lines
	count := max(1, int(s.share*float64(len(lines))))
	var heal []func()
	for i := range count {
		heal = append(heal, lines[(s.whom+i)%len(lines)].Suffer(s.fault))
	}
	n.note(s.kind, "", "%+v, %d lines, for %v", s.fault, count, s.lasts)
	n.healing.Go(func() {
		_ = pause(ctx, s.lasts) // it is over early when the run is
		for _, h := range heal {
			h()
		}
	})
}

// order tells a consumer to change its way, or to go on from where it was a while ago. It does so when
// it can.
func (n *nemesis) order(ctx context.Context, s strike) error {
	var able []*consumer
	for _, c := range n.consumers {
		if s.kind == stale || len(c.links) > 1 {
			able = append(able, c)
		}
	}
	c := able[s.whom%len(able)]
	n.orders.Add(1)
	select {
	case c.orders <- order{s, n.orders.Done}:
		return nil
	case <-ctx.Done():
		n.orders.Done()
		return context.Cause(ctx)
	}
}
