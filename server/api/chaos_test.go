package api_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/app/chat"
	"parley/server/api"
	"parley/server/toxic"
)

func badly() setting {
	return setting{api: func(o *api.Options) { o.Chaos = toxic.New(nil) }}
}

// Only the owner of a server that was started for it may make its network bad, and only in
// front of it.
func TestChaosIsForTheOwner(t *testing.T) {
	for _, dev := range []bool{false, true} {
		set := setting{}
		if dev {
			set = badly()
		}
		w := newWorld(t, set)
		ana := w.owner()
		for name, c := range map[string]struct {
			who  *visitor
			want int
		}{
			"owner": {ana, map[bool]int{true: 200, false: 403}[dev]}, "member": {ana.guest("ben"), 403},
			"owner's token": {ana.program(), 403}, "anonymous": {w.visitor(), 401},
		} {
			for method, body := range map[string]any{"GET": nil, "PUT": chat.Chaos{Faults: []chat.Fault{{Via: chat.Poll, LatencyMS: 1}}}} {
				if a := c.who.do(c.who.request(method, "/api/chaos", body)); a.StatusCode != c.want {
					t.Errorf("%s by %s, dev %v: %v", method, name, dev, a)
				}
			}
		}
		var told chat.Server
		if w.visitor().ask("GET", "/api/server", nil, &told); told.Dev != dev {
			t.Errorf("dev %v: it tells %+v", dev, told)
		}
		if a := ana.do(ana.request("GET", "/api/chaos", nil)); !dev && a.fault().Message != "this server can not make its network bad on purpose; start it with --dev for that" {
			t.Errorf("without --dev: %v", a)
		}
	}
}

func TestChaosRefusesNonsense(t *testing.T) {
	w := newWorld(t, badly())
	ana := w.owner()
	good := chat.Chaos{Faults: []chat.Fault{{Via: chat.WebSocket, Session: "x", LatencyMS: 1, JitterMS: 2, Loss: 0.5, HoldBytes: 3, HoldMS: 4, HalfOpen: true, CutBytes: 5}}}
	var got chat.Chaos
	ana.ask("PUT", "/api/chaos", good, nil)
	for name, body := range map[string]any{
		"way":      chat.Chaos{Faults: []chat.Fault{{Via: "pigeon"}}},
		"latency":  chat.Chaos{Faults: []chat.Fault{{LatencyMS: chat.MaxFaultMS + 1}}},
		"jitter":   chat.Chaos{Faults: []chat.Fault{{JitterMS: -1}}},
		"hold":     chat.Chaos{Faults: []chat.Fault{{HoldMS: chat.MaxFaultMS + 1}}},
		"bytes":    chat.Chaos{Faults: []chat.Fault{{HoldBytes: chat.MaxHoldBytes + 1}}},
		"cut":      chat.Chaos{Faults: []chat.Fault{{CutBytes: -1}}},
		"loss":     chat.Chaos{Faults: []chat.Fault{{Loss: 1.1}}},
		"too many": chat.Chaos{Faults: make([]chat.Fault, chat.MaxFaults+1)},
		"told":     chat.Chaos{Sessions: []chat.Follower{{Session: "x"}}},
		"not JSON": `{"faults":[{"loss":NaN}]}`,
		"not one":  `[]`,
	} {
		if a := ana.do(ana.request("PUT", "/api/chaos", body)); a.StatusCode != 400 && a.StatusCode != 413 {
			t.Errorf("%s: %v", name, a)
		}
	}
	ana.ask("GET", "/api/chaos", nil, &got)
	if d := cmp.Diff(good, got); d != "" {
		t.Error(d)
	}
}

