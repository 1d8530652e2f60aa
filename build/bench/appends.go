package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"parley/app/chat"
	"parley/build/child"
	"parley/server/hub"
	"parley/server/sqlite"
)

// acks are what senders came to, of whom each waits for the acknowledgement before the next message.
type acks struct {
	Through string  `json:"through"`
	Senders int     `json:"senders"`
	Rate    float64 `json:"appends_per_second"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
	Commit  float64 `json:"appends_per_commit,omitzero"` // known in this process only
}

// The ways of a message to the store.
const (
	throughHub  = "hub, in one process"
	throughHTTP = "POST /api/send, real binary"
)

// A desk is a data directory with people who are in some rooms, all in all.
type desk struct {
	srv    *child.Server
	people []*child.Account
	rooms  []chat.RoomID
}

// acknowledged measures every way, one after the other in each round, each with a log of its own that it goes on with.
func (o options) acknowledged(ctx context.Context, dir string) ([]acks, error) {
	works := []struct {
		through string
		senders int
	}{{throughHub, 1}, {throughHub, 64}, {throughHub, 256}, {throughHTTP, 64}}
	rounds := make([][]acks, len(works))
	desks := make([]*desk, len(works))
	for i := range works {
		d, err := o.newDesk(ctx, dir)
		if err != nil {
			return nil, err
		}
		defer func() { _ = d.srv.Close() }()
		desks[i] = d
	}
	for round := range o.rounds {
		for i, w := range works {
			fmt.Fprintf(os.Stderr, "bench: round %d of %d: %d senders, %s\n", round+1, o.rounds, w.senders, w.through)
			measure := desks[i].hub
			if w.through == throughHTTP {
				measure = desks[i].http
			}
			got, err := measure(ctx, w.senders, o.length)
			if err != nil {
				return nil, fmt.Errorf("%d senders, %s: %w", w.senders, w.through, err)
			}
			got.Through, got.Senders = w.through, w.senders
			rounds[i] = append(rounds[i], got)
		}
	}
	var all []acks
	for i, w := range works {
		of := func(f func(acks) float64) float64 { return median(rounds[i], f) }
		sum := acks{Through: w.through, Senders: w.senders,
			Rate: of(func(a acks) float64 { return a.Rate }), Commit: of(func(a acks) float64 { return a.Commit }),
			P50: of(func(a acks) float64 { return a.P50 }), P99: of(func(a acks) float64 { return a.P99 })}
		for _, a := range rounds[i] {
			sum.Max = max(sum.Max, a.Max)
		}
		all = append(all, sum)
	}
	return all, nil
}

// Of a desk: as many people as send at once at the most, and the rooms they share.
const (
	deskPeople = 256
	deskRooms  = 8
)

func (o options) newDesk(ctx context.Context, dir string) (_ *desk, err error) {
	if dir, err = os.MkdirTemp(dir, "desk"); err != nil {
		return nil, err
	}
	d := &desk{}
	if d.srv, err = child.New(ctx, o.binary, dir); err != nil {
		return nil, err
	}
	if d.people, err = d.srv.AddUsers(ctx, "sender", deskPeople); err != nil {
		return nil, err
	}
	return d, d.inside(ctx, func(h *hub.Hub, _ *counted) error {
		var others []chat.UserID
		for _, a := range d.people[1:] {
			others = append(others, a.ID)
		}
		for range deskRooms {
			r, err := h.CreateRoom(ctx, d.people[0].ID, chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: chat.Private, Name: "room", Members: others})
			if err != nil {
				return err
			}
			d.rooms = append(d.rooms, r.ID)
		}
		return nil
	})
}

// counted is the real store, which counts its commits.
type counted struct {
	*sqlite.Store
	commits atomic.Int64
}

func (c *counted) Append(ctx context.Context, group []hub.Append) ([]hub.Appended, error) {
	c.commits.Add(1)
	return c.Store.Append(ctx, group)
}

// inside calls f with a hub over the data, in this process.
func (d *desk) inside(ctx context.Context, f func(*hub.Hub, *counted) error) (err error) {
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: d.srv.Data(), Serve: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }() //nolint:contextcheck // closing is not given up half-way
	c := &counted{Store: store}
	h, err := hub.New(ctx, c, hub.Options{})
	if err != nil {
		return err
	}
	return errors.Join(f(h, c), h.Close())
}

// draft is what the i-th sender says, under a nonce as clients draw it.
func (d *desk) draft(i int, text string) chat.Draft {
	return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: d.rooms[i%len(d.rooms)], Body: chat.Body{Message: &chat.Message{Text: text + padding}}}
}

// hubPoster sends in this process.
type hubPoster struct {
	desk *desk
	hub  *hub.Hub
	i    int
}

func (p hubPoster) post(ctx context.Context, text string) error {
	_, err := p.hub.Send(ctx, p.desk.people[p.i].ID, p.desk.draft(p.i, text))
	return err
}

func (hubPoster) close() {}

func (d *desk) hub(ctx context.Context, senders int, length time.Duration) (a acks, err error) {
	err = d.inside(ctx, func(h *hub.Hub, c *counted) error {
		var posters []poster
		for i := range senders {
			posters = append(posters, hubPoster{d, h, i})
		}
		a, err = wait(ctx, posters, length, &c.commits)
		return err
	})
	return a, err
}

func (d *desk) http(ctx context.Context, senders int, length time.Duration) (a acks, err error) {
	if _, err := d.srv.Start(ctx); err != nil {
		return a, err
	}
	var posters []poster
	for i := range senders {
		proof := "Authorization: Bearer " + d.people[i].Token + "\r\n"
		p, err := dialPoster(ctx, d.srv.Addr(), func(text string) string {
			j, err := json.Marshal(d.draft(i, text))
			if err != nil {
				panic(err) // it has nothing that could fail
			}
			return postOf(d.srv.Addr(), "/api/send", "application/json", proof, string(j))
		})
		if err != nil {
			return a, err
		}
		posters = append(posters, p)
	}
	a, err = wait(ctx, posters, length, &atomic.Int64{})
	return a, errors.Join(err, d.srv.Stop(ctx))
}

// wait lets all posters post, each one message after the other, until they are warm and then for as long as is measured.
func wait(ctx context.Context, posters []poster, length time.Duration, commits *atomic.Int64) (a acks, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	posting, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer func() {
		stop()
		all.Wait()
		cancel(nil)
	}()
	var on atomic.Pointer[tally]
	for i, p := range posters {
		all.Go(func() {
			defer p.close()
			for n := int64(i); posting.Err() == nil; n += int64(len(posters)) {
				began := time.Now()
				if err := p.post(ctx, mark(n)); err != nil {
					cancel(err)
					return
				}
				if t := on.Load(); t != nil {
					t.spans.add(time.Since(began))
					t.total.Add(1)
				}
			}
		})
	}
	if err := rest(ctx, max(length/4, warming)); err != nil {
		return a, err
	}
	sum := &tally{}
	first, start := commits.Load(), time.Now()
	on.Store(sum)
	err = rest(ctx, length)
	on.Store(nil)
	took, made := time.Since(start), commits.Load()-first
	if err != nil {
		return a, err
	}
	total := float64(sum.total.Load())
	a = acks{Rate: total / took.Seconds(), P50: sum.spans.quantile(0.5), P99: sum.spans.quantile(0.99), Max: sum.spans.longest()}
	if made > 0 {
		a.Commit = total / float64(made)
	}
	return a, nil
}

// printAcks writes the table.
func (o options) printAcks(to io.Writer, all []acks) error {
	fmt.Fprintf(to, "\nmessages of 200 bytes, each acknowledged when it is on disk; medians of %d rounds, %v each\n", o.rounds, o.length)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "through\tsenders at once\tappends/s\tp50 ms\tp99 ms\tmax ms\tappends a commit\t")
	for _, a := range all {
		commit := "–"
		if a.Commit > 0 {
			commit = fmt.Sprintf("%.1f", a.Commit)
		}
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.2f\t%.2f\t%.1f\t%s\t\n", a.Through, a.Senders, a.Rate, a.P50, a.P99, a.Max, commit)
	}
	return w.Flush()
}
