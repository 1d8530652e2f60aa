// Package hubtest says what every hub.Store must do, as a test that the store's
// own test runs:
//
//	func TestStore(t *testing.T) { hubtest.TestStore(t, hubtest.Maker{…}) }
//
// A world is one store and some people in it. An oracle holds what the
// store should, in plain slices and maps, and says what it has to answer.
package hubtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/app/chat"
	"parley/server/hub"
)

// A Maker knows how to get a store of the kind under test. What fails is reported to t.
type Maker struct {
	// Open opens the store kept in dir, an empty directory at first.
	Open func(t testing.TB, dir string) hub.Store
	// Close closes it; it may be opened again.
	Close func(t testing.TB, s hub.Store)
	// AddUser adds an account, which a hub.Store knows but does not make.
	AddUser func(t testing.TB, s hub.Store, u chat.User)
}

// TestStore tests that a store does what hub.Store promises.
func TestStore(t *testing.T, m Maker) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"Empty", testEmpty},
		{"Order", testOrder},
		{"Create", testCreate},
		{"CreateAgain", testCreateAgain},
		{"Direct", testDirect},
		{"Self", testSelf},
		{"Idempotent", testIdempotent},
		{"Conflict", testConflict},
		{"Refused", testRefused},
		{"Stranger", testStranger},
		{"Delete", testDelete},
		{"Change", testChange},
		{"Spans", testSpans},
		{"Newcomers", testNewcomers},
		{"Public", testPublic},
		{"Pages", testPages},
		{"PagesOfOthers", testPagesOfOthers},
		{"PagesOfGone", testPagesOfGone},
		{"ManyRooms", testManyRooms},
		{"Digest", testDigest},
		{"Snapshot", testSnapshot},
		{"Unread", testUnread},
		{"Replay", testReplay},
		{"Concurrent", testConcurrent},
		{"Ended", testEnded},
		{"Model", testModel},
		{"Reopen", testReopen},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newWorld(t, m)) })
	}
}

// reporter is what a *testing.T and a *rapid.T have in common here.
type reporter interface {
	Helper()
	Fatalf(format string, args ...any)
}

// A world is one store and the people in it. Its methods end the test when the
// store refuses what it must not.
type world struct {
	t   reporter // of what went wrong
	tb  testing.TB
	ctx context.Context
	m   Maker
	dir string
	s   hub.Store
	n   int // makes names and times differ
}

func newWorld(t testing.TB, m Maker) *world {
	w := &world{t: t, tb: t, ctx: context.Background(), m: m, dir: t.TempDir()}
	w.s = m.Open(t, w.dir)
	t.Cleanup(func() { m.Close(t, w.s) })
	return w
}

// reopen closes the store and opens it again.
func (w *world) reopen() {
	w.m.Close(w.tb, w.s)
	w.s = w.m.Open(w.tb, w.dir)
}

// user adds an account.
func (w *world) user(name string) chat.UserID {
	u := chat.User{ID: chat.NewID[chat.UserID](), Name: name}
	w.m.AddUser(w.tb, w.s, u)
	return u.ID
}

// now is a time that differs from one call to the next, not always forwards.
func (w *world) now() time.Time {
	w.n++
	return time.Date(2026, 1, 2, 3, 4, w.n%60, w.n*1_234_567%1_000_000_000, time.UTC)
}

// draft asks for d to be appended, under a new nonce if it has none.
func (w *world) draft(from chat.UserID, d chat.Draft) hub.Append {
	if d.Nonce == "" {
		d.Nonce = chat.NewID[chat.Nonce]()
	}
	return hub.Append{From: from, At: w.now(), Draft: d}
}

// group appends; each result may be a refusal.
func (w *world) group(group ...hub.Append) []hub.Appended {
	w.t.Helper()
	results, err := w.s.Append(w.ctx, group)
	if err != nil {
		w.t.Fatalf("Append of %d: %v", len(group), err)
	}
	if len(results) != len(group) {
		w.t.Fatalf("Append of %d answered %d", len(group), len(results))
	}
	return results
}

// one appends one that must not be refused.
func (w *world) one(a hub.Append) hub.Appended {
	w.t.Helper()
	r := w.group(a)[0]
	if r.Err != nil {
		w.t.Fatalf("Append of %+v: refused: %v", a, r.Err)
	}
	return r
}

