package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/app/chat"
	"parley/app/transport"
)

// A reader follows by one way and counts what that takes.
type reader struct {
	via      chat.Via
	requests atomic.Int64
	bytes    atomic.Int64
	stop     context.CancelFunc
	done     chan struct{} // closed when Follow has ended

	mu      sync.Mutex
	waiting map[chat.Nonce]time.Time // when what is not here yet was posted
	took    []time.Duration
	err     error
	changed chan struct{} // holds a value after waiting or err changed
}

// usage is what following took.
type usage struct{ requests, bytes int64 }

// follow begins, and returns when the way is open.
func follow(ctx context.Context, via chat.Via, c transport.Config, after chat.Cursor) (*reader, error) {
	ctx, stop := context.WithCancel(ctx)
	r := &reader{via: via, stop: stop, done: make(chan struct{}), waiting: map[chat.Nonce]time.Time{}, changed: make(chan struct{}, 1)}
	c.HTTP = &http.Client{Transport: counting{r, &http.Transport{DialContext: r.dial}}}
	open := make(chan struct{})
	go func() { // ended by close
		defer close(r.done)
		opened := sync.OnceFunc(func() { close(open) })
		for b, err := range transport.New(via, c).Follow(ctx, after) {
			r.take(b, err)
			opened()
		}
	}()
	select {
	case <-open:
		return r, nil
	case <-r.done:
		stop()
		return nil, fmt.Errorf("%s did not open", via)
	}
}

func (r *reader) close() {
	r.stop()
	<-r.done
}

// A counting counts requests on their way to the network.
type counting struct {
	r  *reader
	rt http.RoundTripper
}

func (c counting) RoundTrip(req *http.Request) (*http.Response, error) {
	c.r.requests.Add(1)
	return c.rt.RoundTrip(req)
}

// A counted connection counts bytes, both ways.
type counted struct {
	net.Conn
	r *reader
}

func (r *reader) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	return counted{conn, r}, err
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.r.bytes.Add(int64(n))
	return n, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.r.bytes.Add(int64(n))
	return n, err
}

func (r *reader) used() usage { return usage{r.requests.Load(), r.bytes.Load()} }

// expect notes that a message is being posted.
func (r *reader) expect(n chat.Nonce) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[n] = time.Now()
}

func (r *reader) take(b chat.Batch, err error) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.err = fmt.Errorf("%s: %w", r.via, err)
	}
	for _, e := range b.Events {
		if posted, ok := r.waiting[e.Nonce]; ok {
			r.took = append(r.took, now.Sub(posted))
			delete(r.waiting, e.Nonce)
		}
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// wait waits until everything posted is here.
func (r *reader) wait(ctx context.Context) error {
	for {
		r.mu.Lock()
		missing, err := len(r.waiting), r.err
		r.mu.Unlock()
		if missing == 0 || err != nil {
			return err
		}
		select {
		case <-r.changed:
		case <-ctx.Done():
			return fmt.Errorf("%s: %d messages did not come: %w", r.via, missing, ctx.Err())
		}
	}
}

func (r *reader) latency() (p50, p99 time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return quantile(r.took, 0.5), quantile(r.took, 0.99)
}
