package api

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// wheelSize is how many ticks a shard's wheel has; a beat is beatTicks of them.
const (
	wheelSize = 32
	beatTicks = 20
)

// A shard writes for many streams, on one goroutine: what has come, when they are
// woken, and signs of life, when they have been silent.
type shard struct {
	tick time.Duration
	bell chan struct{} // rings when there are dirty streams

	mu    sync.Mutex
	dirty []*stream
	wheel [wheelSize]*stream // lists by seat: who is to be looked at in which tick
	now   int                // the tick
}

// A seat is a stream's place in the wheel. The shard's mu guards it.
type seat struct {
	prev, next *stream
	tick       int
	taken      bool
	gone       bool // never to be taken again
}

func newShard(beat time.Duration) *shard {
	return &shard{tick: max(beat/beatTicks, time.Millisecond), bell: make(chan struct{}, 1)}
}

// mark puts st, whose dirty was false until now, on the list.
func (sh *shard) mark(st *stream) {
	sh.mu.Lock()
	sh.dirty = append(sh.dirty, st)
	sh.mu.Unlock()
	select {
	case sh.bell <- struct{}{}:
	default:
	}
}

func (sh *shard) run(ctx context.Context) {
	tick := time.NewTicker(sh.tick)
	defer tick.Stop()
	var list, held []*stream // held: polls whose answers gather more
	var scratch []byte
	var answered time.Time // when the last poll was
	gathered := time.NewTimer(0)
	defer gathered.Stop()
	for {
		beat := false
		select {
		case <-ctx.Done():
			return
		case <-sh.bell:
			sh.mu.Lock()
			list, sh.dirty = sh.dirty, list[:0]
			sh.mu.Unlock()
		case <-tick.C:
			list, beat = sh.turn(list[:0]), true
		case <-gathered.C:
			list, held = held, list[:0]
			answered = time.Time{}
		}
		now := time.Now()
		sum := tally{since: now}
		busy := now.Sub(answered) < gather
		for i, st := range list {
			if st.form.whole != nil {
				if busy {
					if len(held) == 0 {
						gathered.Reset(gather)
					}
					held = append(held, st)
					continue
				}
				answered = now
			}
			sum.of(st.bill)
			n := 0
			scratch, n = st.flush(now, beat && st.silent(now, sh.tick), scratch)
			sum.wrote(n)
			sh.sit(st)
			if i%64 == 63 {
				sum.of(nil)
				runtime.Gosched()
			}
		}
		sum.of(nil)
		clear(list)
		if cap(scratch) > maxRest {
			scratch = nil
		}
	}
}

// silent reports whether st has written nothing for about a beat.
func (st *stream) silent(now time.Time, tick time.Duration) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return now.Sub(st.wrote) > (beatTicks-3)*tick
}

// turn takes those off the wheel whose tick has come.
func (sh *shard) turn(list []*stream) []*stream {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.now++
	for st := sh.wheel[sh.now%wheelSize]; st != nil; st = st.seat.next {
		list = append(list, st)
	}
	for _, st := range list {
		sh.rise(st)
	}
	return list
}

// sit gives st a seat, if it has none, for when it will have been silent for
// a beat, or a little less, so that not all beat at once.
func (sh *shard) sit(st *stream) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := &st.seat
	if s.taken || s.gone || st.form.whole != nil { // a poll says nothing while it waits
		return
	}
	s.taken, s.tick = true, (sh.now+beatTicks-rand.IntN(3))%wheelSize
	if s.next = sh.wheel[s.tick]; s.next != nil {
		s.next.seat.prev = st
	}
	sh.wheel[s.tick] = st
}

func (sh *shard) rise(st *stream) {
	s := &st.seat
	if !s.taken {
		return
	}
	if s.next != nil {
		s.next.seat.prev = s.prev
	}
	if s.prev != nil {
		s.prev.seat.next = s.next
	} else {
		sh.wheel[s.tick] = s.next
	}
	s.prev, s.next, s.taken = nil, nil, false
}

// drop takes st, which is over, off the wheel for good.
func (sh *shard) drop(st *stream) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.rise(st)
	st.seat.gone = true
}
