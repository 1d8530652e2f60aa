package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"parley/app/chat"
	"parley/server/auth"
)

// exchangeRaw sends bytes as they are and returns all that comes back until the server closes.
func (w *world) exchangeRaw(text string) string {
	w.t.Helper()
	c, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", strings.TrimPrefix(w.base, "http://"))
	must(w.t, err)
	defer func() { _ = c.Close() }()
	must(w.t, c.SetDeadline(time.Now().Add(patience)))
	go func() { _, _ = io.WriteString(c, text) }() // which the server need not read to the end
	b, _ := io.ReadAll(c)                          // a reset is an end, too
	return string(b)
}

// TestS41Compressed: nothing that a stranger compressed is ever unpacked: bodies are refused, and sockets agree on no
// extension, so a compressed frame is an error.
func TestS41Compressed(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	for _, coding := range []string{"gzip", "br", "zstd", "deflate", "identity, gzip", "gzip, gzip"} {
		for _, rt := range w.unsafe() {
			q := ana.request(rt[0], rt[1], "\x1f\x8b\x08")
			q.Header.Set("Content-Encoding", coding)
			if a := ana.do(q); a.StatusCode != 415 {
				t.Errorf("%s %s as %s: %v", rt[0], rt[1], coding, a)
			}
		}
	}
	l, err := ana.dial(chat.WebSocket, "", func(q *http.Request) {
		q.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
	})
	if err == nil { // nhooyr's client may refuse an answer to what it did not ask
		l.close()
	}
	bot := ana.program()
	host := strings.TrimPrefix(w.base, "http://")
	head := "GET /api/feed?via=websocket HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + bot.token +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
	// A text frame with RSV1 set: that it is compressed.
	got := w.exchangeRaw(head + "\xc1\x85\x00\x00\x00\x00\xaa\x56\x2a\x2e\x04")
	answered, _, _ := strings.Cut(got, "\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 101") || strings.Contains(answered, "permessage-deflate") {
		t.Errorf("the socket agrees to compression: %s", answered)
	}
	if !strings.Contains(got, string([]byte{0x03, 0xea})) { // 1002, a protocol error
		t.Errorf("a compressed frame is not refused: %q", got)
	}
}

// TestS44HeadersAndBodies: what is too much, or does not come, is given up, and everyone else goes on.
func TestS44HeadersAndBodies(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	host := strings.TrimPrefix(w.base, "http://")
	for name, c := range map[string]struct{ head, want string }{
		"a header of 4 MiB": {"X: " + strings.Repeat("x", 4<<20) + "\r\n", "431"},
		"a million headers": {strings.Repeat("X: x\r\n", 1_000_000), "431"},
		"a cookie of a MiB": {"Cookie: " + strings.Repeat("x=y; ", 200_000) + "\r\n", "431"},
		"no colon":          {"X x\r\n", "400"},
	} {
		got := w.exchangeRaw("GET /livez HTTP/1.1\r\nHost: " + host + "\r\n" + c.head + "Connection: close\r\n\r\n")
		if got != "" && !strings.HasPrefix(got, "HTTP/1.1 "+c.want) && !strings.HasPrefix(got, "HTTP/1.0 "+c.want) || c.want == "400" && got == "" {
			t.Errorf("%s: %.200q", name, got) // a reset may overtake the answer where more was sent than was read
		}
	}
	var parts bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&parts, "--x\r\nContent-Disposition: form-data; name=\"%d\"\r\n\r\n\r\n", i)
	}
	q := ana.request("POST", "/api/send", parts.String())
	q.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	if a := ana.do(q); a.StatusCode != 415 {
		t.Errorf("10,000 parts: %v", a)
	}
	// A body that stops in the middle: the same server, less patient, so that the test need not be.
	s := w.api.HTTP()
	s.ReadTimeout = 300 * time.Millisecond
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	defer func() { must(t, s.Close()); <-done }()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	must(t, err)
	defer func() { _ = c.Close() }()
	must(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(c, "POST /api/session HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"name\":", l.Addr())
	must(t, err)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(t, err)
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != 400 || !res.Close {
		t.Errorf("a body that stops: %s, to be closed %v", res.Status, res.Close)
	}
}

