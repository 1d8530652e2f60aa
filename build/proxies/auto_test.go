package proxies

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
	"parley/app/transport"
)

const (
	settled  = 15 * time.Second // Auto knows by then
	messages = 2_000
	early    = 100 // of them, while ways are tried; the silence after them is what some proxies do not bear, twice until the rest
)

// A person uses the engine over one proxy, in Auto.
type person struct {
	proxy  proxy
	engine *client.Engine
	began  time.Time

	mu       sync.Mutex
	view     *model.View
	attempts []attempt
	faults   []string
}

type attempt struct {
	via chat.Via
	at  time.Duration
}

// auto has people in front of all proxies while messages are sent, and returns by what way each of
// them came to follow.
func (w *world) auto(ctx context.Context, t *testing.T, list []proxy) map[string]model.Connection {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	people := make([]*person, 0, len(list))
	for _, p := range list {
		q := w.person(p)
		running.Go(func() { q.engine.Run(ctx) })
		defer q.engine.Watch(q.saw)()
		q.engine.Open(w.sites[p.path].room)
		people = append(people, q)
	}
	for _, q := range people {
		q.until(ctx, t, "has read where to begin", func(v *model.View) bool { return v.Room != nil })
	}
	began := people[0].began
	text := func(i int) string { return fmt.Sprint("auto ", i) }
	must(t, w.say(ctx, 0, early, text))
	pass(ctx, began.Add(settled-3*time.Second))
	must(t, w.say(ctx, early, messages, text))
	pass(ctx, began.Add(settled))
	conns, tries := map[string]model.Connection{}, map[string]int{}
	for _, q := range people {
		v, a := q.now()
		c := v.Connection
		conns[q.proxy.name], tries[q.proxy.name] = c, len(a)
		if c.Via != q.proxy.auto || c.Reason != q.proxy.reason || c.State != model.Open {
			t.Errorf("%s: after %v it is %s by %s because of %+v; want %s because of %+v; attempts %v",
				q.proxy.name, settled, c.State, c.Via, c.Reason, q.proxy.auto, q.proxy.reason, a)
		}
	}
	for _, q := range people {
		q.until(ctx, t, "has all messages", func(v *model.View) bool { return len(heard(v)) >= messages })
	}
	pass(ctx, began.Add(settled+7*time.Second))
	for _, q := range people {
		q.judge(t, w, tries[q.proxy.name])
	}
	return conns
}

func (w *world) person(p proxy) *person {
	c := w.config(p)
	q := &person{proxy: p, began: time.Now()}
	q.engine = client.New(client.Config{
		Base: c.Base, Zone: time.UTC, API: client.NewAPI(c), Rand: func() float64 { return 1 },
		Links: func(via chat.Via, every time.Duration) transport.Transport {
			c := c
			c.Every, c.Beat = every, every
			return counted{transport.New(via, c), q}
		},
		Report: q.fault,
	})
	return q
}

// counted counts how often a transport is tried, and looks at what it brings before anyone repairs it.
type counted struct {
	transport.Transport
	q *person
}

func (c counted) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		c.q.mu.Lock()
		c.q.attempts = append(c.q.attempts, attempt{c.Name(), time.Since(c.q.began).Round(time.Millisecond)})
		c.q.mu.Unlock()
		last := map[chat.RoomID]chat.Seq{}
		for b, err := range c.Transport.Follow(ctx, after) {
			for _, e := range b.Events {
				if before := last[e.Room]; e.Seq > 0 {
					if before > 0 && e.Seq != before+1 {
						c.q.fault(fmt.Sprintf("%s brought %d after %d", c.Name(), e.Seq, before))
					}
					last[e.Room] = e.Seq
				}
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

func (q *person) fault(s string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.faults = append(q.faults, s)
}

func (q *person) saw(v *model.View) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.view = v
}

func (q *person) now() (*model.View, []attempt) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.view, append([]attempt(nil), q.attempts...)
}

func (q *person) until(ctx context.Context, t *testing.T, what string, ok func(*model.View) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		v, a := q.now()
		if v != nil && ok(v) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			n := 0
			if v != nil {
				n = len(heard(v))
			}
			t.Fatalf("%s: nobody %s; %d messages, attempts %v", q.proxy.name, what, n, a)
		}
	}
}

// heard is what a screen shows of the messages sent for this.
func heard(v *model.View) []string {
	var texts []string
	if v.Room == nil {
		return nil
	}
	for _, c := range v.Room.Chunks {
		for _, r := range c.Rows {
			if r.Kind == model.RowMessage && strings.HasPrefix(r.Text, "auto ") {
				texts = append(texts, r.Text)
			}
		}
	}
	return texts
}

// judge holds that everything came once and in order, and that nothing was tried more often than
// the back-off says. tries were made until it had settled.
func (q *person) judge(t *testing.T, w *world, tries int) {
	v, attempts := q.now()
	texts := heard(v)
	for i := range max(len(texts), messages) {
		if i >= len(texts) || texts[i] != fmt.Sprint("auto ", i) {
			t.Errorf("%s: %d messages; message %d is wrong", q.proxy.name, len(texts), i)
			break
		}
	}
	q.mu.Lock()
	for _, f := range q.faults {
		t.Errorf("%s: %s", q.proxy.name, f)
	}
	q.mu.Unlock()
	if len(attempts) > tries {
		t.Errorf("%s: it goes on trying: %v", q.proxy.name, attempts)
	}
	of := map[chat.Via]int{}
	for _, a := range attempts {
		// The first failure of a way is followed by one more try, the second by what was learnt from both.
		if of[a.via]++; of[a.via] > 3 {
			t.Errorf("%s: a storm: %v", q.proxy.name, attempts)
			break
		}
	}
	t.Logf("%-55s %-12s %v", q.proxy.name, v.Connection.Via, attempts)
}

// refusals is how many requests nginx answered with an error of its own or of the server.
func (w *world) refusals(t *testing.T, i int) (refused int, lines []string) {
	b, err := os.ReadFile(filepath.Join(w.dir, accessLog(i)))
	must(t, err)
	for line := range strings.Lines(string(b)) {
		// … "GET /path HTTP/1.1" 502 …
		if parts := strings.Split(line, `"`); len(parts) > 2 {
			if status := strings.Fields(parts[2])[0]; status >= "400" {
				refused++
			}
		}
		lines = append(lines, line)
	}
	return refused, lines
}
