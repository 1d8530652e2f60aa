package api_test

import (
	"bufio"
	"fmt"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"parley/app/chat"
	"parley/server/api"
)

// crowd opens n sessions of a way, each on a connection that no goroutine of this process is at the
// other end of.
func (v *visitor) crowd(via chat.Via, n int) (conns []net.Conn) {
	v.t.Helper()
	after := v.snapshot().Cursor
	addr := v.base[len("http://"):]
	upgrade := ""
	if via == chat.WebSocket {
		upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	}
	for range n {
		c, err := new(net.Dialer).DialContext(v.t.Context(), "tcp", addr)
		must(v.t, err)
		conns = append(conns, c)
		must(v.t, c.SetDeadline(time.Now().Add(patience)))
		_, err = fmt.Fprintf(c, "GET /api/feed?via=%s&after=%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"+
			"Accept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,zh-CN;q=0.8\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\n%s\r\n",
			via, after, addr, v.token, upgrade)
		must(v.t, err)
		if via == chat.EventSource || via == chat.WebSocket {
			want := map[chat.Via]string{chat.EventSource: "HTTP/1.1 200 OK\r\n", chat.WebSocket: "HTTP/1.1 101 Switching Protocols\r\n"}[via]
			if line, err := bufio.NewReaderSize(c, 64).ReadString('\n'); line != want {
				v.t.Fatalf("%s is answered with %q: %v", via, line, err)
			}
		}
	}
	return conns
}

// resting is what each way may be at rest. A poll holds what a long poll does, while it is answered.
var resting = []struct {
	via      chat.Via
	portable bool
	park     time.Duration
}{
	{chat.WebSocket, false, time.Hour}, {chat.EventSource, false, time.Hour}, {chat.LongPoll, false, time.Hour}, {chat.LongPoll, false, time.Millisecond},
	{chat.WebSocket, true, time.Hour}, {chat.EventSource, true, time.Hour}, {chat.LongPoll, true, time.Hour},
}

// settled is how many goroutines there are once that stays: what was before, another test's connections
// among it, is still leaving for a while.
func settled(t *testing.T) int {
	t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	there := runtime.NumGoroutine()
	for same := 0; same < 50; same++ {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("goroutines, %d by now, never cease to come and go", there)
		}
		if n := runtime.NumGoroutine(); n != there {
			there, same = n, 0
		}
	}
	return there
}

// heldBy opens many sessions of each way on each kind of server, and has look say whether what the
// owner is told of them is so.
func heldBy(t *testing.T, many int, look func(t *testing.T, open func(), cost func() chat.WayCost)) {
	for _, r := range resting {
		t.Run(fmt.Sprintf("%s, portable %v, parked after %v", r.via, r.portable, r.park), func(t *testing.T) {
			w := newWorld(t, setting{portable: r.portable, api: func(o *api.Options) { o.Hold, o.Beat, o.Park = time.Hour, time.Hour, r.park }})
			ana := w.owner()
			bot := ana.program()
			cost := func() chat.WayCost {
				var c chat.Costs
				ana.ask("GET", "/api/lab", nil, &c)
				return c.Ways[slices.Index(chat.Vias[:], r.via)]
			}
			var conns []net.Conn
			over := func() {
				for _, c := range conns {
					_ = c.Close()
				}
				conns = nil
				w.eventually(func() bool { c := cost(); return c.Open == 0 && c.Goroutines == 0 && c.Memory == 0 })
			}
			// What is made once is there afterwards, and nobody is told any more that ana has come.
			conns = bot.crowd(r.via, 3)
			w.eventually(func() bool { return len(ana.snapshot().Online) > 0 })
			over()
			look(t, func() {
				conns = bot.crowd(r.via, many)
				w.eventually(func() bool {
					c := cost()
					return c.Open == int64(many) && (r.park == time.Hour || c.Goroutines == 0)
				})
			}, cost)
			over()
		})
	}
}

// The owner is told how many goroutines sessions have: exactly, and none of a session that is over.
func TestHeldGoroutines(t *testing.T) {
	heldBy(t, 100, func(t *testing.T, open func(), cost func() chat.WayCost) {
		late := time.After(patience)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		before := settled(t)
		open()
		// Those that open a session leave it one after the other.
		for {
			told, there := cost().Goroutines, runtime.NumGoroutine()-before
			if told == int64(there) && told%100 == 0 {
				return
			}
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("there are %d goroutines more, and it tells of %d", there, told)
			}
		}
	})
}
