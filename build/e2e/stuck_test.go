package e2e

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
)

// T24: an event that the app can not even read. It does not get past it, and must not go wild about it: over every way, and where the app chooses, it asks again and
// again with its cursor, and waits longer each time. The server counts that. Once the event can be read, all is there.
func TestT24Stuck(t *testing.T) {
	server := serve(t)
	between := poisoner(t, server.Base())
	ana := open(t, browser(t), between.URL, desk)
	owner(t, ana, "ana")
	room := ana.room()
	eve := program(t, server, "eve")
	join(t, server, eve, room)
	ana.marked()
	for _, via := range append([]chat.Via{"auto"}, chat.Vias[:]...) {
		ana.use(via)
		poison, counted, before := "poison for "+string(via), ana.redelivered(), between.poison("")
		between.poison(poison)
		if err := say(t.Context(), server, eve, room, poison); err != nil {
			t.Fatal(err)
		}
		// Each pause is a random part of a span that doubles from 0.3 s: that one of the first ten is longer than a second is as good
		// as certain, and whoever does not wait never gets there. In each step a stream may be asked, and a poll why it failed.
		// What chooses among the ways tries each of them a few times besides.
		const steps, atLeast = 10, 6
		most := 2 * steps
		if via == "auto" {
			most *= 2
		}
		given, longest := 0, time.Duration(0)
		var last time.Time
		for ; longest < time.Second || given < atLeast; given++ {
			if given > most {
				t.Fatalf("over %s it was given %d times, with no more than %v between", via, given, longest)
			}
			at := between.given(t)
			if !last.IsZero() {
				longest = max(longest, at.Sub(last))
			}
			last = at
		}
		ana.write(poison + ", written meanwhile")
		ana.sees(poison + ", written meanwhile")
		t.Logf("over %s it was given %d times, with up to %v between", via, given, longest.Round(time.Millisecond))

		// What was given first came to who was there already, over a stream after an older cursor.
		if n := ana.redelivered() - counted; n < given-1-3 {
			t.Errorf("over %s it was given %d times, of which the server counts %d", via, given, n)
		}
		after := between.poison("")
		for i, cursor := range after.cursors[len(before.cursors)+1:] {
			if cursor == "" || cursor != after.cursors[len(before.cursors)+1] {
				t.Errorf("over %s it came back the %d. time with the cursor %q", via, i+2, cursor)
			}
		}
		if n := after.snapshots - before.snapshots; n > 0 {
			t.Errorf("over %s it asked %d times for everything", via, n)
		}
		eval[bool](ana, `document.querySelector('.banner[data-kind="waiting"] button')?.click(), true`) // if it waits just now
		ana.sees(poison)
		ana.settled()
		ana.hasSaid(poison, poison, poison+", written meanwhile")
		ana.goesOn(server, eve, room, "being stuck over "+string(via))
	}
	if said := server.Said(); !strings.Contains(said, "given the same again and again") || strings.Contains(said, "poison") {
		t.Errorf("%s", said)
	}
}

// redelivered is what the server counts, of all ways.
func (p *tab) redelivered() int {
	p.t.Helper()
	return eval[int](p, `fetch("/api/lab").then((r) => r.json()).then((costs) => costs.ways.reduce((sum, way) => sum + way.redelivered, 0))`)
}

// A poisoning stands between a page and the server and makes of one text something else, which is no text.
type poisoning struct {
	*httptest.Server
	each chan time.Time // for each time that it did so

	mu   sync.Mutex
	text []byte // as JSON; nil: nothing is poisoned
	passed
}

// passed is what went by.
type passed struct {
	snapshots int
	cursors   []string // with which the poison was asked for
}

func poisoner(t *testing.T, base string) *poisoning {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	p := &poisoning{each: make(chan time.Time, 100)}
	p.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("Origin", base)
		},
		ModifyResponse: func(r *http.Response) error {
			if body, ok := r.Body.(io.ReadWriteCloser); ok { // a socket
				r.Body = poisonedSocket{body, poisonedBody{r.Body, p, r.Request}}
			} else if r.Request.URL.Path == "/api/feed" {
				r.Body = poisonedBody{r.Body, p, r.Request}
			} else if r.Request.URL.Path == "/api/snapshot" {
				p.mu.Lock()
				p.snapshots++
				p.mu.Unlock()
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // pages leave in the middle
	})
	t.Cleanup(p.Close)
	return p
}

// poison begins to poison a text, or ends it, and returns what went by until now.
func (p *poisoning) poison(text string) passed {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text = nil; text != "" {
		p.text = []byte(js(text))
	}
	for len(p.each) > 0 {
		<-p.each
	}
	return p.passed
}

// given waits until the poison is given once more, and returns when.
func (p *poisoning) given(t *testing.T) time.Time {
	t.Helper()
	select {
	case at := <-p.each:
		return at
	case <-time.After(soon):
		t.Fatal("the page did not come back")
		return time.Time{}
	}
}

// A poisonedBody carries a feed, as it is but for the poison, which takes as many bytes.
type poisonedBody struct {
	io.ReadCloser
	p  *poisoning
	of *http.Request
}

func (b poisonedBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to)
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	if text := b.p.text; text != nil {
		if i := bytes.Index(to[:n], append([]byte(`"text":`), text...)); i >= 0 {
			copy(to[i+len(`"text":`):], bytes.Repeat([]byte("1"), len(text)))
			b.p.cursors = append(b.p.cursors, b.of.URL.Query().Get("after"))
			select {
			case b.p.each <- time.Now():
			default: // nobody counts any more
			}
		}
	}
	return n, err
}

type poisonedSocket struct {
	io.ReadWriteCloser
	from poisonedBody
}

func (s poisonedSocket) Read(to []byte) (int, error) { return s.from.Read(to) }
