// Command bench measures how fast the server delivers, over loopback, beside the
// limit of the machine and beside others.
//
//	go run ./build/bench -via raw,websocket,eventsource,longpoll -n 1000 -work 1,64
//	go run ./build/bench -peers -n 1000,5000 -rounds 3 -json figures.json
//	go run ./build/bench -peers -n 10000 -work idle
//	go run ./build/bench -appends
//	go run ./build/bench -curves all
//
// # The words
//
// N followers hold open streams of one room. A sender posts a message of 200 bytes and, in the work "1",
// waits until all N have it before it posts the next; in "64" that many are on their way at once. In the work "10000/s"
// messages are posted so that so many deliveries a second are due, whether those before have arrived or not; "idle" is none of these.
// A delivery is one message at one follower; its latency counts from when its post began, or was due, durable append included.
// What is resident for each follower is measured before the first work.
//
// "raw" is a loop that writes prebuilt frames of the same size to N sockets and keeps nothing:
// what the machine could do if there were nothing to do. Peers keep nothing either; parley has every message on disk
// before anyone gets it, and "raw-flushed" is the same loop with the least that this takes: one flush of what is about to be written.
//
// All are driven by the same generator, one after the other in each round, so that what else the machine does meets all alike.
// Figures are medians over the rounds, ratios the medians of the ratios within a round.
// With two cores or more, server and generator each have a core of their own.
//
// "-appends" measures the other end: how long senders, of whom each waits for the acknowledgement before the next message, wait
// for what is on disk then. "-curves" measures what grows with the rooms, members, history and people of a server.
// Both have the whole machine to themselves, senders included.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/app/chat"
	"parley/build/bench/curves"
	"parley/build/child"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	vias    []string
	ns      []int
	works   []work
	rounds  int
	length  time.Duration
	rest    time.Duration
	binary  string
	tools   string
	json    string
	serveAt string
	flush   string
	peers   peers
	dir     string
	appends bool
	curves  []string
	history int
}

// The names of what is measured, besides parley's own transports.
const (
	viaRaw             = "raw"
	viaRawFlushed      = "raw-flushed"
	viaCentrifugo      = "centrifugo-websocket"
	viaCentrifugoSSE   = "centrifugo-sse"
	viaSocketio        = "socketio-websocket"
	viaSocketioPolling = "socketio-polling"
)

var (
	ours   = []string{viaRaw, viaRawFlushed, string(chat.WebSocket), string(chat.EventSource), string(chat.LongPoll)}
	others = []string{viaCentrifugo, viaCentrifugoSSE, viaSocketio, viaSocketioPolling}
)

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	vias := fs.String("via", "", "what to measure, in this order; all of parley's, after raw, when empty")
	beside := fs.Bool("peers", false, "measure the peers too: "+strings.Join(others, ","))
	ns := fs.String("n", "1000", "followers; several are measured one after the other")
	works := fs.String("work", "1,64,10000/s", "what is done with them")
	fs.IntVar(&o.rounds, "rounds", 1, "how often each is measured")
	fs.DurationVar(&o.length, "for", 5*time.Second, "how long to measure each work")
	fs.DurationVar(&o.rest, "rest", 2*time.Second, "how long the followers rest before their memory is measured")
	fs.StringVar(&o.binary, "binary", "", "the server; built when empty")
	fs.StringVar(&o.tools, "tools", "build/tools/peers", "where the programs of peers are kept")
	fs.StringVar(&o.json, "json", "", "the file for all figures")
	fs.StringVar(&o.dir, "dir", "", "where data is kept meanwhile, on a disk; the system's folder for temporary files when empty")
	fs.BoolVar(&o.appends, "appends", false, "measure how long senders wait until what they send is on disk, instead of all that")
	grown := fs.String("curves", "", "measure what grows, instead of all that: all, or some of "+strings.Join(curves.Names(), ","))
	fs.IntVar(&o.history, "history", 1_000_000, "messages of the longest history of -curves; 10,000,000 take some 5 GB of disk")
	fs.StringVar(&o.serveAt, "serve-raw", "", "be the raw server at this address (bench starts itself so)")
	fs.StringVar(&o.flush, "flush", "", "with -serve-raw: the file to which all is written and flushed before")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if o.vias = ours; *vias != "" {
		o.vias = strings.Split(*vias, ",")
	}
	if *beside {
		o.vias = slices.Concat(o.vias, others)
	}
	for _, via := range o.vias {
		if !slices.Contains(ours, via) && !slices.Contains(others, via) {
			return o, fmt.Errorf("%q is none of %s", via, strings.Join(slices.Concat(ours, others), ", "))
		}
	}
	for s := range strings.SplitSeq(*ns, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 20_000 {
			return o, fmt.Errorf("-n %q: 1 to 20,000 followers", s)
		}
		o.ns = append(o.ns, n)
	}
	var err error
	if o.works, err = parseWorks(*works); err != nil {
		return o, err
	}
	if o.curves = curves.Names(); *grown != "all" {
		o.curves = slices.DeleteFunc(strings.Split(*grown, ","), func(s string) bool { return s == "" })
	}
	for _, name := range o.curves {
		if !slices.Contains(curves.Names(), name) {
			return o, fmt.Errorf("-curves %q: all, or some of %s", name, strings.Join(curves.Names(), ","))
		}
	}
	if o.history < 1_000 || o.history > 10_000_000 {
		return o, fmt.Errorf("-history %d: 1,000 to 10,000,000 messages", o.history)
	}
	if o.rounds < 1 || o.rounds > 100 || o.length < 100*time.Millisecond || o.length > time.Minute {
		return o, errors.New("1 to 100 rounds, of 100ms to 1m each work")
	}
	return o, nil
}