// send appends what must not be refused.
func (w *world) send(from chat.UserID, room chat.RoomID, b chat.Body) chat.Event {
	w.t.Helper()
	return w.one(w.draft(from, chat.Draft{Room: room, Body: b})).Event
}

func (w *world) say(from chat.UserID, room chat.RoomID, text string) chat.Event {
	w.t.Helper()
	return w.send(from, room, message(text))
}

func (w *world) create(from chat.UserID, kind chat.RoomKind, members ...chat.UserID) chat.RoomID {
	w.t.Helper()
	n := chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: kind, Members: members}
	if kind == chat.Public || kind == chat.Private {
		n.Name = fmt.Sprintf("room %d", w.n)
	}
	return w.one(hub.Append{From: from, At: w.now(), Create: &n}).Room
}

// refuse appends what must be refused with the code.
func (w *world) refuse(code chat.Code, a hub.Append) {
	w.t.Helper()
	r := w.group(a)[0]
	if chat.CodeOf(r.Err) != code || len(r.New) != 0 {
		w.t.Fatalf("Append of %+v = %+v; want it refused as %q", a, r, code)
	}
}

// log reads the whole log, in pages of odd sizes.
func (w *world) log() []hub.Logged {
	w.t.Helper()
	var all []hub.Logged
	var pos hub.Pos
	for {
		page, err := w.s.After(w.ctx, pos, 7)
		if err != nil {
			w.t.Fatalf("After(%d): %v", pos, err)
		}
		if len(page) == 0 {
			return all
		}
		all, pos = append(all, page...), page[len(page)-1].Pos
	}
}

// logOf reads all of u's view of the log after pos, in pages of limit.
func (w *world) logOf(u chat.UserID, pos hub.Pos, limit int) []hub.Logged {
	w.t.Helper()
	head, err := w.s.Head(w.ctx)
	if err != nil {
		w.t.Fatalf("Head: %v", err)
	}
	var all []hub.Logged
	for pos < head {
		page, seen, err := w.s.AfterFor(w.ctx, u, pos, limit)
		if err != nil {
			w.t.Fatalf("AfterFor(%d): %v", pos, err)
		}
		if seen <= pos || len(page) > limit || len(page) > 0 && page[len(page)-1].Pos > seen {
			w.t.Fatalf("AfterFor(%d, %d) = %d events, looked to %d", pos, limit, len(page), seen)
		}
		all, pos = append(all, page...), seen
	}
	if pos != head {
		w.t.Fatalf("AfterFor looked to %d; the head is %d", pos, head)
	}
	return all
}

// history reads all that u may read of a room, in pages of limit.
func (w *world) history(u chat.UserID, room chat.RoomID, limit int) []chat.Event {
	w.t.Helper()
	var all []chat.Event
	var before chat.Seq
	for {
		page, err := w.s.Before(w.ctx, u, room, before, limit)
		if err != nil {
			w.t.Fatalf("Before(%d): %v", before, err)
		}
		if len(page.Events) > limit || page.More && len(page.Events) == 0 {
			w.t.Fatalf("Before(%d, %d) = %d events, more: %t", before, limit, len(page.Events), page.More)
		}
		all = append(page.Events, all...)
		if !page.More {
			return all
		}
		before = page.Events[0].Seq
	}
}

func message(text string) chat.Body { return chat.Body{Message: &chat.Message{Text: text}} }

func joined(u chat.UserID) chat.Body {
	return chat.Body{Member: &chat.Member{User: u, State: chat.Joined}}
}

func left(u chat.UserID) chat.Body {
	return chat.Body{Member: &chat.Member{User: u, State: chat.Left}}
}

func deleted(seq chat.Seq) chat.Body { return chat.Body{Delete: &chat.Delete{Seq: seq}} }

func edited(seq chat.Seq, text string) chat.Body {
	return chat.Body{Edit: &chat.Edit{Seq: seq, Text: text}}
}

func read(room chat.RoomID, seq chat.Seq) chat.Body {
	return chat.Body{Read: &chat.Read{Room: room, Seq: seq}}
}

// same ends the test unless got is what is wanted; nothing at all and an empty list are the same.
func same(t reporter, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b *chat.Error) bool { return chat.CodeOf(a) == chat.CodeOf(b) })); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// events are those of a piece of log.
func events(log []hub.Logged) []chat.Event {
	all := make([]chat.Event, len(log))
	for i, l := range log {
		all[i] = l.Event
	}
	return all
}
