package hub_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/hub"
	"parley/server/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a hub over a real store, with people in its first room.
type world struct {
	t     *testing.T
	ctx   context.Context
	store *sqlite.Store
	hub   *hub.Hub
	room  chat.RoomID
	users []chat.UserID
}

func newWorld(t *testing.T, people int, o hub.Options) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // hundreds of commits, on a disk that may be slow
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, ctx: ctx, store: store}
	w.hub, err = hub.New(ctx, store, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.hub.Close(), store.Close()); err != nil {
			t.Error(err)
		}
		cancel()
	})
	for i := range people {
		u := w.user(fmt.Sprintf("user %d", i))
		w.users = append(w.users, u)
		w.admit(u)
		if i == 0 {
			w.room = w.newRoom(u, chat.Public, "General").ID
		}
	}
	return w
}

func (w *world) user(name string) chat.UserID {
	w.t.Helper()
	u := chat.User{ID: chat.NewID[chat.UserID](), Name: name}
	if err := w.store.AddUser(w.ctx, auth.User{User: u, Key: name, Hash: "-", Created: time.Now()}); err != nil {
		w.t.Fatal(err)
	}
	return u.ID
}

func (w *world) admit(u chat.UserID) {
	w.t.Helper()
	if err := w.hub.Admit(w.ctx, u); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newRoom(u chat.UserID, kind chat.RoomKind, name string, members ...chat.UserID) chat.Room {
	w.t.Helper()
	r, err := w.hub.CreateRoom(w.ctx, u, chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: kind, Name: name, Members: members})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) say(u chat.UserID, room chat.RoomID, text string) chat.Event {
	w.t.Helper()
	return w.send(u, room, chat.Body{Message: &chat.Message{Text: text}})
}

func (w *world) send(u chat.UserID, room chat.RoomID, b chat.Body) chat.Event {
	w.t.Helper()
	e, err := w.hub.Send(w.ctx, u, chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: b})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// texts follows u's feed from the cursor until a message says "end", and
// returns what the room's messages said before.
func (w *world) texts(u chat.UserID, room chat.RoomID, from chat.Cursor) []string {
	var got []string
	for b, err := range w.hub.Link(u).Follow(w.ctx, from) {
		if err != nil {
			w.t.Errorf("follow: %v", err)
			return got
		}
		for _, e := range b.Events {
			if e.Room != room || e.Message == nil {
				continue
			}
			if e.Message.Text == "end" {
				return got
			}
			got = append(got, e.Message.Text)
		}
	}
	w.t.Error("the feed ended before its end")
	return got
}

func (w *world) cursor(u chat.UserID) chat.Cursor {
	w.t.Helper()
	s, err := w.hub.Snapshot(w.ctx, u)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Cursor
}

