package api

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"parley/app/chat"
	"parley/build/web"
	"parley/server/auth"
	"parley/server/hub"
	"parley/server/toxic"
)

// Options say what a Server is made of. Those up to Version are needed.
type Options struct {
	Log      *slog.Logger
	Hub      *hub.Hub
	Accounts *auth.Accounts
	Files    *web.Set // what the browser is given
	Page     []byte   // the page that starts the app; nil: without
	Version  string

	Hosts   []string       // host:port that requests may name, besides loopback and the address that was dialed
	URL     *url.URL       // what the server is called outside, "/chat" at its end if it is below that path; nil: by any of Hosts
	Proxies []netip.Prefix // whose X-Forwarded-For and -Proto are believed

	Chaos    *toxic.Net    // makes the connections bad that it was given to listen to; nil: there is none
	Portable bool          // never write to sockets directly
	Hold     time.Duration // how long a long poll is held back; 25 s
	Park     time.Duration // how long it waits with net/http meanwhile; 1 s
	Beat     time.Duration // of silence before a stream says it is alive; 20 s
	Stall    time.Duration // how long a stream's socket may be full; 10 s
	Patience time.Duration // how long a request may take until it is answered; 15 s
}

// A Server answers HTTP requests. It is an http.Handler.
type Server struct {
	Options
	node      string // names this life of the process
	root      string // the path of URL
	mux       *http.ServeMux
	routes    []route
	ways      map[chat.Via]carrier
	origins   *http.CrossOriginProtection
	hosts     map[string]bool
	shards    []*shard
	readiness *readiness    // nil: there is none here
	next      atomic.Uint64 // shard to be given a stream
	good      atomic.Pointer[goodHead]
	woken     atomic.Int64 // when a long poll was last woken, in Unix nanoseconds
	served    atomic.Int64 // long polls that wait with net/http
	panics    atomic.Uint64
	reports   *rate.Limiter
	again     redeliveries
	trimmer   trimmer
	followers followers

	ctx     context.Context // ends when the server closes
	cancel  context.CancelFunc
	running sync.WaitGroup // every goroutine that outlives its request

	draining chan struct{} // closed when Drain begins
	once     sync.Once

	mu       sync.Mutex
	streams  map[*stream]struct{}      // guarded by mu
	kept     map[*kept]struct{}        // guarded by mu
	returns  map[*http.Server]*returns // guarded by mu; where what was kept comes back to
	admitted map[chat.UserID]bool      // guarded by mu; who is known to the hub
}

// New makes a server and starts its shards. Close stops them.
func New(o Options) *Server {
	orDefault(&o.Hold, 25*time.Second)
	orDefault(&o.Park, time.Second)
	orDefault(&o.Beat, hub.Heartbeat)
	orDefault(&o.Stall, 10*time.Second)
	orDefault(&o.Patience, 15*time.Second)
	s := &Server{
		Options: o, node: rand.Text()[:8], mux: http.NewServeMux(), origins: http.NewCrossOriginProtection(),
		hosts: hostSet(o.Hosts, o.URL), draining: make(chan struct{}),
		streams: make(map[*stream]struct{}), admitted: make(map[chat.UserID]bool),
		kept: make(map[*kept]struct{}), returns: make(map[*http.Server]*returns),
		reports: newReports(), again: newRedeliveries(), trimmer: trimmer{free: debug.FreeOSMemory},
	}
	if o.URL != nil {
		s.root = o.URL.Path
	}
	if s.Files != nil {
		s.Files = s.Files.Below(s.root)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.routes, s.ways = s.table(), s.carriers()
	for _, rt := range s.routes {
		s.mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			x := w.(*exchange)
			x.fail(s.enter(x, rt)) //nolint:contextcheck // an exchange has its request, and that the context
		})
	}
	if ready, err := newReadiness(); err == nil {
		s.readiness = ready
		s.running.Go(ready.run)
	} else if !errors.Is(err, errors.ErrUnsupported) {
		s.Log.Warn("every connection will need a goroutine", "err", err)
	}
	for range runtime.GOMAXPROCS(0) {
		sh := newShard(o.Beat)
		s.shards = append(s.shards, sh)
		s.running.Go(func() { sh.run(s.ctx) })
	}
	return s
}

func orDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// HTTP returns an http.Server for s, with bounds for slow and large requests.
func (s *Server) HTTP() *http.Server {
	web := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		IdleTimeout: idleTime, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	web.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if _, back := c.(*returned); !back {
			s.trimmer.arrived()
		}
		if l := newLine(c); l != nil {
			return context.WithValue(ctx, lineKey{}, l)
		}
		return ctx
	}
	if s.Chaos != nil {
		web.ConnContext = toxic.Context
	}
	return web
}

// Routes lists the patterns of all routes.
func (s *Server) Routes() []string {
	list := make([]string, len(s.routes))
	for i, rt := range s.routes {
		list[i] = rt.pattern
	}
	return list
}

// Panics counts the requests that panicked.
func (s *Server) Panics() uint64 { return s.panics.Load() }

// Drain makes s unready, refuses new streams and says farewell to those that
// are open. It returns when they are gone, or with ctx.
func (s *Server) Drain(ctx context.Context) error {
	s.once.Do(func() { close(s.draining) })
	s.letGo()
	for _, st := range s.open() {
		st.end(restartError())
	}
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if len(s.open()) == 0 {
			tick.Stop()
			return nil
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Close cuts what is open and waits for all goroutines of s. Requests that
// net/http still serves are the http.Server's to wait for.
func (s *Server) Close() {
	s.once.Do(func() { close(s.draining) })
	s.cancel()
	for _, st := range s.open() {
		st.wire.cut()
	}
	s.letGo()
	if s.readiness != nil {
		s.readiness.close()
	}
	s.running.Wait()
}

func (s *Server) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}

// enlist makes st known, so that it ends with the server, and lets the caller and what attends st
// run until running.Done of each; false when it is too late.
func (s *Server) enlist(st *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isDraining() {
		return false
	}
	s.streams[st] = struct{}{}
	st.bill.hold(0, st.bytes)
	s.running.Add(2)
	return true
}

func (s *Server) delist(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, st)
}

func (s *Server) open() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*stream, 0, len(s.streams))
	for st := range s.streams {
		list = append(list, st)
	}
	return list
}