// raw says whether nothing but the limits are measured.
func (o options) raw() bool {
	return !slices.ContainsFunc(o.vias, func(via string) bool { return via != viaRaw && via != viaRawFlushed })
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.serveAt != "" {
		return serveRaw(ctx, o.serveAt, o.flush)
	}
	dir, err := os.MkdirTemp(o.dir, "parley-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if o.appends || len(o.curves) > 0 {
		return o.store(ctx, dir, stdout)
	}
	if err := o.prepare(ctx, dir); err != nil {
		return err
	}
	if runtime.NumCPU() > 1 {
		if err := pinSelf(1); err != nil {
			return err
		}
		runtime.GOMAXPROCS(1)
	}
	var all []result
	for _, n := range o.ns {
		sessions := make(map[string][]session)
		for round := range o.rounds {
			for _, via := range o.vias {
				fmt.Fprintf(os.Stderr, "bench: %d followers, round %d of %d: %s\n", n, round+1, o.rounds, via)
				s, err := measure(ctx, o, via, n, dir)
				if err != nil {
					return fmt.Errorf("%s with %d followers: %w", via, n, err)
				}
				sessions[via] = append(sessions[via], s)
			}
		}
		results := o.compare(n, sessions)
		if err := o.print(stdout, n, results); err != nil {
			return err
		}
		all = append(all, results...)
		if err := o.save(all); err != nil {
			return err
		}
	}
	return nil
}

// prepare gets the programs that are to be measured.
func (o *options) prepare(ctx context.Context, dir string) (err error) {
	if o.binary == "" && !o.raw() {
		o.binary = filepath.Join(dir, "parley")
		if err := child.Build(ctx, o.binary, ""); err != nil {
			return err
		}
	}
	tools, err := filepath.Abs(o.tools)
	if err != nil {
		return err
	}
	wants := func(vias ...string) bool {
		return slices.ContainsFunc(o.vias, func(v string) bool { return slices.Contains(vias, v) })
	}
	if wants(others...) {
		if err := os.MkdirAll(tools, 0o755); err != nil {
			return err
		}
	}
	if wants(viaCentrifugo, viaCentrifugoSSE) {
		if o.peers.centrifugo, err = fetchCentrifugo(ctx, tools); err != nil {
			return err
		}
	}
	if wants(viaSocketio, viaSocketioPolling) {
		o.peers.socketio, err = fetchSocketio(ctx, tools)
	}
	return err
}

// target is who is measured.
type target interface {
	pid() int
	follow(ctx context.Context, l *load) (*follower, error)
	post(ctx context.Context) (poster, error)
	close() error
}

// poster posts messages, one after the other.
type poster interface {
	post(ctx context.Context, text string) error
	close()
}

func measure(ctx context.Context, o options, via string, n int, dir string) (s session, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*o.length*time.Duration(len(o.works))+o.rest+2*time.Minute)
	defer cancel()
	var t target
	switch via {
	case viaRaw, viaRawFlushed:
		t, err = newRaw(ctx, dir, via == viaRawFlushed)
	case viaCentrifugo, viaCentrifugoSSE:
		t, err = newCentrifugo(ctx, o, via == viaCentrifugoSSE, dir)
	case viaSocketio, viaSocketioPolling:
		t, err = newSocketio(ctx, o, via == viaSocketioPolling, dir)
	default:
		t, err = newParley(ctx, o, chat.Via(via), dir)
	}
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	return drive(ctx, o, n, t)
}
