// Command ways compares what the four ways of following cost, and how soon they
// deliver, and prints it as a table for the README:
//
//	go run ./build/ways
//
// Four readers, one for each way, follow one room of the real server over
// loopback, with the transports that the app uses. First nobody speaks for the length of -idle, then
// someone posts a message of 100 characters about once a second for the length of -talk.
// Bytes are all that a reader sends and receives, headers included; a browser adds
// some of its own to each request.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parley/app/chat"
	"parley/app/transport"
	"parley/build/child"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ways:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("ways", flag.ContinueOnError)
	idle := flags.Duration("idle", time.Minute, "how long nobody speaks")
	talk := flags.Duration("talk", time.Minute, "how long someone does")
	every := flags.Duration("every", 3*time.Second, "the pause of polling")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "parley-ways-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "parley")
	if err := child.Build(ctx, binary, ""); err != nil {
		return err
	}
	server, err := child.New(ctx, binary, dir)
	if err != nil {
		return err
	}
	rows, err := measure(ctx, server, *idle, *talk, *every)
	if err := errors.Join(err, server.Close()); err != nil {
		return err
	}
	fmt.Fprintf(out, "polling every %v; %v of silence, then %v of about one message a second\n", *every, *idle, *talk)
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', tabwriter.TabIndent|tabwriter.Debug)
	fmt.Fprintln(w, "way\t requests a minute, idle\t bytes a minute, idle\t requests a minute, busy\t bytes a message\t delivery p50\t p99\t")
	for _, r := range rows {
		fmt.Fprintln(w, r)
	}
	return w.Flush()
}

// measure has all four readers at once, so that they see the same messages.
func measure(ctx context.Context, server *child.Server, idle, talk, every time.Duration) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, idle+talk+2*time.Minute)
	defer cancel()
	ana, err := server.AddUser(ctx, "ana")
	if err != nil {
		return nil, err
	}
	if _, err := server.Start(ctx); err != nil {
		return nil, err
	}
	var room chat.Room
	if err := server.Ask(ctx, ana, http.MethodPost, "/api/rooms", chat.NewRoom{Nonce: "room", Kind: chat.Private, Name: "room"}, &room); err != nil {
		return nil, err
	}
	snap, err := server.Snapshot(ctx, ana)
	if err != nil {
		return nil, err
	}
	var readers []*reader
	defer func() {
		for _, r := range readers {
			r.close()
		}
	}()
	for _, via := range chat.Vias {
		r, err := follow(ctx, via, transport.Config{Base: server.Base(), Token: ana.Token, Every: every}, snap.Cursor)
		if err != nil {
			return nil, err
		}
		readers = append(readers, r)
	}
	silent, err := spend(ctx, readers, idle)
	if err != nil {
		return nil, err
	}
	var sent int
	busy, err := during(readers, func() error {
		sent, err = speak(ctx, server.Base(), ana.Token, room.ID, talk, readers)
		return err
	})
	if err != nil {
		return nil, err
	}
	var rows []string
	for i, r := range readers {
		p50, p99 := r.latency()
		rows = append(rows, fmt.Sprintf("%s\t %.0f\t %.0f\t %.0f\t %.0f\t %s\t %s\t", r.via,
			float64(silent[i].requests)/idle.Minutes(), float64(silent[i].bytes)/idle.Minutes(),
			float64(busy[i].requests)/talk.Minutes(), float64(busy[i].bytes)/float64(sent), round(p50), round(p99)))
	}
	return rows, nil
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// spend lets time pass.
func spend(ctx context.Context, readers []*reader, d time.Duration) ([]usage, error) {
	return during(readers, func() error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// during is what each reader used while f ran.
func during(readers []*reader, f func() error) ([]usage, error) {
	before := make([]usage, len(readers))
	for i, r := range readers {
		before[i] = r.used()
	}
	if err := f(); err != nil {
		return nil, err
	}
	after := make([]usage, len(readers))
	for i, r := range readers {
		now := r.used()
		after[i] = usage{now.requests - before[i].requests, now.bytes - before[i].bytes}
	}
	return after, nil
}

// speak posts until d is over, and waits until every reader has it all.
func speak(ctx context.Context, base, token string, room chat.RoomID, d time.Duration, readers []*reader) (int, error) {
	sender := transport.New(chat.Poll, transport.Config{Base: base, Token: token})
	text := strings.Repeat("ten chars ", 10)
	end := time.Now().Add(d)
	sent := 0
	for ; time.Now().Before(end); sent++ {
		nonce := chat.NewID[chat.Nonce]()
		for _, r := range readers {
			r.expect(nonce)
		}
		if _, err := sender.Send(ctx, chat.Draft{Nonce: nonce, Room: room, Body: chat.Body{Message: &chat.Message{Text: text}}}); err != nil {
			return sent, err
		}
		select { // not in step with any poll
		case <-time.After(500*time.Millisecond + rand.N(time.Second)):
		case <-ctx.Done():
			return sent, ctx.Err()
		}
	}
	for _, r := range readers {
		if err := r.wait(ctx); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// quantile of durations, which it sorts.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(len(d)-1, int(q*float64(len(d))))]
}
