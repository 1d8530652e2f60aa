package model_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/model"
)

const (
	you, ana, ben = chat.UserID("YOU"), chat.UserID("ANA"), chat.UserID("BEN")
	square, self  = chat.RoomID("SQUARE"), chat.RoomID("SELF")
)

// A story is a model of a room in which things happen.
type story struct {
	t   *testing.T
	m   *model.Model
	seq chat.Seq
	now time.Time
}

func begin(t *testing.T) *story {
	s := &story{t: t, m: model.New(time.UTC), now: noon}
	s.m.Reset(chat.Snapshot{
		You: you, Self: self, Cursor: "0",
		Rooms: []chat.Room{
			{ID: square, Kind: chat.Public, Name: "Square", Creator: ana, Members: []chat.UserID{you, ana, ben}},
			{ID: self, Kind: chat.Self, Members: []chat.UserID{you}},
		},
		Users: []chat.User{{ID: you, Name: "you"}, {ID: ana, Name: "Ana"}, {ID: ben, Name: "ben"}},
	})
	s.m.Open(square)
	return s
}

// happens applies an event of the room.
func (s *story) happens(from chat.UserID, b chat.Body) chat.Event {
	s.seq++
	e := chat.Event{Room: square, Seq: s.seq, From: from, At: s.now, Body: b}
	s.m.Apply(chat.Batch{Events: []chat.Event{e}, Cursor: chat.Cursor(fmt.Sprint(s.seq))}, s.now)
	return e
}

func (s *story) say(from chat.UserID, text string) chat.Event {
	return s.happens(from, chat.Body{Message: &chat.Message{Text: text}})
}

func (s *story) view() *model.View {
	s.t.Helper()
	v := s.m.View(s.now, model.SignedIn, model.Connection{})
	if v.Room == nil {
		s.t.Fatal("no room is shown")
	}
	return v
}

// screen writes down what the room's screen has, a line a row.
func screen(r *model.RoomView) []string {
	var lines []string
	row := func(r model.Row) {
		who := map[bool]string{true: r.Name + ": ", false: "  "}[r.First]
		switch r.Kind {
		case model.RowMessage:
			line := who + r.Text
			if r.Edited {
				line += " (edited)"
			}
			if r.Deleted {
				line += "[deleted]"
			}
			line += map[model.SendState]string{model.Queued: " queued", model.Sending: " sending", model.Failed: " failed: " + string(r.Fault)}[r.State]
			lines = append(lines, line)
		case model.RowDay:
			lines = append(lines, "-- "+r.At.Format(time.DateOnly))
		case model.RowNew:
			lines = append(lines, "-- new")
		case model.RowJoined:
			lines = append(lines, r.User+" joined, by "+r.By)
		case model.RowLeft:
			lines = append(lines, r.User+" left, by "+r.By)
		case model.RowCreated:
			lines = append(lines, r.Name+" made the room")
		case model.RowChanged:
			lines = append(lines, r.Name+" named it "+r.User)
		}
	}
	for _, c := range r.Chunks {
		for _, x := range c.Rows {
			row(x)
		}
	}
	for _, x := range r.Pending.Rows {
		row(x)
	}
	return lines
}

func (s *story) shows(want ...string) {
	s.t.Helper()
	if d := cmp.Diff(want, screen(s.view().Room)); d != "" {
		s.t.Fatalf("(-want +got)\n%s", d)
	}
}

func TestTimeline(t *testing.T) {
	s := begin(t)
	s.happens(ana, chat.Body{Change: &chat.Change{Kind: chat.Public, Name: "Square"}})
	s.happens(ana, chat.Body{Member: &chat.Member{User: ana, Name: "Ana", State: chat.Joined}})
	s.happens(ana, chat.Body{Member: &chat.Member{User: ben, Name: "ben", State: chat.Joined}})
	s.say(ana, "one")
	s.now = s.now.Add(4 * time.Minute)
	s.say(ana, "two")
	s.now = s.now.Add(5 * time.Minute)
	s.say(ana, "three")
	s.say(ben, "four")
	s.happens(ben, chat.Body{Member: &chat.Member{User: ben, Name: "ben", State: chat.Left}})
	s.now = s.now.Add(12 * time.Hour)
	s.say(ana, "five")
	s.happens(ana, chat.Body{Change: &chat.Change{Kind: chat.Public, Name: "Place"}})
	s.happens(ana, chat.Body{}) // of a kind that this program does not know
	s.say(ana, "six")
	s.shows("-- 2026-03-01", "Ana made the room", "ben joined, by Ana", "Ana: one", "  two", "Ana: three", "ben: four",
		"ben left, by ", "-- 2026-03-02", "Ana: five", "Ana named it Place", "Ana: six")
	if v := s.view(); v.Room.Name != "Place" || len(v.Room.Members) != 2 || v.Rooms[0].Last != "six" || len(v.Rooms) != 1 {
		t.Errorf("%+v", v)
	}
}

