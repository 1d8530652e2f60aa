// Package client keeps a [model.Model] current over whatever transport works,
// sends what the person writes, and shows the result as [model.View]s.
//
// An [Engine] is one goroutine that owns everything. All else (following a
// feed, sending, asking, writing to disk) happens on goroutines that it starts, waits
// for, and hears from through one inbox. What happens later is on one agenda of alarms.
//
// An attempt is one Follow over one transport. There is at most one in use, and
// beside it one that is to replace it: it does so with its first batch,
// so that a switch has no gap; what both bring is applied once.
//
// Of several tabs of one browser one leads and follows the server; the others follow through it. What
// is written in a tab is a record of that tab's own on the disk that they share. See [Tabs].
package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/transport"
)

// Config is what an Engine needs of the world. Only Base is needed where the
// rest is nil.
type Config struct {
	Base    string                                                             // scheme://host[:port][/path] of the server
	Disk    Disk                                                               // what survives the program; nil keeps nothing
	Tabs    Tabs                                                               // the other tabs of the browser; nil where there are none
	Version string                                                             // of the program: tabs of two do not share
	Zone    *time.Location                                                     // whose days divide timelines; nil is the local one
	API     API                                                                // questions and answers
	Links   func(via chat.Via, every time.Duration) transport.Transport        // makes transports; every is the pause of Poll, the longest silence of others (0: as the server likes)
	Ways    func(chat.Via, time.Duration, *transport.Gate) transport.Transport // as Links, with a gate of its own: for the lab
	Now     func() time.Time                                                   // the wall clock, for what is shown; it may jump
	Rand    func() float64                                                     // in [0, 1)
	Report  func(fault string)                                                 // hears of faults in the program itself
	Gate    *transport.Gate                                                    // what Links and API pass, where they are given
}

// An Engine keeps one user's model current. Its exported methods, besides Run, are
// what a person can do; any goroutine may call them.
type Engine struct {
	c     Config
	inbox chan func()   // to be done by Run's goroutine
	done  chan struct{} // closed when the inbox is not read any more

	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup // all goroutines of the engine

	// What follows belongs to Run's goroutine.
	ctx      context.Context
	model    *model.Model
	session  model.Session
	conn     model.Connection
	online   bool
	visible  bool
	era      int            // counts the sessions: what was asked in another is not heard
	want     bool           // a snapshot is needed before following
	fetching bool           // … and is on its way
	stale    time.Time      // when the feed last told of an unknown room
	again    backoff        // of the snapshots asked for because of that
	waiting  []chan<- error // who waits for the next snapshot
	now, new *attempt
	link     transport.Transport // what to send over
	ladder   ladder
	retry    backoff
	asleep   sleeper
	meter    meter
	out      outbox
	marks    marks
	check    checking
	typed    map[chat.RoomID]time.Time
	agenda   [alarms]time.Time
	disk     spool
	tabs     tabs
	watchers []*watcher
	view     *model.View
	dirty    bool // the view is not what the model says
	shownCon model.Connection
}

// New returns an Engine that does nothing until it is Run.
func New(c Config) *Engine {
	if c.Zone == nil {
		c.Zone = time.Local
	}
	if c.Disk == nil {
		c.Disk = NewMemoryDisk()
	}
	if c.Gate == nil {
		c.Gate = &transport.Gate{}
	}
	if c.API == nil {
		c.API = NewAPI(transport.Config{Base: c.Base, Gate: c.Gate})
	}
	if c.Links == nil {
		c.Links = func(via chat.Via, every time.Duration) transport.Transport {
			return transport.New(via, transport.Config{Base: c.Base, Every: every, Beat: every, Gate: c.Gate})
		}
	}
	if c.Ways == nil {
		c.Ways = func(via chat.Via, every time.Duration, g *transport.Gate) transport.Transport {
			return transport.New(via, transport.Config{Base: c.Base, Every: every, Gate: g})
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Report == nil {
		c.Report = func(string) {}
	}
	e := &Engine{
		c: c, inbox: make(chan func(), 64), done: make(chan struct{}),
		model: model.New(c.Zone), online: true, visible: true, want: true, dirty: true,
		typed: map[chat.RoomID]time.Time{},
	}
	e.retry.rand, e.out.retry.rand, e.again.rand, e.disk.retry.rand = c.Rand, c.Rand, c.Rand, c.Rand
	e.conn = model.Connection{Choice: model.Choice{Auto: true}, State: model.Connecting, Since: c.Now()}
	return e
}

// Run does the engine's work until ctx ends. When it returns, what was to be kept is on
// disk and no goroutine is left.
func (e *Engine) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.ctx = ctx
	e.load()
	e.hearTabs()
	e.begin()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		e.publish()
		timer.Reset(e.nextAlarm())
		select {
		case f := <-e.inbox:
			e.step(f)
			e.drain()
		case <-timer.C:
		case <-ctx.Done():
		}
		e.step(e.noticeSleep)
		e.step(e.count)
		e.ring()
	}
	cancel()
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	close(e.done)
	e.group.Wait()
	e.lastSave()
	e.tabs.end()
}

// drain does what else there is to do, up to a bound, before a View is made.
func (e *Engine) drain() {
	for range cap(e.inbox) {
		select {
		case f := <-e.inbox:
			e.step(f)
		default:
			return
		}
	}
}

// step does one thing. A fault in it is reported and costs only that thing: in a browser an
// uncaught panic would end the program, and with it what was typed.
func (e *Engine) step(f func()) {
	defer e.rescue()
	f()
}

func (e *Engine) rescue() {
	if r := recover(); r != nil {
		e.c.Report(fmt.Sprintf("%v\n%s", r, debug.Stack()))
	}
}

// post has f done by the engine's goroutine. It reports false when the engine has ended.
func (e *Engine) post(f func()) bool {
	select {
	case e.inbox <- f:
		return true
	case <-e.done:
		return false
	}
}

// spawn starts a goroutine of the engine.
func (e *Engine) spawn(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.group.Go(func() {
			defer e.rescue()
			f()
		})
	}
}

// ask calls f on a goroutine of its own, for as long as it is not silent for longer than patience, and then hands the outcome to
// the engine's. A panic in f is an error like any other.
func ask[T any](e *Engine, patience time.Duration, f func(context.Context) (T, error), then func(T, error)) {
	ctx, cancel := transport.Patient(e.ctx, patience, context.DeadlineExceeded)
	e.spawn(func() {
		defer cancel()
		v, err := caught(e, func() (T, error) { return f(ctx) })
		e.post(func() { then(v, err) })
	})
}

func caught[T any](e *Engine, f func() (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			e.c.Report(fmt.Sprintf("%v\n%s", r, debug.Stack()))
			err = fmt.Errorf("fault in the program: %v", r)
		}
	}()
	return f()
}
