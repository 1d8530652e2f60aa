package power

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/transport"
)

// inUse starts a server with a copy of the template, to be used by somebody.
func inUse(t *testing.T, binary string, template *Template, dir string) *people {
	t.Helper()
	srv, err := template.open(t.Context(), binary, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &people{srv: srv, acct: template.acct, room: template.room, rand: source(t)}
}

func attach(t *testing.T, p *people, faults ...string) (detach func()) {
	t.Helper()
	stop, err := Attach(t.Context(), p.srv.PID(), filepath.Join(t.TempDir(), "trace.log"), faults...)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// ears hear all that comes over a stream.
type ears struct {
	link  transport.Transport
	c     chan chat.Event
	close func()
}

// listen follows over a way until it is closed or the test ends.
func listen(t *testing.T, p *people, via chat.Via) *ears {
	t.Helper()
	e := &ears{link: p.link(via), c: make(chan chat.Event, 1<<10)}
	ctx, cancel := context.WithCancel(t.Context())
	open := make(chan struct{})
	opened := sync.OnceFunc(func() { close(open) })
	var following sync.WaitGroup
	following.Go(func() {
		defer opened()
		if err := follow(ctx, e.link, opened, func(ev chat.Event) { e.c <- ev }); err != nil && ctx.Err() == nil {
			t.Errorf("%s: %v", via, err)
		}
	})
	e.close = func() { cancel(); following.Wait() }
	t.Cleanup(e.close)
	select {
	case <-open:
	case <-time.After(patience):
		t.Fatalf("%s does not open", via)
	}
	return e
}

// hear waits until an event comes that is the one.
func (e *ears) hear(t *testing.T, what string, is func(chat.Event) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case ev := <-e.c:
			if is(ev) {
				return
			}
		case <-late:
			t.Fatalf("%s: %s does not come", e.link.Name(), what)
		}
	}
}

// testFull makes the disk say that it is full.
func testFull(t *testing.T, binary string, template *Template) {
	dir := t.TempDir()
	p := inUse(t, binary, template, dir)
	whileFull(t, p, dir, func() (free func()) { return attach(t, p, "pwrite64:error=ENOSPC:when=1+") })
}

