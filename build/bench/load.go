package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/build/child"
)

// maxMessages bounds what one measurement posts.
const maxMessages = 1 << 20

// load counts who has which message. A message names its number in its text.
type load struct {
	n     int64
	began time.Time
	next  atomic.Int64
	seen  [maxMessages]atomic.Int32 // followers that have the message
	sent  [maxMessages]atomic.Int64 // when it was due, since began
	done  [maxMessages]chan struct{}
	on    atomic.Pointer[tally] // what is measured now
}

// A tally is what came while it was measured.
type tally struct {
	spans histogram
	total atomic.Int64
}

// markSize is the length of ~NNNNNNNNNN~, which names a message wherever it passes.
const markSize = 12

func mark(i int64) string { return fmt.Sprintf("~%010d~", i) }

// scan counts the messages in b, which is what a follower has read. It returns
// what may be the beginning of a mark.
func (l *load) scan(b []byte) (rest []byte) {
	for {
		i := bytes.IndexByte(b, '~')
		if i < 0 {
			return nil
		}
		if b = b[i:]; len(b) < markSize {
			return b
		}
		if id := parseMark(b); id >= 0 {
			l.deliver(id)
			b = b[markSize:]
		} else {
			b = b[1:]
		}
	}
}

// parseMark is the number in the mark that b begins with, or -1.
func parseMark(b []byte) int64 {
	if b[markSize-1] != '~' {
		return -1
	}
	var id int64
	for _, c := range b[1 : markSize-1] {
		if c < '0' || c > '9' {
			return -1
		}
		id = id*10 + int64(c-'0')
	}
	if id >= maxMessages {
		return -1
	}
	return id
}

func (l *load) deliver(id int64) {
	if t := l.on.Load(); t != nil {
		t.spans.add(time.Since(l.began) - time.Duration(l.sent[id].Load()))
		t.total.Add(1)
	}
	if int64(l.seen[id].Add(1)) == l.n {
		close(l.done[id])
	}
}

// warming is the least that a server works before it is measured: some compile meanwhile what they run.
const warming = 500 * time.Millisecond

// opening is how many followers are opened at once.
const opening = 16

// drive opens n followers, lets them rest, and then does one work after the other with them.
func drive(ctx context.Context, o options, n int, t target) (f session, err error) {
	l := &load{n: int64(n), began: time.Now()}
	before, err := child.Resident(t.pid())
	if err != nil {
		return f, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	listening, err := newStreams(l)
	if err != nil {
		return f, err
	}
	defer listening.close()
	var all sync.WaitGroup
	defer func() { cancel(nil); all.Wait() }()
	all.Go(func() {
		if err := listening.run(ctx); err != nil {
			cancel(fmt.Errorf("a follower: %w", err))
		}
	})
	var open errgroup.Group
	open.SetLimit(opening)
	for range n {
		open.Go(func() error {
			fo, err := t.follow(ctx, l)
			if err != nil {
				return fmt.Errorf("opening a follower: %w", err)
			}
			if fo.read == nil {
				return listening.add(fo.conn)
			}
			all.Go(func() {
				stop := context.AfterFunc(ctx, func() { _ = fo.conn.Close() })
				defer stop()
				if err := fo.read(); err != nil && ctx.Err() == nil {
					cancel(fmt.Errorf("a follower: %w", err))
				}
				_ = fo.conn.Close()
			})
			return nil
		})
	}
	if err := open.Wait(); err != nil {
		return f, err
	}
	if err := rest(ctx, o.rest); err != nil {
		return f, err
	}
	after, err := child.Resident(t.pid())
	if err != nil {
		return f, err
	}
	f.Memory = float64(after-before) / float64(n)
	for _, w := range o.works {
		got, err := l.do(ctx, w, o.length, t)
		if err != nil {
			return f, fmt.Errorf("%s: %w", w, err)
		}
		f.Works = append(f.Works, got)
	}
	return f, nil
}

// do posts as w says, for a while to get warm and then for as long as is measured.
func (l *load) do(ctx context.Context, w work, length time.Duration, t target) (f figures, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	posting, stop := context.WithCancel(ctx)
	var posters sync.WaitGroup
	defer func() { stop(); posters.Wait(); cancel(nil) }()
	var due chan time.Time
	if w.rate > 0 {
		due = make(chan time.Time)
		posters.Go(func() { pace(posting, due, float64(l.n)/w.rate) })
	}
	for range w.window {
		p, err := t.post(ctx)
		if err != nil {
			return f, err
		}
		posters.Go(func() {
			defer p.close()
			if err := l.post(ctx, posting, p, due); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("posting: %w", err))
			}
		})
	}
	if err := rest(ctx, max(length/4, warming)); err != nil {
		return f, err
	}
	cpu, err := child.Processor(t.pid())
	if err != nil {
		return f, err
	}
	sum := &tally{}
	first, start := l.next.Load(), time.Now()
	l.on.Store(sum)
	err = rest(ctx, length)
	l.on.Store(nil)
	took := time.Since(start)
	if err != nil {
		return f, err
	}
	end, err := child.Processor(t.pid())
	if err != nil {
		return f, err
	}
	total := float64(sum.total.Load())
	if total == 0 {
		return f, fmt.Errorf("nothing was delivered in %v", length)
	}
	f.Messages = int(l.next.Load() - first)
	f.Rate = total / took.Seconds()
	f.CPU = (end - cpu).Seconds() / total * 1e6
	f.P50, f.P99 = sum.spans.quantile(0.5), sum.spans.quantile(0.99)
	return f, nil
}

// pace says when the next message is due, every so many seconds, whether anyone is ready for it or not.
func pace(ctx context.Context, due chan<- time.Time, seconds float64) {
	start := time.Now()
	for i := 1; ; i++ {
		at := start.Add(time.Duration(float64(i) * seconds * float64(time.Second)))
		if rest(ctx, time.Until(at)) != nil {
			return
		}
		select {
		case due <- at:
		case <-ctx.Done():
			return
		}
	}
}

// post posts one message after the other, each once all followers have the one before, and, if due is set, not
// before it is due.
func (l *load) post(ctx, posting context.Context, p poster, due <-chan time.Time) error {
	for posting.Err() == nil {
		at := time.Now()
		if due != nil {
			select {
			case at = <-due:
			case <-posting.Done():
				return nil
			}
		}
		id := l.next.Add(1) - 1
		if id >= maxMessages {
			return errors.New("too many messages: measure for a shorter time")
		}
		done := make(chan struct{})
		l.done[id] = done
		l.sent[id].Store(int64(at.Sub(l.began)))
		if err := p.post(ctx, mark(id)); err != nil {
			return err
		}
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// rest lets time pass; that is what is measured.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
