package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"parley/build/web"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/hub"
	"parley/server/sqlite"
	"parley/server/toxic"
)

// drainTime is how long a server that was told to stop may take.
const drainTime = 15 * time.Second

type serveCmd struct{}

// Run serves until ctx ends, and then lets what is under way finish.
func (serveCmd) Run(ctx context.Context, c *cli, t *terminal) (err error) {
	log := c.logger(t.err)
	if err := gauge(ctx); err != nil {
		return err
	}
	outside, proxies, err := c.outside()
	if err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: c.Data, Serve: true, App: version, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }() //nolint:contextcheck // closing is not given up half-way
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("can not listen at %s: %w", c.Addr, plain(err, syscall.EADDRINUSE, "another program does; stop it, or choose another port with --addr"))
	}
	defer func() { _ = listener.Close() }() // closed before, unless something failed

	h, err := hub.New(ctx, store, hub.Options{Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	accounts := auth.New(store, auth.Options{
		Rates: auth.Rates{Send: c.SendRate, SendBurst: c.SendBurst, Read: c.ReadRate, ReadBurst: c.ReadBurst,
			Feed: 5 * c.ReadRate, FeedBurst: 4 * c.ReadBurst},
		Streams: auth.Streams{PerAccount: c.StreamsPerAccount, PerIP: c.StreamsPerAddress, All: c.Streams},
	})
	files, err := web.Embedded()
	if err != nil {
		return err
	}
	start, err := page(ctx, files, root(outside))
	if err != nil {
		return err
	}
	var chaos *toxic.Net
	if c.Dev {
		chaos = toxic.New(nil)
		defer chaos.Close()
		listener = chaos.Listen(listener)
		log.Warn("started with --dev: the owner may make the network bad at /api/chaos")
	}
	place := newPlace(listener.Addr(), outside)
	server := api.New(api.Options{
		Log: log, Hub: h, Accounts: accounts, Files: files, Page: start, Version: version, Chaos: chaos,
		Hosts: place.hosts, URL: outside, Proxies: proxies,
	})
	defer server.Close()
	code, err := accounts.NewCode(ctx)
	if err != nil {
		return err
	}
	place.greet(t.out, c.Data, code)
	if !files.Built() {
		fmt.Fprintln(t.err, "parley:", web.NotBuilt)
	}

	var beside sync.WaitGroup
	defer beside.Wait()
	tending, stop := context.WithCancel(ctx)
	defer stop()
	beside.Go(func() { tend(tending, accounts, log) })

	web := server.HTTP()
	served := make(chan error, 1)
	beside.Go(func() { served <- web.Serve(listener) })
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case err := <-h.Failed():
		_ = web.Close() // nothing that is under way can succeed
		return fmt.Errorf("the log can not be written any more; start again when this is mended: %w", err)
	case err := <-store.Failed(): // not the log, but it is the same file
		_ = web.Close()
		return fmt.Errorf("the database can not be written any more; start again when this is mended: %w", err)
	case <-ctx.Done():
	}
	return drain(server, web, log) //nolint:contextcheck // ctx has ended; this is what follows
}

// drain lets go of those who are connected, and finishes what they asked for.
func drain(server *api.Server, web *http.Server, log *slog.Logger) error {
	log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), drainTime) // the other one has ended
	defer cancel()
	parting, done := context.WithTimeout(ctx, drainTime/2)
	defer done()
	if err := server.Drain(parting); err != nil {
		log.Warn("some readers would not leave")
	}
	server.Close()
	if err := web.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop: some requests did not finish: %w", err), web.Close())
	}
	return nil
}

// tend looks after the sessions every minute.
func tend(ctx context.Context, accounts *auth.Accounts, log *slog.Logger) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := accounts.Tend(ctx); err != nil && ctx.Err() == nil {
			log.Error("tend sessions", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
