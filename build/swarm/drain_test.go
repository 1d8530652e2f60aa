package swarm

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/app/chat"
)

// farewells are how the ways of a crowd ended.
type farewells struct {
	mu     sync.Mutex
	asked  map[chat.Via][]time.Duration // when the server wants them back; guarded by mu, as below
	silent map[chat.Via]int             // ends without a word
	fault  error
}

// note judges one end, and says when the reader is to come back: when it was asked to, or else as a client does by itself.
func (f *farewells) note(r *reader, n int, err error) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	told, ok := errors.AsType[*chat.Error](err)
	code, isClosed := errors.AsType[closed](err)
	opened := n == 0 // else it was refused before it began
	switch {
	case ok && told.Code == chat.CodeUnavailable && told.RetryAfter() > 0 && (r.via != chat.WebSocket || !opened || isClosed && code == chat.CloseRestart):
		f.asked[r.via] = append(f.asked[r.via], told.RetryAfter())
		return told.RetryAfter()
	case errors.Is(err, syscall.ECONNREFUSED): // nobody there, or not yet
	case between(err) && (!opened || r.via == chat.Poll || r.via == chat.LongPoll && !r.held()):
		f.silent[r.via]++
	default:
		if f.fault == nil {
			f.fault = fmt.Errorf("%s over %s: its try %d ended with %w", r.acct.Name, r.via, n, err)
		}
	}
	return rand.N(300 * time.Millisecond << min(n, 6))
}

// between reports whether a connection ended between two answers: a request was on its way when the server closed what was idle.
func between(err error) bool {
	return errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// TestDrain: restart after restart, nobody's message fails or is lost, every stream is told to come back, and when, and
// the server ends in order.
func TestDrain(t *testing.T) {
	plan := plan(t)
	readers, restarts, pace := pick(200, 2000), pick(3, 50), pick(100.0, 300.0)
	w := newWorld(t, 100, 25, 2)
	w.still = 5 // so that some polls are held back

	ends := &farewells{asked: map[chat.Via][]time.Duration{}, silent: map[chat.Via]int{}}
	crowd := start(t.Context(), w.readers(readers, w.now(), chat.Vias[:]...), ends.note)
	defer crowd.close()
	ws := w.write(t.Context(), plan, pace, 100)
	defer func() { _ = ws.close() }() // closed before, unless something failed
	var stops, starts []time.Duration
	for n := range restarts {
		ctx, cancel := within(t.Context())
		defer cancel()
		w.must(crowd.open(ctx, n+1))
		before, _, _ := ws.sent()
		w.must(ws.await(ctx, before+int(pace)))
		began := time.Now()
		w.must(w.srv.Stop(ctx)) // with status 0
		stops = append(stops, time.Since(began))
		took, err := w.srv.Start(ctx)
		w.must(err)
		starts = append(starts, took)
	}
	ctx, cancel := within(t.Context())
	defer cancel()
	w.must(crowd.open(ctx, restarts+1))
	w.must(ws.close())
	w.must(crowd.level(ctx, w.now().heads))
	w.must(ws.check(ctx, 0))
	crowd.close()
	w.must(ends.fault)
	n, took, again := ws.sent()
	t.Logf("%d restarts: stopped in p50 %v, at most %v; ready again in p50 %v, at most %v. %d messages, acknowledged p50 %v, p99 %v, at most %v, %d tries again; %d deliveries",
		restarts, quantile(stops, .5), quantile(stops, 1), quantile(starts, .5), quantile(starts, 1), n, quantile(took, .5), quantile(took, .99), quantile(took, 1), again, crowd.deliveries())
	for _, via := range chat.Vias {
		asked := ends.asked[via]
		t.Logf("%s: %d told to come back after p10 %v, p50 %v, at most %v; %d closed between answers", via, len(asked),
			quantile(asked, .1), quantile(asked, .5), quantile(asked, 1), ends.silent[via])
		different := map[time.Duration]bool{}
		for _, d := range asked {
			different[d] = true
		}
		stream := via == chat.WebSocket || via == chat.EventSource
		if stream && (len(asked) < restarts*readers/len(chat.Vias) || len(different) < len(asked)/10) {
			t.Errorf("over %s, %d were told to come back, at %d different times", via, len(asked), len(different))
		}
	}
}