// A fault is for what it names, works on what is open already, and is gone once it is taken away.
func TestChaosStrikesWhatItNames(t *testing.T) {
	for _, via := range []chat.Via{chat.EventSource, chat.WebSocket, chat.LongPoll} {
		t.Run(string(via), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, badly())
			ana := w.owner()
			ben := ana.guest("ben")
			set := func(f ...chat.Fault) { ana.ask("PUT", "/api/chaos", chat.Chaos{Faults: f}, nil) }
			hears := func(v *visitor, l line, text string) {
				t.Helper()
				_, err := until(l, func(e chat.Event) bool { return e.Message != nil && e.Message.Text == text })
				must(t, err)
			}
			dial := func(v *visitor) line {
				l, err := v.dial(via, v.snapshot().Cursor)
				must(t, err)
				t.Cleanup(l.close)
				return l
			}
			a, b := dial(ana), dial(ben)

			ana.say(w.room, "is anyone here?")
			hears(ana, a, "is anyone here?")
			hears(ben, b, "is anyone here?")
			var now chat.Chaos
			ana.ask("GET", "/api/chaos", nil, &now)
			want := []chat.Follower{{User: "ana", Via: via, Current: true}, {User: "ben", Via: via}}
			if d := cmp.Diff(want, now.Sessions, cmpopts.IgnoreFields(chat.Follower{}, "Session", "Name")); d != "" {
				t.Fatalf("the owner can choose: %s", d)
			}
			set(chat.Fault{Via: via, Session: now.Sessions[1].Session, LatencyMS: 2_000})
			began := time.Now()
			ana.say(w.room, "slow for ben")
			hears(ana, a, "slow for ben")
			anas := time.Since(began)
			hears(ben, b, "slow for ben")
			if bens := time.Since(began); bens < 1900*time.Millisecond || bens-anas < time.Second {
				t.Errorf("ana heard it after %v and ben after %v", anas, bens)
			}

			set(chat.Fault{Via: via, Loss: 1})
			ana.say(w.room, "lost")
			lost := func() (err error) {
				for err == nil {
					_, err = b.next()
				}
				return err
			}()
			if e, told := errors.AsType[*chat.Error](lost); told {
				t.Errorf("it ended with %v", e)
			}

			set()
			b = dial(ben)
			ana.say(w.room, "well again")
			hears(ben, b, "well again")
		})
	}
}

// An answer that is lost is of something that was done: the same again is answered with it.
func TestChaosLosesAnswers(t *testing.T) {
	w := newWorld(t, badly())
	ana := w.owner()
	ana.ask("PUT", "/api/chaos", chat.Chaos{Faults: []chat.Fault{{Loss: 1}}}, nil)
	d := message(w.room, "once")
	if res, err := ana.client.Do(ana.request("POST", "/api/send", d)); err == nil {
		_ = res.Body.Close()
		t.Fatalf("there was an answer: %s", res.Status)
	}
	ana.ask("PUT", "/api/chaos", chat.Chaos{}, nil)
	var h chat.History
	ana.ask("GET", "/api/rooms/"+string(w.room)+"/events", nil, &h)
	last := h.Events[len(h.Events)-1]
	if last.Message == nil || last.Message.Text != "once" {
		t.Fatalf("the newest event is %+v", last)
	}
	var e chat.Event
	ana.ask("POST", "/api/send", d, &e)
	if e.Seq != last.Seq {
		t.Errorf("the same again is %d, was %d", e.Seq, last.Seq)
	}
}

// Who looks at what there is beside a stream is told as what the stream makes them, and who was refused is not told.
func TestFollowers(t *testing.T) {
	w := newWorld(t, badly())
	ana := w.owner()
	l, err := ana.dial(chat.WebSocket, ana.snapshot().Cursor)
	must(t, err)
	defer l.close()
	ana.ask("GET", "/api/feed?via=poll&peek=1&after="+string(ana.snapshot().Cursor), nil, nil)
	told := func() []chat.Follower {
		var c chat.Chaos
		ana.ask("GET", "/api/chaos", nil, &c)
		return c.Sessions
	}
	if got := told(); len(got) != 1 || got[0].Via != chat.WebSocket || got[0].User != "ana" || !got[0].Current {
		t.Errorf("beside a stream: %+v", got)
	}
	ben := ana.guest("ben")
	if a := ben.do(ben.request("GET", "/api/feed?via=pigeon", nil)); a.StatusCode != 400 {
		t.Errorf("a way that there is not: %v", a)
	}
	if got := told(); len(got) != 1 {
		t.Errorf("with one who was refused: %+v", got)
	}
	ben.ask("GET", "/api/feed?via=poll", nil, nil)
	if got := told(); len(got) != 2 || got[1].User != "ben" || got[1].Via != chat.Poll {
		t.Errorf("with one who polls: %+v", got)
	}
}
