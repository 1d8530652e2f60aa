package api_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/server/api"
)

// unattended waits until no goroutine serves, answers or hears anybody.
func (w *world) unattended() {
	w.t.Helper()
	buf := make([]byte, 4<<20)
	w.eventually(func() bool {
		stacks := string(buf[:runtime.Stack(buf, true)])
		return !slices.ContainsFunc([]string{"api.(*Server).ServeHTTP", "api.(*Server).listened", "api.(*Server).heard", "api.(*stream).run"},
			func(name string) bool { return strings.Contains(stacks, name+"(") })
	})
}

// park asks, and waits until that poll is open and needs no goroutine. It is the only one: whoever has an answer may have it a
// moment before the poll counts as closed.
func (l *pollLine) park(after chat.Cursor) {
	l.t.Helper()
	l.eventually(func() bool { return l.accounts.Live.Len() == 0 })
	l.ask(after)
	l.eventually(func() bool { return l.accounts.Live.Len() == 1 })
	l.unattended()
}

// A pollLine is one connection for polls, by hand.
type pollLine struct {
	*visitor
	conn net.Conn
	in   *bufio.Reader
}

func (v *visitor) pollLine() *pollLine {
	v.t.Helper()
	c, err := new(net.Dialer).DialContext(v.t.Context(), "tcp", strings.TrimPrefix(v.base, "http://"))
	must(v.t, err)
	v.t.Cleanup(func() { _ = c.Close() })
	must(v.t, c.SetDeadline(time.Now().Add(patience)))
	return &pollLine{v, c, bufio.NewReader(c)}
}

func (l *pollLine) ask(after chat.Cursor) {
	l.t.Helper()
	must(l.t, l.request("GET", "/api/feed?via=longpoll&after="+string(after), nil).Write(l.conn))
}