// testSmall fills a small disk.
func testSmall(t *testing.T, binary string, template *Template) {
	if os.Geteuid() != 0 {
		t.Log("to mount a small disk takes root: all that was tried is a disk which says that it is full")
		return
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	mount(t, "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", data)
	t.Cleanup(func() {
		if out, err := exec.Command("umount", data).CombinedOutput(); err != nil { //nolint:noctx // is to be done after the test too
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	p := inUse(t, binary, template, dir)
	// fill sends until so many messages in a row find no room.
	fill := func(refused int) {
		for row := 0; row < refused; {
			if len(p.sent) > 2000 {
				t.Fatal("a megabyte is never full")
			}
			if err := p.send(t.Context(), p.link(chat.Poll), 1); errors.Is(err, &chat.Error{Code: chat.CodeStorageFull}) {
				p.sent = p.sent[:len(p.sent)-1]
				row++
			} else if err != nil {
				t.Fatal(err)
			} else {
				row = 0
			}
		}
	}
	whileFull(t, p, dir, func() (free func()) {
		fill(1)
		stuff(t, filepath.Join(data, "more stuff"))
		// What one of many pages wrote to the write-ahead log before the disk was full is room for one of fewer.
		fill(100)
		return func() { mount(t, "-o", "remount,size=3m", data) }
	})

	// A server that starts on a full disk lets people read, or says why it does not start.
	ctx := t.Context()
	if _, err := p.srv.Start(ctx); err != nil {
		t.Fatal(err)
	}
	fill(1)
	p.srv.Kill()
	if err := p.srv.Gone(ctx); err != nil {
		t.Fatal(err)
	}
	stuff(t, filepath.Join(data, "stuff"))
	if _, err := p.srv.Start(ctx); err == nil {
		if _, err := p.srv.Log(ctx, p.acct, p.room); err != nil {
			t.Errorf("reading from a server that was started on a full disk: %v", err)
		}
		p.srv.Kill()
		if err := p.srv.Gone(ctx); err != nil {
			t.Fatal(err)
		}
	} else if !strings.Contains(p.srv.Said(), "storage is full") {
		t.Errorf("a server that does not start on a full disk says: %s", p.srv.Said())
	}
	mount(t, "-o", "remount,size=64m", data)
	if _, err := p.srv.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.send(ctx, p.link(chat.Poll), 1); err != nil {
		t.Error(err)
	}
	if err := p.srv.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// stuff takes what is left of a disk.
func stuff(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = f.Close() // which may say again that there is no space
}

func mount(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "mount", args...).CombinedOutput(); err != nil {
		t.Fatalf("mount %q as root: %v: %s", args, err, out)
	}
}

// whileFull fills the disk while people talk: what they send is refused in plain words and kept by their
// clients, everything else goes on, and once there is space so does sending.
func whileFull(t *testing.T, p *people, dir string, fill func() (free func())) {
	ctx := t.Context()
	streams := []*ears{listen(t, p, chat.WebSocket), listen(t, p, chat.EventSource), listen(t, p, chat.LongPoll)}
	if err := p.send(ctx, p.link(chat.Poll), 5); err != nil {
		t.Fatal(err)
	}
	free := fill()

	var kept []chat.Draft
	for _, link := range []chat.Link{p.link(chat.Poll), streams[0].link} {
		for range 5 {
			d := p.draft()
			kept = append(kept, d)
			_, err := link.Send(ctx, d)
			told, ok := errors.AsType[*chat.Error](err)
			if !ok || told.Code != chat.CodeStorageFull || chat.Final(err) || !strings.Contains(told.Message, "storage is full") {
				t.Fatalf("a send while the disk is full: %v", err)
			}
		}
	}
	var status int
	answer(t, p, http.MethodPost, "/api/send", kept[0], &status)
	if status != http.StatusInsufficientStorage {
		t.Errorf("the status is %d", status)
	}
	if log, err := p.srv.Log(ctx, p.acct, p.room); err != nil || len(log) == 0 {
		t.Errorf("reading while the disk is full: %d events, %v", len(log), err)
	}
	if _, err := p.srv.Snapshot(ctx, p.acct); err != nil {
		t.Errorf("a snapshot while the disk is full: %v", err)
	}
	streams = append(streams, listen(t, p, chat.EventSource)) // one can also come
	if _, err := p.link(chat.Poll).Send(ctx, chat.Draft{Room: p.room, Body: chat.Body{Typing: &chat.Typing{}}}); err != nil {
		t.Errorf("a signal while the disk is full: %v", err)
	}
	for _, s := range streams {
		s.hear(t, "a signal while the disk is full", func(e chat.Event) bool { return e.Typing != nil })
	}

	free()
	for i, d := range kept {
		e, err := p.link(chat.Poll).Send(ctx, d)
		if err == nil {
			err = p.answered(d, e)
		}
		if err != nil {
			t.Fatalf("sending %d again, now that there is space: %v", i, err)
		}
	}
	for _, s := range streams {
		s.hear(t, "what was sent again", func(e chat.Event) bool { return e.Nonce == kept[len(kept)-1].Nonce })
		s.close()
	}
	if err := p.srv.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	d := Drill{}
	d.judge(ctx, filepath.Join(dir, "data"), p)
	for _, s := range d.Wrong {
		t.Error(s)
	}
}

// answer does one request as the account's program and reads its status.
func answer(t *testing.T, p *people, method, path string, in any, status *int) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.srv.Base()+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.acct.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	*status = res.StatusCode
	_ = res.Body.Close() // nothing of it is read
}

// testSlow lets every flush take long: that slows, and does nothing else.
func testSlow(t *testing.T, binary string, template *Template) {
	dir := t.TempDir()
	p := inUse(t, binary, template, dir)
	detach := attach(t, p, "fsync:delay_exit=300ms")
	if err := p.together(t.Context(), 24); err != nil {
		t.Error(err)
	}
	detach()
	if err := p.srv.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	d := Drill{}
	d.judge(t.Context(), filepath.Join(dir, "data"), p)
	for _, s := range d.Wrong {
		t.Error(s)
	}
}

// testAccount lets the flush of a session fail: it is in the same file as the log, so the server may
// not go on with it.
func testAccount(t *testing.T, binary string, template *Template) {
	p := inUse(t, binary, template, t.TempDir())
	detach := attach(t, p, "fsync:error=EIO:when=1")
	body := strings.NewReader(`{"name":"ana","password":"correct horse ana"}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.srv.Base()+"/api/session", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", p.srv.Base())
	if res, err := http.DefaultClient.Do(req); err == nil {
		if res.StatusCode < 500 {
			t.Errorf("signing in without a disk is answered %s", res.Status)
		}
		_ = res.Body.Close() // nothing of it is read
	}
	select {
	case <-p.srv.Done():
	case <-time.After(patience):
		t.Error("the server goes on with a file that it could not flush")
	}
	detach()
	if t.Failed() {
		return
	}
	if said := p.srv.Said(); p.srv.Exit() == nil || !strings.Contains(said, "start again when this is mended") {
		t.Errorf("the server ended with %v, and said: %s", p.srv.Exit(), said)
	}
	if _, err := p.srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.send(t.Context(), p.link(chat.Poll), 1); err != nil {
		t.Error(err)
	}
}
