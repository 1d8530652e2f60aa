package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"

	"parley/app/chat"
	"parley/build/child"
)

// A Config says how much of everything.
type Config struct {
	Binary  string   // of the server
	Env     []string // more variables for it
	Dir     string   // an existing directory, for its data and its log
	Seed    uint64   // of what is said and when the server is struck; what meets what is up to the machine
	Rooms   int
	Clients int // in each room
	Ops     int // of each client
	AtOnce  int // rooms that are busy at the same time
}

// A Result is what a run found.
type Result struct {
	Ops, Lost, Conflicts int
	Kills, Stops         int
	Impossible           []string // the rooms whose history fits no order, with what was told
}

// accountName is the one account whose clients all are: so that they share its nonces.
const accountName = "linear"

// Run loads a server, kills and stops it, and judges every room.
func Run(ctx context.Context, cfg Config) (res Result, err error) {
	if cfg.Clients*cfg.Ops > chat.MaxPage/2 {
		return res, fmt.Errorf("%d clients of %d operations: a look shows one page, so at most %d together", cfg.Clients, cfg.Ops, chat.MaxPage/2)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv, err := child.New(ctx, cfg.Binary, cfg.Dir)
	if err != nil {
		return res, err
	}
	srv.Env = cfg.Env
	acct, err := srv.AddUser(ctx, accountName)
	if err != nil {
		return res, err
	}
	if _, err := srv.Start(ctx); err != nil {
		return res, err
	}
	defer func() {
		if e := srv.Close(); err == nil {
			err = e
		}
	}()
	for i := range cfg.Rooms {
		if err := srv.CreateRoom(ctx, acct, chat.NewRoom{Nonce: chat.Nonce(fmt.Sprint("room", i)), Kind: chat.Private, Name: fmt.Sprint("room ", i)}); err != nil {
			return res, err
		}
	}
	snap, err := srv.Snapshot(ctx, acct)
	if err != nil {
		return res, err
	}

	plan := rand.New(rand.NewPCG(cfg.Seed, 0))
	places := make(chan *place)
	began := time.Now()
	var all, striking sync.WaitGroup
	var mu sync.Mutex
	for range cfg.AtOnce {
		all.Go(func() {
			for p := range places {
				ops := p.busy(ctx)
				verdict := porcupine.CheckOperationsTimeout(room(p.base), bounded(ops), time.Minute)
				mu.Lock()
				res.take(ops)
				if verdict != porcupine.Ok {
					res.Impossible = append(res.Impossible, fmt.Sprintf("%s: %s", verdict, p.describe(ops)))
				}
				mu.Unlock()
			}
		})
	}
	answers := make(chan struct{})
	var struck error
	striker := rand.New(rand.NewPCG(cfg.Seed, 1))
	striking.Go(func() {
		res.Kills, res.Stops, struck = strike(ctx, srv, striker, answers)
		for range answers { // it is of no use any more, and nobody shall wait for it
		}
	})
	for _, r := range snap.Rooms {
		if r.Kind == chat.Private {
			places <- &place{srv: srv, acct: acct, cfg: cfg, id: r.ID, base: r.Head, began: began, answers: answers, rand: rand.New(rand.NewPCG(plan.Uint64(), 0))}
		}
	}
	close(places)
	all.Wait()
	close(answers)
	striking.Wait()
	if struck != nil {
		return res, struck
	}
	return res, context.Cause(ctx)
}

func (r *Result) take(ops []porcupine.Operation) {
	r.Ops += len(ops)
	for _, o := range ops {
		out := o.Output.(told)
		if out.Lost {
			r.Lost++
		}
		if out.Code == chat.CodeConflict {
			r.Conflicts++
		}
	}
}

// strike kills the server and stops it for a while, in turns of chance, after so many answers, until there are no more.
func strike(ctx context.Context, srv *child.Server, r *rand.Rand, answers <-chan struct{}) (kills, stops int, err error) {
	left := 20
	for range answers {
		if left--; left > 0 {
			continue
		}
		left = 20 + r.IntN(100)
		if r.IntN(3) == 0 {
			stops++
			if err := stop(ctx, srv, time.Duration(20+r.IntN(200))*time.Millisecond); err != nil {
				return kills, stops, err
			}
			continue
		}
		kills++
		srv.Kill()
		if err := srv.Gone(ctx); err != nil {
			return kills, stops, err
		}
		if _, err := srv.Start(ctx); err != nil {
			return kills, stops, err
		}
	}
	return kills, stops, nil
}

// stop has the server stand still.
func stop(ctx context.Context, srv *child.Server, span time.Duration) error {
	if err := syscall.Kill(srv.PID(), syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	t := time.NewTimer(span)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	if err := syscall.Kill(srv.PID(), syscall.SIGCONT); err != nil {
		return fmt.Errorf("let the server go on: %w", err)
	}
	return nil
}

// A place is a room that clients are busy in.
type place struct {
	srv     *child.Server
	acct    *child.Account
	cfg     Config
	id      chat.RoomID
	base    chat.Seq
	began   time.Time
	answers chan<- struct{} // hears of each
	rand    *rand.Rand
}

// busy has all clients do their part, then looks once more, and returns what was asked and told.
func (p *place) busy(ctx context.Context) (ops []porcupine.Operation) {
	var mu sync.Mutex
	var clients sync.WaitGroup
	said := []asked{} // by anyone, guarded by mu
	for c := range p.cfg.Clients {
		chance := rand.New(rand.NewPCG(p.rand.Uint64(), 0))
		clients.Go(func() {
			for n := range p.cfg.Ops {
				in := asked{Nonce: chat.Nonce(fmt.Sprintf("%s-%d-%d", p.id, c, n)), Text: fmt.Sprintf("%d-%d", c, n)}
				mu.Lock()
				switch what := chance.IntN(10); {
				case what < 2:
					in = asked{Head: what == 0}
				case what < 5 && len(said) > 0: // again, of late
					in = said[max(0, len(said)-1-chance.IntN(4))]
					if what == 4 {
						in.Text += "-other"
					}
				default:
					said = append(said, in)
				}
				mu.Unlock()
				op := p.ask(ctx, c, in)
				mu.Lock()
				ops = append(ops, op)
				mu.Unlock()
				if op.Output.(told).Lost { // else everything would be said to a server that is not there
					p.look(ctx, c)
				}
			}
		})
	}
	clients.Wait()
	return append(ops, p.look(ctx, 0)) // so that what became of everything is seen
}

// look looks at the room until there is an answer.
func (p *place) look(ctx context.Context, client int) porcupine.Operation {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		op := p.ask(ctx, client, asked{})
		if !op.Output.(told).Lost || ctx.Err() != nil {
			return op
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// ask does one operation, once.
func (p *place) ask(ctx context.Context, client int, in asked) porcupine.Operation {
	op := porcupine.Operation{ClientId: client, Input: in, Call: time.Since(p.began).Nanoseconds()}
	out, err := p.tell(ctx, in)
	op.Return = time.Since(p.began).Nanoseconds()
	switch {
	case chat.Final(err):
		out = told{Code: chat.CodeOf(err)}
	case err != nil:
		out, op.Return = told{Lost: true}, never
	}
	op.Output = out
	if err == nil {
		select {
		case p.answers <- struct{}{}:
		case <-ctx.Done():
		}
	}
	return op
}

func (p *place) tell(ctx context.Context, in asked) (out told, err error) {
	path := "/api/rooms/" + string(p.id)
	switch {
	case in.Nonce != "":
		var e chat.Event
		err = p.srv.Ask(ctx, p.acct, http.MethodPost, "/api/send",
			chat.Draft{Nonce: in.Nonce, Room: p.id, Body: chat.Body{Message: &chat.Message{Text: in.Text}}}, &e)
		return told{Seq: e.Seq}, err
	case in.Head:
		var d chat.Digest
		err = p.srv.Ask(ctx, p.acct, http.MethodGet, path+"/digest?from=1", nil, &d)
		return told{Seq: d.Head}, err
	}
	var h chat.History
	if err := p.srv.Ask(ctx, p.acct, http.MethodGet, fmt.Sprintf("%s/events?limit=%d", path, chat.MaxPage), nil, &h); err != nil {
		return told{}, err
	}
	var log strings.Builder
	for _, e := range h.Events {
		if e.Seq > p.base {
			log.WriteString(line(e.Nonce, e.Message.Text))
		}
	}
	return told{Log: log.String()}, nil
}

// describe tells a history that fits no order.
func (p *place) describe(ops []porcupine.Operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "room %s, which had %d events:\n", p.id, p.base)
	for _, o := range ops {
		fmt.Fprintf(&b, "\t%d–%d client %d: %+v: %+v\n", o.Call, o.Return, o.ClientId, o.Input, o.Output)
	}
	return b.String()
}
