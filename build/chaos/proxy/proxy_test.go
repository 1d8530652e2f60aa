package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// sink notes what is written to it, and when.
type sink struct {
	bytes.Buffer
	sizes []int
}

func (s *sink) Write(p []byte) (int, error) {
	s.sizes = append(s.sizes, len(p))
	return s.Buffer.Write(p)
}

// bench is one direction of a connection with nothing at its ends.
func bench(t *testing.T, f Fault, down bool) (*Line, *way, *sink) {
	t.Helper()
	l := &Line{rand: rand.New(rand.NewPCG(1, 2)), now: &struck{over: make(chan struct{})}, conns: map[*conn]struct{}{}}
	out := &sink{}
	l.Suffer(f)
	client, server := net.Pipe()
	return l, &way{conn: &conn{line: l, client: client, server: server, over: make(chan struct{})}, to: out, down: down}, out
}

// TestFaults holds what each fault does to what passes, by a clock that only the fault moves.
func TestFaults(t *testing.T) {
	text := make([]byte, 1_000)
	for i := range text {
		text[i] = byte(i)
	}
	for _, tt := range []struct {
		name     string
		fault    Fault
		down     bool
		arrives  int
		goesOn   bool
		from, to time.Duration
		largest  int
	}{
		{"latency", Fault{Latency: 100 * time.Millisecond, Jitter: 50 * time.Millisecond}, true, 1_000, true, 100 * time.Millisecond, 150 * time.Millisecond, 1_000},
		{"rate", Fault{Rate: 2_000}, true, 1_000, true, 500 * time.Millisecond, 500 * time.Millisecond, 40},
		{"slices", Fault{Slice: 7}, true, 1_000, true, 0, 0, 7},
		{"slices of one", Fault{Slice: 1}, false, 1_000, true, 0, 0, 1},
		{"cut", Fault{Cut: 123}, true, 123, false, 0, 0, 123},
		{"cut, upwards", Fault{Cut: 123}, false, 1_000, true, 0, 0, 1_000},
		{"cut at the end", Fault{Cut: 1_000}, true, 1_000, true, 0, 0, 1_000},
		{"reset", Fault{Reset: true}, true, 0, false, 0, 0, 0},
		{"all at once", Fault{Latency: time.Second, Rate: 1_000, Slice: 5, Cut: 500}, true, 500, false, 1_500 * time.Millisecond, 1_500 * time.Millisecond, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, w, out := bench(t, tt.fault, tt.down)
				began := time.Now()
				goesOn := w.pass(text)
				if took := time.Since(began); took < tt.from || took > tt.to {
					t.Errorf("it took %v, want %v to %v", took, tt.from, tt.to)
				}
				if goesOn != tt.goesOn || !bytes.Equal(out.Bytes(), text[:tt.arrives]) {
					t.Errorf("%d bytes arrived, and the connection goes on: %v; want %d, unchanged, and %v", out.Len(), goesOn, tt.arrives, tt.goesOn)
				}
				for _, n := range out.sizes {
					if n > tt.largest {
						t.Fatalf("a piece has %d bytes, want %d at most", n, tt.largest)
					}
				}
			})
		})
	}
}

// TestSilence holds that nothing passes while a line is silent, and that what follows is all or a reset.
func TestSilence(t *testing.T) {
	for _, lose := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l, w, out := bench(t, Fault{Silent: true, Lose: lose}, true)
			heal := l.Suffer(Fault{Silent: true, Lose: lose})
			done := make(chan bool)
			go func() { done <- w.pass([]byte("hello")) }()
			synctest.Wait()
			if out.Len() > 0 {
				t.Errorf("%q passed a silent line", out)
			}
			heal()
			if goesOn := <-done; goesOn == lose || (out.String() == "hello") == lose {
				t.Errorf("lose %v: the connection goes on: %v, and %q arrived", lose, goesOn, out)
			}
		})
	}
}

// TestHealing holds that a fault that was replaced does not take away the one that came after.
func TestHealing(t *testing.T) {
	l, _, _ := bench(t, Fault{}, true)
	first := l.Suffer(Fault{Slice: 1})
	second := l.Suffer(Fault{Slice: 2})
	first()
	if l.current().Slice != 2 {
		t.Error("the end of a fault took away the next")
	}
	second()
	if l.current().Fault != (Fault{}) {
		t.Error("a line without a fault is not well")
	}
}

// TestLine holds the whole of it against a real server: what is said comes back whatever the line
// suffers, and a connection that is reset says so.
func TestLine(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var lc net.ListenConfig
	echo, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }() // ends with the line, which closes c's peer
		}
	}()
	l, err := Listen(ctx, echo.Addr().String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial := func() net.Conn {
		t.Helper()
		c, err := l.Dial(ctx, "", "")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := dial()
	defer c.Close()
	text := bytes.Repeat([]byte("what is said comes back\n"), 20)
	for _, f := range []Fault{{}, {Latency: time.Millisecond, Jitter: time.Millisecond}, {Slice: 7}, {Rate: 100_000}, {Slice: 3, Latency: time.Millisecond}} {
		heal := l.Suffer(f)
		back := make([]byte, len(text))
		if _, err := c.Write(text); err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
		if _, err := io.ReadFull(c, back); err != nil || !bytes.Equal(back, text) {
			t.Errorf("%+v: %q came back: %v", f, back, err)
		}
		heal()
	}
	heal := l.Suffer(Fault{Reset: true})
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection that is reset says %v", err)
	}
	again, err := l.Dial(ctx, "", "")
	if err == nil { // else the reset came before the dialler had looked
		_, err = again.Read(make([]byte, 1))
		_ = again.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a new connection on a line that resets says %v", err)
	}
	heal()
	after := dial()
	defer after.Close()
	if _, err := after.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(after, make([]byte, 1)); err != nil {
		t.Errorf("after the fault: %v", err)
	}
}
