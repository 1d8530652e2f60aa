package toxic_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"parley/app/chat"
	"parley/server/toxic"
)

// A bench is one connection over a network with faults, in a bubble of time.
type bench struct {
	t     *testing.T
	net   *toxic.Net
	near  net.Conn // that suffers
	ctx   context.Context
	began time.Time
	came  chan arrival // what arrived at the far end
}

type arrival struct {
	text string
	at   time.Duration
	err  error
}

// on runs f on a bench whose network has the faults, and whose chance is as given.
func on(t *testing.T, faults []chat.Fault, random func() float64, f func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		n := toxic.New(random)
		b := &bench{t: t, net: n, near: n.Wrap(near), began: time.Now(), came: make(chan arrival, 100)}
		b.ctx = toxic.Context(t.Context(), b.near)
		n.Set(faults)
		n.Strike(b.ctx, chat.EventSource, "one")
		done := make(chan struct{})
		go func() {
			defer close(done)
			for p := make([]byte, 1<<20); ; {
				k, err := far.Read(p)
				b.came <- arrival{string(p[:k]), time.Since(b.began), err}
				if err != nil {
					return
				}
			}
		}()
		f(b)
		_ = b.near.Close()
		n.Close()
		_ = far.Close()
		<-done
	})
}

func (b *bench) write(text string) {
	b.t.Helper()
	if k, err := b.near.Write([]byte(text)); k != len(text) || err != nil {
		b.t.Fatalf("write: %d, %v", k, err)
	}
}

// expect expects what arrives next and when.
func (b *bench) expect(text string, at time.Duration) {
	b.t.Helper()
	select {
	case a := <-b.came:
		if a.text != text || a.at != at || a.err != nil {
			b.t.Fatalf("%+v arrived, want %q after %v", a, text, at)
		}
	case <-time.After(time.Hour):
		b.t.Fatalf("%q never arrived", text)
	}
}

func (b *bench) expectEnd() {
	b.t.Helper()
	select {
	case a := <-b.came:
		if a.err == nil {
			b.t.Fatalf("%+v arrived, want the end", a)
		}
	case <-time.After(time.Hour):
		b.t.Fatal("it never ended")
	}
}

func (b *bench) expectNothing(d time.Duration) {
	b.t.Helper()
	select {
	case a := <-b.came:
		b.t.Fatalf("%+v arrived, want nothing", a)
	case <-time.After(d):
	}
}

func one() float64  { return 0.999 }
func half() float64 { return 0.5 }

func TestHealthy(t *testing.T) {
	on(t, []chat.Fault{{Via: chat.Poll, HalfOpen: true}, {Session: "two", HalfOpen: true}}, nil, func(b *bench) {
		b.write("a")
		b.expect("a", 0)
		b.net.Set([]chat.Fault{{HalfOpen: true}})
		b.net.Spare(b.ctx)
		b.write("b")
		b.expect("b", 0)
	})
}

func TestLatencyAndJitter(t *testing.T) {
	draws := []float64{0.9, 0, 0.5}
	random := func() float64 { r := draws[0]; draws = draws[1:]; return r }
	on(t, []chat.Fault{{LatencyMS: 100, JitterMS: 1000}}, random, func(b *bench) {
		b.write("a")
		b.write("b") // which would be earlier, but order is kept
		b.write("c")
		b.expect("a", time.Second)
		b.expect("b", time.Second)
		b.expect("c", time.Second)
	})
}

func TestHold(t *testing.T) {
	on(t, []chat.Fault{{HoldBytes: 3, HoldMS: 5000}}, nil, func(b *bench) {
		b.write("a")
		b.expect("a", 5*time.Second)
		b.write("b")
		b.expectNothing(time.Second)
		b.write("cd")
		b.expect("b", 6*time.Second)
		b.expect("cd", 6*time.Second)
		b.write("e")
		b.expectNothing(time.Second)
		b.net.Set(nil)
		b.expect("e", 7*time.Second)
		b.write("f")
		b.expect("f", 7*time.Second)
	})
}

// What is held back until there is more leaves when the connection is closed.
func TestHoldUntilTheEnd(t *testing.T) {
	on(t, []chat.Fault{{HoldBytes: 100}}, nil, func(b *bench) {
		b.write("a")
		b.expectNothing(time.Hour / 2)
		if err := b.near.Close(); err != nil {
			t.Fatal(err)
		}
		b.expect("a", time.Hour/2)
		b.expectEnd()
		if _, err := b.near.Write([]byte("b")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing to what is closed: %v", err)
		}
	})
}

func TestLoss(t *testing.T) {
	for _, c := range []struct {
		random func() float64
		lost   bool
	}{{half, true}, {one, false}} {
		on(t, []chat.Fault{{Loss: 0.6}}, c.random, func(b *bench) {
			_, err := b.near.Write([]byte("a"))
			if (err != nil) != c.lost {
				t.Fatalf("writing: %v", err)
			}
			if c.lost {
				b.expectEnd()
			} else {
				b.expect("a", 0)
			}
		})
	}
}

func TestHalfOpen(t *testing.T) {
	on(t, []chat.Fault{{HalfOpen: true}}, nil, func(b *bench) {
		b.write("a")
		b.expectNothing(time.Minute)
		b.net.Set(nil) // what was swallowed can not be had again
		b.expectEnd()
	})
}

func TestCut(t *testing.T) {
	on(t, []chat.Fault{{CutBytes: 4}}, nil, func(b *bench) {
		b.write("abc")
		b.expect("abc", 0)
		b.net.Strike(b.ctx, chat.EventSource, "one") // another answer
		b.write("abc")
		b.expect("abc", 0)
		b.write("defg")
		b.expect("d", 0)
		b.expectEnd()
	})
}

// A connection holds a bounded amount.
func TestBound(t *testing.T) {
	on(t, []chat.Fault{{HoldBytes: chat.MaxHoldBytes, HoldMS: chat.MaxFaultMS, LatencyMS: chat.MaxFaultMS}}, nil, func(b *bench) {
		mega := bytes.Repeat([]byte("x"), 1<<20)
		for range 100 {
			if _, err := b.near.Write(mega); err != nil {
				b.expectEnd()
				return
			}
		}
		t.Error("a hundred megabytes were taken")
	})
}

// A network that ends cuts what it holds, and takes nothing any more.
func TestClose(t *testing.T) {
	on(t, []chat.Fault{{HoldBytes: 100}}, nil, func(b *bench) {
		b.write("a")
		b.net.Close()
		b.expectEnd()
		if _, err := b.near.Write([]byte("b")); err == nil {
			t.Error("something was taken")
		}
	})
}

// On loopback, what is delayed is whole, also when its writer is done first.
func TestListener(t *testing.T) {
	n := toxic.New(nil)
	defer n.Close()
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := n.Listen(inner)
	defer l.Close()
	n.Set([]chat.Fault{{LatencyMS: 30, JitterMS: 50}})
	want := bytes.Repeat([]byte("0123456789"), 20_000)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		n.Strike(toxic.Context(context.Background(), c), chat.Poll, "")
		for p := want; len(p) > 0; p = p[1000:] {
			if _, err := c.Write(p[:1000]); err != nil {
				t.Error(err)
			}
		}
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
		_ = c.Close()
	}()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d of %d bytes, %v", len(got), len(want), err)
	}
}
