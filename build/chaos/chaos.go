// Package chaos does to a parley server, while it is used, whatever happens to servers and networks, and
// keeps a history that says whether anything was lost, repeated, reordered or leaked.
//
// # The words
//
// A run starts the real binary on a port of loopback with a new data directory, makes
// accounts and rooms, and has senders and consumers work while a nemesis carries out a plan of strikes: it kills the
// server (half of the times right after an answer reached a sender), freezes it for a while, makes the
// network of some clients bad in one of six ways (package proxy), has a consumer change to another
// transport at any moment, with or without following over both for a moment, or has one go on from an older cursor
// than where it is. Each client has a line of its own to the server.
//
// A sender tries each draft with the same nonce until it is answered; some answers are destroyed on purpose, some drafts
// are sent at the same instant over two connections, and some nonces are used for something else, which must be refused.
// A consumer follows over one of the four transports, or changes it all the time, or is away for seconds, and
// comes back with the cursor of the last batch it processed. It shows an event unless it has shown it, by room and
// number. Guests are sent out of rooms and brought back by who made them all the time. Everything is written to a
// history, which package check judges: nothing here decides what is right.
//
// # Running it
//
//	go test ./build/chaos -v                      # the short form, as in make test
//	go test ./build/chaos -v -timeout 60m -args -full   # the full form, as in make chaos
//	go test ./build/chaos -v -run T -args -seed N # the plan of that seed once more: make chaos SEED=N
//
// The seed of a run, which it prints, replays its plan: what is sent, which answers are destroyed, which
// strikes come in which order, how long they last and whom they meet. What exactly they find under way is up to the machine.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parley/app/chat"
	"parley/build/chaos/check"
	"parley/build/child"
)

// A Config says how much of everything.
type Config struct {
	Binary     string   // of the server
	Env        []string // more variables for it
	Dir        string   // an existing directory, to hold the data, the server's log and the history
	Seed       uint64
	Strikes    Strikes
	Deliveries int     // at least; the strikes come spread over them
	Sends      int     // at least
	Rate       float64 // drafts a second, of all senders together; 0: each as soon as the one before is answered
	Ruin       Ruin
	Accounts   int           // each with two senders
	Rooms      int           // everyone is in all of them
	Consumers  int           // over each of the four transports; and as many that change
	Guests     int           // who come and go, each with a consumer
	Away       time.Duration // if set, some more are away for up to this long, again and again
	Pause      time.Duration // before a strike, at most
	Settle     time.Duration // how long consumers have to be level with the logs at the end
	Logf       func(format string, args ...any)
}

// History is the path of the history that Run writes.
func (c Config) History() string { return filepath.Join(c.Dir, "history.jsonl") }

// A Result is what a run did, apart from its history.
type Result struct {
	Restarts   []time.Duration // from each start after a kill until the server was ready
	Answers    []time.Duration // how long each answered try took
	Took       time.Duration   // from the first send to the last
	Level      bool            // every consumer had every event in the time of Settle
	Leveled    time.Duration   // how long that took, after the last send
	Peak       int64           // KiB of the server's memory that were resident at the most
	Base, Rest int             // the server's goroutines before there were readers, and after the last had left
}

// Run loads a server, strikes it, and leaves a history. An error means that the run itself did not
// come to its end; whether the server did well is the checker's to say.
func Run(ctx context.Context, cfg Config) (_ *Result, err error) {
	hist, err := newHistory(cfg.History())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, hist.close()) }()

	srv, err := child.New(ctx, cfg.Binary, cfg.Dir)
	if err != nil {
		return nil, err
	}
	srv.Env = cfg.Env
	defer func() { err = errors.Join(err, srv.Close()) }()
	w, err := settle(ctx, cfg, srv, hist)
	if err != nil {
		return nil, fmt.Errorf("making the accounts and rooms: %w", err)
	}
	res := &Result{}
	if res.Base, err = w.goroutines(ctx); err != nil {
		return nil, err
	}
	err = w.load(ctx, cfg, res)
	if err := errors.Join(err, w.close()); err != nil {
		return nil, err
	}
	if res.Rest, err = w.rest(ctx, res.Base, cfg.Settle); err != nil {
		return nil, err
	}
	if err := w.weigh(); err != nil {
		return nil, err
	}
	res.Peak = w.peak
	if err := srv.Stop(ctx); err != nil {
		return nil, err
	}
	return res, nil
}

// load runs everyone until there was enough of everything, waits until the consumers are level, and
// reads the logs.
func (w *world) load(ctx context.Context, cfg Config, res *Result) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	plan := rand.New(rand.NewPCG(cfg.Seed, 0))
	strikes := newPlan(cfg, rand.New(rand.NewPCG(plan.Uint64(), 3)))
	fail := func(err error) { // the first error ends the run
		if err != nil {
			cancel(err)
		}
	}

	var readers, writers sync.WaitGroup
	defer func() { cancel(nil); writers.Wait(); readers.Wait() }()
	var open sync.WaitGroup
	consumers, err := w.newConsumers(ctx, cfg, plan)
	if err != nil {
		return err
	}
	for _, c := range consumers {
		open.Add(1)
		readers.Go(func() { fail(c.run(ctx, sync.OnceFunc(open.Done))) })
	}
	if err := wait(ctx, &open); err != nil {
		return fmt.Errorf("opening the feeds: %w", err)
	}

	began := time.Now()
	stop := make(chan struct{}) // closed when there was enough
	senders, err := w.newSenders(ctx, cfg, plan, consumers)
	if err != nil {
		return err
	}
	for _, s := range senders {
		writers.Go(func() { fail(s.run(ctx, stop)) })
	}
	n := nemesis{w: w, consumers: consumers, cfg: cfg}
	if res.Restarts, err = n.run(ctx, strikes); err != nil {
		return firstOf(context.Cause(ctx), err)
	}
	if err := w.board.reach(ctx, cfg.Deliveries, cfg.Sends); err != nil {
		return err
	}
	close(stop)
	if err := wait(ctx, &writers); err != nil {
		return err
	}
	ended := time.Now()
	res.Took = ended.Sub(began)
	res.Answers = w.board.answers()
	cfg.Logf("%d strikes and %d deliveries in %v; waiting for the consumers to be level", len(strikes), w.board.deliveries(), res.Took.Round(time.Millisecond))

	heads, err := w.readLogs(ctx)
	if err != nil {
		return firstOf(context.Cause(ctx), err)
	}
	res.Level = w.board.level(ctx, heads, cfg.Settle)
	res.Leveled = time.Since(ended)
	return context.Cause(ctx)
}

// wait waits for a group, or for the end of ctx.
func wait(ctx context.Context, g *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { g.Wait(); close(done) }() // ends with the group, whose owner ends it with ctx
	select {
	case <-done:
		return context.Cause(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Judge reads the history of a run and judges it.
func Judge(cfg Config) (*check.Report, error) {
	f, err := os.Open(cfg.History())
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return check.Check(check.Read(f))
}

// patience bounds every wait for the server to answer.
const patience = 30 * time.Second

// hash names what an event says. Coming and going says the same again and again, and is told apart by its
// nonce; the name in it is the server's to add.
func hash(n chat.Nonce, b chat.Body) string {
	if b.Member == nil {
		return sum(b)
	}
	return sum([]string{string(n), string(b.Member.User), string(b.Member.State)})
}
