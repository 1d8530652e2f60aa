package power

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"parley/app/chat"
	"parley/app/transport"
	"parley/build/child"
)

// patience bounds every wait for the server.
const patience = 20 * time.Second

// A Message is one that was sent, and what the server answered.
type Message struct {
	Nonce chat.Nonce
	Text  string
	Room  chat.RoomID
	Seq   chat.Seq // 0: it was not acknowledged
}

// A Recording is a traced run: what was acknowledged, and all that the server did to its disk.
type Recording struct {
	Dir      string // in which the data directory is
	Messages []Message
	Trace    []Call

	program string
	people  *people
}

// people is a server with an account and a room to send to.
type people struct {
	srv  *child.Server
	acct *child.Account
	room chat.RoomID
	rand *rand.Rand

	mu    sync.Mutex
	sent  []Message
	acked int
	until int // the server is killed at so many acknowledged messages, if set
}

// settle makes an account and a room.
func settle(ctx context.Context, srv *child.Server, rnd *rand.Rand) (*people, error) {
	p := &people{srv: srv, rand: rnd}
	var err error
	if p.acct, err = srv.AddUser(ctx, "ana"); err != nil {
		return nil, err
	}
	if _, err := srv.Start(ctx); err != nil {
		return nil, err
	}
	if err := srv.CreateRoom(ctx, p.acct, chat.NewRoom{Nonce: "room", Kind: chat.Private, Name: "room"}); err != nil {
		return nil, err
	}
	snap, err := srv.Snapshot(ctx, p.acct)
	if err != nil {
		return nil, err
	}
	for _, r := range snap.Rooms {
		if r.Name == "room" {
			p.room = r.ID
		}
	}
	if p.room == "" {
		return nil, errors.New("the room that was made is not there")
	}
	return p, nil
}

// draft makes a message of a random length that nothing else is like.
func (p *people) draft() chat.Draft {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := Message{Nonce: chat.Nonce(fmt.Sprintf("power-%06d-%08x", len(p.sent), p.rand.Uint32()))}
	m.Text = strings.TrimSpace(strings.Repeat(fmt.Sprintf("%016x ", p.rand.Uint64()), 1+p.rand.IntN(chat.MaxText/17)))
	p.sent = append(p.sent, m)
	return chat.Draft{Nonce: m.Nonce, Room: p.room, Body: chat.Body{Message: &chat.Message{Text: m.Text}}}
}

// answered notes what the server said to a draft.
func (p *people) answered(d chat.Draft, e chat.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.sent {
		if m := &p.sent[i]; m.Nonce == d.Nonce {
			if m.Seq != 0 && m.Seq != e.Seq {
				return fmt.Errorf("%s was acknowledged as %d and as %d", m.Nonce, m.Seq, e.Seq)
			}
			m.Room, m.Seq = e.Room, e.Seq
			if p.acked++; p.acked == p.until {
				p.srv.Kill()
			}
			return nil
		}
	}
	return fmt.Errorf("nobody sent %s", d.Nonce)
}

func (p *people) link(via chat.Via) transport.Transport {
	return transport.New(via, transport.Config{Base: p.srv.Base(), Token: p.acct.Token})
}

// send sends n messages over one way, one after another.
func (p *people) send(ctx context.Context, link chat.Link, n int) error {
	for range n {
		d := p.draft()
		e, err := link.Send(ctx, d)
		if err == nil {
			err = p.answered(d, e)
		}
		if err != nil {
			return fmt.Errorf("sending %s: %w", d.Nonce, err)
		}
	}
	return nil
}

// follow follows over a way until ctx ends or the feed does, and calls opened once it is open.
func follow(ctx context.Context, link chat.Link, opened func(), heard func(chat.Event)) error {
	for b, err := range link.Follow(ctx, "") {
		if err != nil {
			return err
		}
		opened()
		for _, e := range b.Events {
			heard(e)
		}
	}
	return nil
}

// together sends n messages over four connections at once, two by POST and two by socket.
func (p *people) together(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	var following sync.WaitGroup
	defer following.Wait()
	defer cancel()
	var sending sync.WaitGroup
	results := make(chan error, 4)
	for i := range 4 {
		via := chat.Poll
		open := make(chan struct{})
		if i%2 == 1 {
			via = chat.WebSocket
		}
		link := p.link(via)
		if via == chat.WebSocket {
			opened := sync.OnceFunc(func() { close(open) })
			following.Go(func() {
				defer opened()
				_ = follow(ctx, link, opened, func(chat.Event) {}) // what it misses shows in the sends
			})
		} else {
			close(open)
		}
		sending.Go(func() {
			<-open
			results <- p.send(ctx, link, n/4)
		})
	}
	sending.Wait()
	close(results)
	var errs []error
	for err := range results {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Record runs binary under strace, in dir, and sends it about n messages: alone and together, before and after the
// server was stopped, and was killed while it worked. env is added to its environment.
func Record(ctx context.Context, binary, dir string, n int, rnd *rand.Rand, env ...string) (_ *Recording, err error) {
	srv, err := child.New(ctx, binary, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	file := filepath.Join(dir, "trace.log")
	srv.Env, srv.Under, srv.UnderAll = env, Strace(file), true
	p, err := settle(ctx, srv, rnd)
	if err != nil {
		return nil, err
	}
	// Three lives: one is stopped, one works until the log is copied back and is killed, one is stopped again.
	for life := range 3 {
		if life > 0 {
			if _, err := srv.Start(ctx); err != nil {
				return nil, err
			}
		}
		if err := p.send(ctx, p.link(chat.Poll), n/8); err != nil {
			return nil, err
		}
		if life == 1 {
			p.until = p.acked + n*5/8
			if err := p.together(ctx, 2*n); err == nil {
				return nil, errors.New("all was answered by a server that was killed")
			}
			if err := srv.Gone(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if err := p.together(ctx, n/8); err != nil {
			return nil, err
		}
		if err := srv.Stop(ctx); err != nil {
			return nil, err
		}
	}
	trace, err := Await(ctx, file)
	return &Recording{Dir: dir, Messages: p.sent, Trace: trace, program: binary, people: p}, err
}

// Await reads a trace once the tracer has ended, which is a moment after the server.
func Await(ctx context.Context, file string) ([]Call, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		trace, err := readFile(file)
		if err == nil {
			return trace, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
}

func readFile(file string) ([]Call, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return ReadTrace(f)
}