func TestEditsAndDeletions(t *testing.T) {
	s := begin(t)
	one, two := s.say(ana, "one"), s.say(ana, "two")
	edit := func(seq chat.Seq, text string) { s.happens(ana, chat.Body{Edit: &chat.Edit{Seq: seq, Text: text}}) }
	edit(one.Seq, "uno")
	edit(one.Seq, "eins")
	s.shows("-- 2026-03-01", "Ana: eins (edited)", "  two")
	edit(two.Seq, "a secret")
	s.happens(ana, chat.Body{Delete: &chat.Delete{Seq: two.Seq}})
	edit(99, "of something never seen")
	s.shows("-- 2026-03-01", "Ana: eins (edited)", "  [deleted]")
	v := s.view()
	if v.Rooms[0].Last != "eins" || v.Rooms[0].Unread != 1 {
		t.Errorf("%+v", v.Rooms[0])
	}
	known, err := s.m.Save()
	if err != nil || strings.Contains(string(known), "secret") {
		t.Errorf("what was deleted is kept: %s, %v", known, err)
	}
}

// The divider stands where reading ended when the room was opened, whatever is read or comes since.
func TestDivider(t *testing.T) {
	s := begin(t)
	s.m.Open("")
	s.say(ana, "one")
	s.m.Read(square, 1)
	s.say(you, "mine")
	s.say(ana, "two")
	s.m.Open(square)
	want := []string{"-- 2026-03-01", "Ana: one", "you: mine", "-- new", "Ana: two"}
	s.shows(want...)
	s.m.Read(square, 3)
	s.say(ana, "three")
	s.shows(append(want, "  three")...)
	if v := s.view(); v.Room.FirstNew != 3 || v.Unread != 1 {
		t.Errorf("first new %d, unread %d", v.Room.FirstNew, v.Unread)
	}
	s.m.Divide()
	s.shows("-- 2026-03-01", "Ana: one", "you: mine", "Ana: two", "-- new", "Ana: three")
	// Another device reads on.
	s.m.Apply(chat.Batch{Events: []chat.Event{{Room: self, Seq: 1, From: you, Body: chat.Body{Read: &chat.Read{Room: square, Seq: 4}}}}}, s.now)
	if v := s.view(); v.Unread != 0 {
		t.Errorf("unread %d", v.Unread)
	}
}

// A part that did not change is shared, and its version says so; one that did has another.
func TestVersions(t *testing.T) {
	s := begin(t)
	for i := range 3 * model.ChunkSize {
		s.say([]chat.UserID{ana, ben}[i%2], fmt.Sprint(i))
	}
	before := s.view()
	s.say(ana, "more")
	s.happens(ana, chat.Body{Edit: &chat.Edit{Seq: 60, Text: "other"}})
	after := s.view()
	if len(before.Room.Chunks) != 4 || len(after.Room.Chunks) != 4 {
		t.Fatalf("%d and %d chunks", len(before.Room.Chunks), len(after.Room.Chunks))
	}
	for i, want := range []bool{true, false, true, false} { // Seq 60 is in slot 1, and the newest in slot 3
		b, a := before.Room.Chunks[i], after.Room.Chunks[i]
		if a.Index != i || (a.Version == b.Version) != want {
			t.Errorf("chunk %d: version %d, then %d", a.Index, b.Version, a.Version)
		}
	}
	again := s.view()
	if again.RoomsVer != after.RoomsVer || again.PeopleVer != after.PeopleVer || again.Room.Pending.Version != after.Room.Pending.Version {
		t.Error("what did not change has another version")
	}
	s.m.Apply(chat.Batch{Events: []chat.Event{{Body: chat.Body{Presence: &chat.Presence{Online: []chat.UserID{ana}}}}}}, s.now)
	if v := s.view(); v.PeopleVer == again.PeopleVer || !v.People[0].Online || v.People[0].Name != "Ana" {
		t.Errorf("after Ana came: %+v", v.People)
	}
}