// TestS55OnlyHTTP1: in the clear the server speaks HTTP/1 alone, so what is sent by way of HTTP/2's frames is nothing to
// it; a proxy in front, or Go's own bounds where there is TLS, are for the rest.
func TestS55OnlyHTTP1(t *testing.T) {
	w := newWorld(t)
	host := strings.TrimPrefix(w.base, "http://")
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	reset := "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08"
	for name, sent := range map[string]string{
		"by prior knowledge": preface + settings + strings.Repeat(reset, 1_000),
		"many settings":      preface + strings.Repeat(settings, 10_000),
	} {
		if got := w.exchangeRaw(sent); got != "" && !strings.HasPrefix(got, "HTTP/1.1 4") && !strings.HasPrefix(got, "HTTP/1.1 505") {
			t.Errorf("%s: %.200q", name, got)
		}
	}
	got := w.exchangeRaw("GET /livez HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("an upgrade to HTTP/2: %.200q", got)
	}
}

// TestS57Crowds: what many do at once is told in one, and lists have ends.
func TestS57Crowds(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben := ana.guest("ben")
	for i := range 60 { // in tens, so that the commits are few
		done := make(chan error, 10)
		for j := range 10 {
			go func() {
				_, err := w.hub.CreateRoom(t.Context(), ana.user.ID, chat.NewRoom{Nonce: chat.Nonce(fmt.Sprint("n", i, "-", j)), Kind: chat.Public, Name: "x"})
				done <- err
			}()
		}
		for range 10 {
			must(t, <-done)
		}
	}
	var list []chat.Room
	ben.ask("GET", "/api/rooms", nil, &list)
	if len(list) != 500 {
		t.Errorf("600 public rooms are listed as %d", len(list))
	}
	// Who comes and goes a hundred times is told of as one.
	l, err := ana.dial(chat.WebSocket, "")
	must(t, err)
	defer l.close()
	for range 100 {
		c, err := ben.dial(chat.WebSocket, "")
		must(t, err)
		c.close()
	}
	ana.say(w.room, "the end")
	seen, err := until(l, told("the end"))
	must(t, err)
	about := 0
	for _, e := range seen {
		if e.Presence != nil {
			about++
		}
	}
	if about > 20 { // at most one a second, and this takes few
		t.Errorf("100 comings of one person were told in %d events", about)
	}
	room := chat.NewRoom{Nonce: "many", Kind: chat.Private, Name: "x"}
	for range chat.MaxMembers {
		room.Members = append(room.Members, "AAAAAAAAAAAAAAAAAAAAAAAAAA")
	}
	if a := ana.do(ana.request("POST", "/api/rooms", room)); a.StatusCode != 413 {
		t.Errorf("a room of too many: %v", a)
	}
}

// TestS58Reading: a question has a bounded answer, and counts against its asker's budget whatever it asks for.
func TestS58Reading(t *testing.T) {
	w := newWorld(t, setting{accounts: func(o *auth.Options) { o.Rates.Read, o.Rates.ReadBurst = 1e-6, 60 }})
	ana := w.owner()
	for range 15 {
		done := make(chan error, 10)
		for range 10 {
			go func() { _, err := w.hub.Send(t.Context(), ana.user.ID, message(w.room, "x")); done <- err }()
		}
		for range 10 {
			must(t, <-done)
		}
	}
	ben := ana.guest("ben")
	history := "/api/rooms/" + string(w.room) + "/events"
	for _, query := range []string{"", "?limit=0", "?limit=101", "?limit=9223372036854775807", "?before=9223372036854775807&limit=100000"} {
		var h chat.History
		ben.ask("GET", history+query, nil, &h)
		if len(h.Events) != chat.MaxPage || !h.More {
			t.Errorf("%q: %d events, more %v", query, len(h.Events), h.More)
		}
	}
	for _, query := range []string{"?limit=-1", "?limit=9223372036854775808", "?before=-1", "?before=1e3", "?limit=0x10", "?before=%201"} {
		if a := ben.do(ben.request("GET", history+query, nil)); a.StatusCode != 400 {
			t.Errorf("%q: %v", query, a)
		}
	}
	answered := 0
	for range 200 {
		switch a := ben.do(ben.request("GET", history, nil)); a.StatusCode {
		case 200:
			answered++
		case 429:
		default:
			t.Fatal(a)
		}
	}
	if answered > 60 {
		t.Errorf("%d questions were answered, 60 may be", answered)
	}
}

