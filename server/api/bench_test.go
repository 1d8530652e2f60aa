package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/app/chat"
	"parley/server/auth"
)

var streams = []chat.Via{chat.WebSocket, chat.EventSource}

// open opens n streams by hand: what they cost here is a socket.
func (v *visitor) open(via chat.Via, n int) []net.Conn {
	v.t.Helper()
	var list []net.Conn
	for range n {
		c, err := new(net.Dialer).DialContext(v.t.Context(), "tcp", strings.TrimPrefix(v.base, "http://"))
		must(v.t, err)
		v.t.Cleanup(func() { _ = c.Close() })
		q := v.request("GET", "/api/feed?via="+string(via), nil)
		if via == chat.WebSocket {
			for k, h := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
				q.Header.Set(k, h)
			}
		}
		must(v.t, q.Write(c))
		res, err := http.ReadResponse(bufio.NewReader(io.LimitReader(c, 4<<10)), q) //nolint:bodyclose // the stream is read past it
		must(v.t, err)
		if res.StatusCode >= 300 {
			v.t.Fatal(res.Status)
		}
		list = append(list, c)
	}
	return list
}

// BenchmarkFanOut sends one message after the other to 1,000 followers and waits until each has it. The
// followers' reading is in the figures: they are in the same process.
func BenchmarkFanOut(b *testing.B) {
	const followers = 1_000
	for _, via := range streams {
		b.Run(string(via), func(b *testing.B) {
			w := newWorld(b)
			ana := w.owner()
			bot := ana.program()
			var got atomic.Int64
			each := make(chan struct{}, 1)
			var reading sync.WaitGroup
			b.Cleanup(reading.Wait) // after the sockets are closed
			for _, c := range bot.open(via, followers) {
				reading.Go(func() {
					in := bufio.NewReaderSize(c, 1<<10)
					for {
						line, err := in.ReadSlice('}')
						if err != nil {
							return
						}
						if strings.Contains(string(line), `"text":"bench"`) && got.Add(1)%followers == 0 {
							each <- struct{}{}
						}
					}
				})
			}
			w.eventually(func() bool { return w.accounts.Live.Len() == followers })
			for b.Loop() {
				_, err := w.hub.Send(b.Context(), ana.user.ID, message(w.room, "bench"))
				must(b, err)
				<-each
			}
			b.ReportMetric(float64(followers*b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkConnections opens 5,000 streams and reports what one takes while it is idle: with its session,
// its membership and its heartbeat. The other end of the socket, about a KiB, is in the figure.
func BenchmarkConnections(b *testing.B) {
	const n = 5_000
	used := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	for _, via := range streams {
		b.Run(fmt.Sprint(via, "/", n), func(b *testing.B) {
			for b.Loop() {
				w := newWorld(b, setting{accounts: func(o *auth.Options) { o.Streams = auth.Streams{PerAccount: n, PerIP: n} }})
				bot := w.owner().program()
				before := used()
				bot.open(via, n)
				w.eventually(func() bool { return w.accounts.Live.Len() == n })
				b.ReportMetric(float64(used()-before)/n, "B/connection")
			}
		})
	}
}