// Who is here is known after a reload, which goes on from the cursor, until it is said anew.
func TestWhoIsHereIsKept(t *testing.T) {
	s := begin(t)
	tell := func(m *model.Model, p chat.Presence) {
		m.Apply(chat.Batch{Events: []chat.Event{{Body: chat.Body{Presence: &p}}}, Cursor: "EPOCH.1"}, s.now)
	}
	here := func(m *model.Model) (names []string) {
		for _, p := range m.View(s.now, model.SignedIn, model.Connection{}).People {
			if p.Online && p.ID != you {
				names = append(names, p.Name)
			}
		}
		return names
	}
	tell(s.m, chat.Presence{Online: []chat.UserID{ana, ben}})
	tell(s.m, chat.Presence{Offline: []chat.UserID{ben}})
	known, err := s.m.Save()
	if err != nil {
		t.Fatal(err)
	}
	m := model.New(time.UTC)
	if err := m.Load(known, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"Ana"}, here(m)); d != "" {
		t.Errorf("after a reload (-want +got):\n%s", d)
	}
	tell(m, chat.Presence{Anew: true, Online: []chat.UserID{ben}})
	if d := cmp.Diff([]string{"ben"}, here(m)); d != "" {
		t.Errorf("said anew (-want +got):\n%s", d)
	}
}

// A long timeline does not grow for ever, and what was cut can be loaded again.
func TestBounds(t *testing.T) {
	s := begin(t)
	for i := range 12_000 {
		s.say(ana, fmt.Sprint(i))
	}
	v := s.view()
	rows := 0
	for _, c := range v.Room.Chunks {
		rows += len(c.Rows)
	}
	if rows > 4_001 || !v.Room.More || v.Unread != 12_000 {
		t.Errorf("%d rows, more %v, unread %d", rows, v.Room.More, v.Unread)
	}
	s.m.Open("")
	before, ok := s.m.Older(square)
	if !ok || before != 12_000-200+1 {
		t.Errorf("after the room was closed its log begins at %d", before)
	}
	if _, ok := s.m.Older(square); ok {
		t.Error("two pages are loaded at once")
	}
	s.m.Page(square, 7, chat.History{Events: []chat.Event{{Room: square, Seq: 6}}}, true) // asked for long ago
	if again, _ := s.m.Older(square); again != before {
		t.Errorf("a page that does not join up was taken in, down to %d", again)
	}
	known, err := s.m.Save()
	if err != nil || len(known) > 100_000 {
		t.Errorf("%d bytes are kept on disk (%v)", len(known), err)
	}
	if s.m.SaveDraft(square, strings.Repeat("x", 1<<20)) {
		t.Error("a draft of a megabyte was taken")
	}
	for range model.MaxOutbox {
		s.m.Queue(draft(chat.NewID[chat.Nonce](), "x"), s.now)
	}
	if s.m.Queue(draft("last", "x"), s.now) {
		t.Error("the outbox has no bound")
	}
}

func TestTyping(t *testing.T) {
	s := begin(t)
	typing := func(u chat.UserID) {
		s.m.Apply(chat.Batch{Events: []chat.Event{{Room: square, From: u, Body: chat.Body{Typing: &chat.Typing{}}}}}, s.now)
	}
	typing(you)
	typing(ben)
	typing(ana)
	if got := s.view().Room.Typing; !cmp.Equal(got, []string{"Ana", "ben"}) {
		t.Errorf("%q are writing", got)
	}
	s.say(ana, "done")
	if got := s.view().Room.Typing; !cmp.Equal(got, []string{"ben"}) {
		t.Errorf("%q are writing", got)
	}
	next := s.m.Expire(s.now)
	s.now = next
	if got := s.view().Room.Typing; len(got) != 0 || !s.m.Expire(s.now).IsZero() {
		t.Errorf("%q are writing for ever", got)
	}
}

// TestPageNamesWhoLeft: the author of an old page who is in no room any more has a name.
func TestPageNamesWhoLeft(t *testing.T) {
	const cai chat.UserID = "CCCCCCCCCCCCCCCCCCCCCCCCCC"
	m := model.New(time.UTC)
	m.Reset(chat.Snapshot{You: you, Self: self, Cursor: "0", Users: []chat.User{{ID: you, Name: "you"}}, Rooms: []chat.Room{{
		ID: square, Kind: chat.Public, Name: "Square", Members: []chat.UserID{you}, Head: 2, More: true,
		Events: []chat.Event{{Room: square, Seq: 2, From: you, At: noon, Body: chat.Body{Message: &chat.Message{Text: "now"}}}},
	}}})
	m.Open(square)
	before, ok := m.Older(square)
	if !ok {
		t.Fatal("there is no older page")
	}
	m.Page(square, before, chat.History{
		Events: []chat.Event{{Room: square, Seq: 1, From: cai, At: noon, Body: chat.Body{Message: &chat.Message{Text: "then"}}}},
		Users:  []chat.User{{ID: cai, Name: "cai"}},
	}, true)
	got := screen(m.View(noon, model.SignedIn, model.Connection{}).Room)
	if d := cmp.Diff([]string{"-- " + noon.Format(time.DateOnly), "cai: then", "you: now"}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