// TestJoinWhilePublishing lets readers come back at every batch while several write, with
// tails of several sizes: joining must neither miss nor repeat, whether the
// tail or the store serves it.
func TestJoinWhilePublishing(t *testing.T) {
	for _, ring := range []int{4, 64, 16_384} {
		t.Run(fmt.Sprintf("ring %d", ring), func(t *testing.T) {
			const writers, each, readers = 4, 150, 6
			w := newWorld(t, 3, hub.Options{Ring: ring})
			from := w.cursor(w.users[1])

			var group sync.WaitGroup
			seqs := make([][]chat.Seq, readers)
			for i := range readers {
				group.Go(func() { seqs[i] = w.hop(w.users[i%3], from, writers*each) })
			}
			for range writers {
				group.Go(func() {
					for n := range each {
						if _, err := w.hub.Send(w.ctx, w.users[0], chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: w.room,
							Body: chat.Body{Message: &chat.Message{Text: fmt.Sprint(n)}}}); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			for i, got := range seqs {
				for n := 1; n < len(got); n++ {
					if got[n] != got[n-1]+1 {
						t.Fatalf("reader %d was given seq %d after %d", i, got[n], got[n-1])
					}
				}
				if len(got) != writers*each {
					t.Errorf("reader %d was given %d messages, want %d", i, len(got), writers*each)
				}
			}
		})
	}
}

// hop reads n messages of the first room, coming back after every batch.
func (w *world) hop(u chat.UserID, from chat.Cursor, n int) (seqs []chat.Seq) {
	for len(seqs) < n && w.ctx.Err() == nil {
		empty := true
		for b, err := range w.hub.Link(u).Follow(w.ctx, from) {
			if err != nil {
				w.t.Errorf("follow: %v", err)
				return seqs
			}
			from = b.Cursor
			for _, e := range b.Events {
				if e.Room == w.room && e.Message != nil {
					seqs = append(seqs, e.Seq)
					empty = false
				}
			}
			if !empty || len(seqs) == n {
				break
			}
		}
	}
	return seqs
}

// TestBehind lets a watcher's pointers pile up beyond the bound: it is told so, and reads all of it from the log.
func TestBehind(t *testing.T) {
	for _, ring := range []int{16, 16_384} {
		w := newWorld(t, 1, hub.Options{Ring: ring})
		woken := 0
		var mu sync.Mutex
		watcher, err := w.hub.Watch(w.ctx, w.users[0], w.cursor(w.users[0]), hub.WatchOptions{Wake: func() {
			mu.Lock()
			woken++
			mu.Unlock()
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer watcher.Close()
		const n = 3 * chat.MaxBatch
		var want, got []chat.Seq
		for i := range n {
			want = append(want, w.say(w.users[0], w.room, fmt.Sprint(i)).Seq)
		}
		mu.Lock()
		if woken != 1 {
			t.Errorf("woken %d times before it took anything, want once", woken)
		}
		mu.Unlock()
		if _, _, behind := watcher.Take(); !behind {
			t.Fatalf("%d entries pile up for one watcher", n)
		}
		for level := false; !level; {
			var entries []*hub.Entry
			var err error
			if entries, _, level, err = watcher.CatchUp(w.ctx); err != nil {
				t.Fatal(err)
			}
			if len(entries) > chat.MaxBatch {
				t.Errorf("%d entries at a time, want at most %d", len(entries), chat.MaxBatch)
			}
			got = append(got, messages(entries)...)
		}
		want = append(want, w.say(w.users[0], w.room, "after").Seq)
		entries, cursor, behind := watcher.Take()
		if behind || len(messages(entries)) != 1 {
			t.Fatalf("level again, but Take gives %d messages, behind %v", len(messages(entries)), behind)
		}
		got = append(got, messages(entries)...)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("ring %d: read (-want +got):\n%s", ring, d)
		}
		if last := entries[len(entries)-1]; cursor != last.Cursor() {
			t.Errorf("the cursor %q is not past the last entry, %q", cursor, last.Cursor())
		}
	}
}

// messages returns the numbers of the messages among entries; presence may come at any time.
func messages(entries []*hub.Entry) (seqs []chat.Seq) {
	for _, e := range entries {
		if e.Event.Message != nil {
			seqs = append(seqs, e.Event.Seq)
		}
	}
	return seqs
}

// TestCutOff: who is sent out reads the event that says so, and nothing after it,
// live and from any earlier cursor.
func TestCutOff(t *testing.T) {
	w := newWorld(t, 2, hub.Options{})
	ana, ben := w.users[0], w.users[1]
	private := w.newRoom(ana, chat.Private, "plans", ben).ID
	from := w.cursor(ben)

	w.say(ana, private, "before")
	out := w.send(ana, private, chat.Body{Member: &chat.Member{User: ben, State: chat.Left}})
	w.say(ana, private, "secret")
	w.say(ana, w.room, "end")

	var last chat.Seq
	for b, err := range w.hub.Link(ben).Follow(w.ctx, from) {
		if err != nil {
			t.Fatal(err)
		}
		done := false
		for _, e := range b.Events {
			if e.Room == private {
				last = e.Seq
			}
			done = done || e.Message != nil && e.Message.Text == "end"
		}
		if done {
			break
		}
	}
	if last != out.Seq {
		t.Errorf("the last event ben was given is %d, want that of leaving, %d", last, out.Seq)
	}
	if _, err := w.hub.Send(w.ctx, ben, chat.Draft{Nonce: "n", Room: private, Body: chat.Body{Message: &chat.Message{Text: "x"}}}); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("ben writes after leaving: %v, want not found", err)
	}
	if _, err := w.hub.Send(w.ctx, ben, chat.Draft{Room: private, Body: chat.Body{Typing: &chat.Typing{}}}); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("ben types after leaving: %v, want not found", err)
	}
	if _, err := w.hub.History(w.ctx, ben, private, 0, 10); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("ben reads history after leaving: %v, want not found", err)
	}
}

// TestNewRoomReachesItsMembers: a member who watches is given a new room from its first event on.
func TestNewRoomReachesItsMembers(t *testing.T) {
	w := newWorld(t, 2, hub.Options{})
	ana, ben := w.users[0], w.users[1]
	from := w.cursor(ben)
	watcher, err := w.hub.Watch(w.ctx, ben, from, hub.WatchOptions{Wake: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close()
	private := w.newRoom(ana, chat.Private, "plans", ben).ID
	entries, _, _ := watcher.Take()
	var live []chat.Seq
	for _, e := range entries {
		if e.Event.Room == private {
			live = append(live, e.Event.Seq)
		}
	}
	if d := cmp.Diff([]chat.Seq{1, 2, 3}, live); d != "" {
		t.Errorf("live (-want +got):\n%s", d)
	}
}

func TestReset(t *testing.T) {
	w := newWorld(t, 1, hub.Options{MaxCatchUp: 5})
	old := w.cursor(w.users[0])
	for range 6 {
		w.say(w.users[0], w.room, "x")
	}
	for name, c := range map[string]chat.Cursor{"rubbish": "rubbish", "too old": old, "future": w.cursor(w.users[0]) + "z"} {
		for _, err := range w.hub.Link(w.users[0]).Follow(w.ctx, c) {
			if !errors.Is(err, chat.ErrReset) {
				t.Errorf("%s cursor: %v, want a reset", name, err)
			}
			break
		}
	}
}

// TestDeletedLeavesTheTail: after a deletion an earlier cursor brings a blank, not the text.
func TestDeletedLeavesTheTail(t *testing.T) {
	w := newWorld(t, 1, hub.Options{})
	u := w.users[0]
	from := w.cursor(u)
	m := w.say(u, w.room, "regret")
	w.send(u, w.room, chat.Body{Edit: &chat.Edit{Seq: m.Seq, Text: "more regret"}})
	w.say(u, w.room, "kept")
	w.send(u, w.room, chat.Body{Delete: &chat.Delete{Seq: m.Seq}})
	w.say(u, w.room, "end")
	if d := cmp.Diff([]string{"kept"}, w.texts(u, w.room, from)); d != "" {
		t.Errorf("texts (-want +got):\n%s", d)
	}
}

// TestSignalsAcrossPolls: a reader that comes and goes is given the typing and the
// presence of the meantime, once.
func TestSignalsAcrossPolls(t *testing.T) {
	w := newWorld(t, 2, hub.Options{})
	ana, ben := w.users[0], w.users[1]
	first, err := w.hub.Watch(w.ctx, ben, "", hub.WatchOptions{Wake: func() {}, Grace: hub.PollGrace})
	if err != nil {
		t.Fatal(err)
	}
	_, from, _ := first.Take()
	first.Close()
	w.send(ana, w.room, chat.Body{Typing: &chat.Typing{}})

	typing := func(from chat.Cursor) (n int, next chat.Cursor) {
		watcher, err := w.hub.Watch(w.ctx, ben, from, hub.WatchOptions{Wake: func() {}})
		if err != nil {
			t.Fatal(err)
		}
		defer watcher.Close()
		entries, next, _ := watcher.Take()
		for _, e := range entries {
			if e.Event.Typing != nil {
				n++
			}
		}
		return n, next
	}
	n, next := typing(from)
	if again, _ := typing(next); n != 1 || again != 0 {
		t.Errorf("typing arrives %d times, then %d; want 1, then 0", n, again)
	}
}

func TestPresence(t *testing.T) {
	w := newWorld(t, 2, hub.Options{})
	ana, ben := w.users[0], w.users[1]
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	var group sync.WaitGroup
	defer group.Wait()
	for b, err := range w.hub.Link(ana).Follow(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Events) == 0 { // the way is open: now ben comes
			group.Go(func() {
				for _, err := range w.hub.Link(ben).Follow(ctx, "") {
					if err != nil {
						t.Errorf("ben follows: %v", err)
					}
				}
			})
		}
		for _, e := range b.Events {
			if p := e.Presence; p != nil {
				for _, u := range p.Online {
					if u == ben {
						if s, err := w.hub.Snapshot(ctx, ana); err != nil || len(s.Online) != 2 {
							t.Errorf("snapshot says %v are online, %v; want both", s.Online, err)
						}
						cancel()
					}
				}
			}
		}
	}
	if w.ctx.Err() != nil {
		t.Error("ana was not told that ben came")
	}
}

// TestClose: what was accepted is answered, feeds end with an error, and nothing more is accepted.
func TestClose(t *testing.T) {
	w := newWorld(t, 1, hub.Options{})
	open := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		for b, err := range w.hub.Link(w.users[0]).Follow(w.ctx, "") {
			if err != nil {
				ended <- err
				return
			}
			if len(b.Events) == 0 {
				close(open)
			}
		}
		ended <- nil
	}()
	<-open
	if err := w.hub.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("the feed ended with %v, want unavailable", err)
	}
	if _, err := w.hub.Send(w.ctx, w.users[0], chat.Draft{Nonce: "n", Room: w.room, Body: chat.Body{Message: &chat.Message{Text: "x"}}}); !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("send after close: %v, want unavailable", err)
	}
}

