package chaos

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/transport"
	"parley/build/child"
)

// What a run does not show is asked for directly.

// alone is a server with one user and one room.
type alone struct {
	*child.Server
	who  *child.Account
	room chat.RoomID
}

func solo(t *testing.T, binary string, env []string, under ...string) *alone {
	t.Helper()
	srv, err := child.New(t.Context(), binary, t.TempDir())
	must(t, err)
	srv.Env, srv.Under = env, under
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &alone{Server: srv}
	s.who, err = srv.AddUser(t.Context(), "ana")
	must(t, err)
	_, err = srv.Start(t.Context())
	must(t, err)
	var room chat.Room
	must(t, srv.Ask(t.Context(), s.who, http.MethodPost, "/api/rooms", chat.NewRoom{Nonce: "room", Kind: chat.Private, Name: "room"}, &room))
	s.room = room.ID
	return s
}

// say appends one message.
func (s *alone) say(ctx context.Context, nonce, text string) error {
	var e chat.Event
	return s.Ask(ctx, s.who, http.MethodPost, "/api/send",
		chat.Draft{Nonce: chat.Nonce(nonce), Room: s.room, Body: chat.Body{Message: &chat.Message{Text: text}}}, &e)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestOtherLog holds that a cursor of another log, such as of one that was replaced since, is never taken: what it
// stands for is somewhere else there.
func TestOtherLog(t *testing.T) {
	if saw := byOtherLog(t, binary, nil); saw != "" {
		t.Error(saw)
	}
}

func byOtherLog(t *testing.T, binary string, env []string) string {
	one, other := solo(t, binary, env), solo(t, binary, env)
	for i := range 20 {
		must(t, other.say(t.Context(), fmt.Sprint("m", i), "hello"))
	}
	snap, err := one.Snapshot(t.Context(), one.who)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, via := range chat.Vias {
		link := transport.New(via, transport.Config{Base: other.Base(), Token: other.who.Token})
		for batch, err := range link.Follow(ctx, snap.Cursor) {
			if errors.Is(err, chat.ErrReset) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", via, err)
			}
			return fmt.Sprintf("%s: went on from the cursor of another log, with %d events", via, len(batch.Events))
		}
	}
	return ""
}

// TestStoppedReaders holds that readers who stop reading do not fill the server's memory.
func TestStoppedReaders(t *testing.T) {
	if saw := byStoppedReaders(t, binary, nil); saw != "" {
		t.Error(saw)
	}
}

func byStoppedReaders(t *testing.T, binary string, env []string) string {
	const readers, writers, each = 80, 16, 60
	s := solo(t, binary, env)
	for i := range readers {
		stopReading(t, s, []string{"eventsource", "websocket"}[i%2])
	}
	text := strings.Repeat("x", chat.MaxText)
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				errs[w] = errors.Join(errs[w], s.say(t.Context(), fmt.Sprintf("%d-%d", w, i), text))
			}
		})
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	kib, err := child.Peak(s.PID())
	must(t, err)
	const said = writers * each * chat.MaxText
	t.Logf("%d readers stopped while %d KiB were said: %d MiB resident at the most", readers, said>>10, kib>>10)
	if kib > most {
		return fmt.Sprintf("%d readers stopped while %d KiB were said, and the server had %d MiB resident", readers, said>>10, kib>>10)
	}
	return ""
}

// stopReading opens a stream, and reads its beginning and nothing more.
func stopReading(t *testing.T, s *alone, via string) {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", s.Addr())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // the server may have closed it
	must(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	head := "GET /api/feed?via=" + via + " HTTP/1.1\r\nHost: " + s.Addr() + "\r\nAuthorization: Bearer " + s.who.Token + "\r\n"
	if via == "websocket" {
		head += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	}
	_, err = fmt.Fprint(conn, head, "\r\n")
	must(t, err)
	line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
	must(t, err)
	if want := map[string]string{"eventsource": "200", "websocket": "101"}[via]; !strings.Contains(line, want) {
		t.Fatalf("opening a stream over %s: %q, want %s", via, line, want)
	}
}

// TestSyncs holds that the server has asked the disk to write, once at least, before each answer.
func TestSyncs(t *testing.T) {
	if saw := bySyncs(t, binary, nil); saw != "" {
		t.Error(saw)
	}
}

func bySyncs(t *testing.T, binary string, env []string) string {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is missing, which tells what the server asks of the disk: run build/install-test-tools.sh")
	}
	const sends = 100
	trace := filepath.Join(t.TempDir(), "trace")
	s := solo(t, binary, env, "strace", "-f", "-D", "-q", "-e", "trace=fsync,fdatasync", "-o", trace)
	for i := range sends { // one after the other: no two share a commit
		must(t, s.say(t.Context(), fmt.Sprint("m", i), "hello"))
	}
	end := fmt.Sprintf("%d +++ exited", s.PID())
	must(t, s.Stop(t.Context()))
	text := ended(t, trace, end)
	n := bytes.Count(text, []byte("sync(")) // a call that was interrupted and resumed is written "sync resumed>"
	t.Logf("%d sends, %d syncs", sends, n)
	if n < sends {
		return fmt.Sprintf("%d messages were acknowledged after %d syncs", sends, n)
	}
	return ""
}

// ended waits until strace has written its last line, and returns all.
func ended(t *testing.T, trace, end string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(trace)
		must(t, err)
		if strings.Contains(strings.Join(strings.Fields(string(b)), " "), end) {
			return b
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("strace did not come to its end: %.2000s", b)
		}
	}
}