// TestS66Smuggling: what two readers of HTTP could take differently is refused, so nothing hides behind it.
func TestS66Smuggling(t *testing.T) {
	w := newWorld(t)
	host := strings.TrimPrefix(w.base, "http://")
	hidden := "GET /livez HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"
	for name, head := range map[string]string{
		"two lengths":              "Content-Length: 0\r\nContent-Length: 5\r\n",
		"lengths in a list":        "Content-Length: 0, 5\r\n",
		"a length with a sign":     "Content-Length: +5\r\n",
		"a negative length":        "Content-Length: -1\r\n",
		"a length in hexadecimal":  "Content-Length: 0x5\r\n",
		"chunked, obfuscated":      "Transfer-Encoding: xchunked\r\n",
		"chunked with a tab":       "Transfer-Encoding:\x0bchunked\r\n",
		"chunked twice":            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"chunked of gzip":          "Transfer-Encoding: gzip, chunked\r\n",
		"a space before the colon": "Transfer-Encoding : chunked\r\n",
		"a bare CR":                "X: y\rTransfer-Encoding: chunked\r\n",
		"a NUL":                    "X: y\x00\r\n",
		"a name with a space":      "Content Length: 5\r\n",
		"an empty name":            ": 5\r\n",
	} {
		got := w.exchangeRaw("POST /api/session HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\n" + head + "\r\n0\r\n\r\n" + hidden)
		if !strings.HasPrefix(got, "HTTP/1.1 400") && !strings.HasPrefix(got, "HTTP/1.1 501") || strings.Count(got, "HTTP/1.1 ") != 1 {
			t.Errorf("%s: %.400q", name, got)
		}
	}
	// A line that begins with a space belongs to the one before it, and is no header of its own.
	if got := w.exchangeRaw("GET /livez HTTP/1.1\r\nHost: " + host + "\r\nX: y\r\n Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n" + hidden); !strings.HasPrefix(got, "HTTP/1.1 200") || strings.Count(got, "HTTP/1.1 ") != 1 {
		t.Errorf("a folded header: %.400q", got)
	}
	// Both a length and chunks: RFC 9112 lets the chunks win, but then the connection is to be closed, so that the
	// rest, which a proxy may have counted otherwise, is nobody's request.
	got := w.exchangeRaw("POST /api/session HTTP/1.1\r\nHost: " + host + "\r\nOrigin: " + w.base + "\r\nContent-Type: application/json\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden)
	if strings.Count(got, "HTTP/1.1 ") != 1 {
		t.Errorf("a length and chunks: %.600q", got)
	}
	for name, chunks := range map[string]string{
		"a size too large": "fffffffffffffffff\r\nx\r\n0\r\n\r\n", "a size with a sign": "-1\r\nx\r\n0\r\n\r\n", "no size": "\r\nx\r\n0\r\n\r\n",
		"a chunk longer than it says": "1\r\nxx\r\n0\r\n\r\n", "an endless extension": "1;" + strings.Repeat("x", 1<<20) + "\r\nx\r\n0\r\n\r\n",
	} {
		got := w.exchangeRaw("POST /api/session HTTP/1.1\r\nHost: " + host + "\r\nOrigin: " + w.base + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + hidden)
		if got != "" && !strings.HasPrefix(got, "HTTP/1.1 4") || strings.Count(got, "HTTP/1.1 ") > 1 {
			t.Errorf("%s: %.400q", name, got)
		}
	}
}

// TestS52Frames: what is no JSON of a request, in a frame of a socket, is answered or ends the socket, as in a body.
func TestS52Frames(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	for name, frame := range map[string]string{
		"deep": strings.Repeat(`{"a":`, 5_000) + "1" + strings.Repeat("}", 5_000), "a key twice": `{"id":1,"id":2}`, "a huge number": `{"id":1e999}`,
		"not UTF-8": "{\"id\":1,\"send\":{\"nonce\":\"\xff\"}}", "many keys": "{" + strings.Join(keys(1_001), ",") + "}", "broken off": `{"id":`, "nothing": "", "an array": "[]",
	} {
		l, err := ana.dial(chat.WebSocket, "")
		must(t, err)
		s := l.(*socket)
		must(t, s.c.Write(t.Context(), websocket.MessageText, []byte(frame)))
		for {
			f, err := s.frame()
			if err != nil {
				if status := websocket.CloseStatus(err); status != websocket.StatusPolicyViolation && status != websocket.StatusInvalidFramePayloadData && status != websocket.StatusProtocolError {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			if f.Cursor == "" {
				if f.Error == nil || f.Error.Code != chat.CodeInvalid {
					b, _ := json.Marshal(f)
					t.Errorf("%s: %s", name, b)
				}
				break
			}
		}
		l.close()
	}
}