// crowded is a store whose rooms have no place left.
type crowded struct{ hub.Store }

func (s crowded) Append(ctx context.Context, group []hub.Append) ([]hub.Appended, error) {
	if len(group) == 1 && group[0].Draft.Member != nil {
		return []hub.Appended{{Err: &chat.Error{Code: chat.CodeTooLarge, Message: "the room is full", Max: chat.MaxMembers}}}, nil
	}
	return s.Store.Append(ctx, group)
}

// TestAdmitBesideAFullRoom: a first room without a place for one more keeps nobody out of the server.
func TestAdmitBesideAFullRoom(t *testing.T) {
	w := newWorld(t, 1, hub.Options{})
	u := chat.User{ID: chat.NewID[chat.UserID](), Name: "one more"}
	if err := w.store.AddUser(w.ctx, auth.User{User: u, Key: u.Name, Hash: "-", Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	h, err := hub.New(w.ctx, crowded{w.store}, hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }() // nothing to lose
	if err := h.Admit(w.ctx, u.ID); err != nil {
		t.Fatalf("not let in: %v", err)
	}
	s, err := h.Snapshot(w.ctx, u.ID)
	if err != nil || len(s.Rooms) != 1 || s.Rooms[0].ID != s.Self {
		t.Errorf("has the rooms %+v, %v; want the self room alone", s.Rooms, err)
	}
}

// TestAdmitOnce: who left the first room is not brought back by appearing again.
func TestAdmitOnce(t *testing.T) {
	w := newWorld(t, 2, hub.Options{})
	ben := w.users[1]
	w.send(ben, w.room, chat.Body{Member: &chat.Member{User: ben, State: chat.Left}})
	w.admit(ben)
	s, err := w.hub.Snapshot(w.ctx, ben)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Rooms {
		if r.ID == w.room {
			t.Error("ben is back in the room he left")
		}
	}
}