func (l *pollLine) answer() answer {
	l.t.Helper()
	res, err := http.ReadResponse(l.in, nil)
	must(l.t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	must(l.t, err)
	return answer{res, b}
}

// batch is an answer that must be one.
func (l *pollLine) batch() (b chat.Batch) {
	l.t.Helper()
	a := l.answer()
	if a.StatusCode != http.StatusOK || a.Close {
		l.t.Fatalf("%v, and close %v", a, a.Close)
	}
	must(l.t, json.Unmarshal(a.body, &b))
	return b
}

// until polls until the answer has a text, and returns the cursor after it.
func (l *pollLine) until(after chat.Cursor, text string) chat.Cursor {
	l.t.Helper()
	for {
		b := l.batch()
		if slices.Contains(texts(b.Events), text) {
			return b.Cursor
		}
		l.ask(b.Cursor)
	}
}

// ended waits until the server closes the connection.
func (l *pollLine) ended() {
	l.t.Helper()
	if b, err := l.in.ReadByte(); !errors.Is(err, io.EOF) {
		l.t.Fatalf("the connection goes on with %q, %v", b, err)
	}
}

// patient is a world where nothing is said unless something happens, to a program of its owner who is known
// to be here.
func patient(t *testing.T) (ana, bot *visitor) {
	w := newWorld(t, setting{api: func(o *api.Options) { o.Hold, o.Beat = time.Hour, time.Hour }})
	ana = w.owner()
	bot = ana.program()
	l := bot.pollLine()
	for cursor, told := bot.snapshot().Cursor, false; !told; {
		l.ask(cursor)
		b := l.batch()
		cursor = b.Cursor
		told = slices.ContainsFunc(b.Events, func(e chat.Event) bool { return e.Presence != nil })
	}
	must(t, l.conn.Close())
	return ana, bot
}

func TestWhoIsSilentNeedsNoGoroutine(t *testing.T) {
	ana, bot := patient(t)
	for _, via := range streams {
		conns := bot.open(via, 10)
		bot.unattended()
		ana.say(ana.room, "here, "+string(via))
		for _, c := range conns {
			must(t, c.SetReadDeadline(time.Now().Add(patience)))
			in := bufio.NewReader(c)
			for line := ""; !strings.Contains(line, "here, "+string(via)); {
				var err error
				line, err = in.ReadString('}')
				must(t, err)
			}
			must(t, c.Close())
		}
		bot.eventually(func() bool { return bot.accounts.Live.Len() == 0 })
	}
}

func TestParkedPollsShareAConnection(t *testing.T) {
	ana, bot := patient(t)
	l, cursor := bot.pollLine(), bot.snapshot().Cursor
	for _, text := range []string{"one", "two", "three", "four"} {
		l.park(cursor)
		ana.say(ana.room, text)
		cursor = l.until(cursor, text)
		l.unattended() // the connection waits for the next request
	}
	// Another kind of request on what was parked.
	must(t, l.request("GET", "/livez", nil).Write(l.conn))
	if a := l.answer(); a.StatusCode != http.StatusOK {
		t.Error(a)
	}
}

// What writes the answer makes no difference to whoever reads it.
func TestParkedPollAnswersAsOthers(t *testing.T) {
	ana, bot := patient(t)
	l, cursor := bot.pollLine(), bot.snapshot().Cursor
	l.park(cursor)
	ana.say(ana.room, "one")
	parked := l.answer()
	must(t, l.request("GET", "/api/feed?via=poll&after="+string(cursor), nil).Write(l.conn))
	served := l.answer()
	names := func(a answer) []string { return slices.Sorted(maps.Keys(a.Header)) }
	if d := cmp.Diff(names(served), names(parked)); d != "" {
		t.Error(d)
	}
	for name := range served.Header {
		if name != "Date" && name != "Content-Length" && served.Header.Get(name) != parked.Header.Get(name) {
			t.Errorf("%s is %q, and %q when parked", name, served.Header.Get(name), parked.Header.Get(name))
		}
	}
}

// A request may come before the one before it is answered, with it or after it.
func TestParkedPollLetsTheNextWait(t *testing.T) {
	ana, bot := patient(t)
	for _, name := range []string{"with it", "after it"} {
		l, from := bot.pollLine(), bot.snapshot().Cursor
		if name == "after it" {
			l.park(from)
		} else {
			l.ask(from)
		}
		l.ask(from)
		bot.eventually(func() bool { return bot.accounts.Live.Len() == 1 })
		ana.say(ana.room, name)
		for range 2 {
			if got := texts(l.batch().Events); !slices.Equal(got, []string{name}) {
				t.Errorf("%s: got %q", name, got)
			}
		}
		must(t, l.conn.Close())
	}
}

func TestParkedPollEndsWithItsPeer(t *testing.T) {
	_, bot := patient(t)
	for name, leave := range map[string]func(net.Conn) error{
		"closed":      net.Conn.Close,
		"half closed": func(c net.Conn) error { return c.(*net.TCPConn).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			l := bot.pollLine()
			l.park(bot.snapshot().Cursor)
			must(t, leave(l.conn))
			bot.eventually(func() bool { return bot.accounts.Live.Len() == 0 })
		})
	}
}

func TestParkedPollEndsWithItsGrant(t *testing.T) {
	ana, bot := patient(t)
	l := bot.pollLine()
	l.park(bot.snapshot().Cursor)
	ana.revokeTokens()
	a := l.answer()
	if a.StatusCode != http.StatusUnauthorized || a.fault().Code != chat.CodeUnauthorized || !a.Close {
		t.Errorf("%v, and close %v", a, a.Close)
	}
	l.ended()
}

func TestDrainLetsGoOfConnectionsThatWait(t *testing.T) {
	ana, bot := patient(t)
	waits, kept := bot.pollLine(), bot.pollLine()
	cursor := bot.snapshot().Cursor
	kept.park(cursor)
	ana.say(ana.room, "one")
	cursor = kept.until(cursor, "one")
	waits.park(cursor)
	must(t, bot.api.Drain(t.Context()))
	a := waits.answer()
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || !a.Close {
		t.Errorf("%v, and close %v", a, a.Close)
	}
	waits.ended()
	kept.ended()
}
