package model_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/app/chat"
	"parley/app/chat/chattest"
	"parley/app/model"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A tale is what happened on a server, as one user's client may come to know it.
type tale struct {
	you       chat.UserID
	server    *chattest.Memory
	events    []chat.Event    // your feed, as it was live
	snapshots []chat.Snapshot // after each of the events; the first before any
}

// tell draws a tale.
func tell(t *rapid.T) *tale {
	m := chattest.NewMemory()
	clock := noon
	m.Now = func() time.Time {
		clock = clock.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second)
		return clock
	}
	users := []chat.UserID{m.AddUser("you").ID, m.AddUser("ana").ID, m.AddUser("ben").ID}
	rooms := []chat.RoomID{
		m.CreateRoom(users[1], chat.NewRoom{Kind: chat.Public, Name: "Square", Members: users[:1]}).ID,
		m.CreateRoom(users[1], chat.NewRoom{Kind: chat.Private, Name: "Den", Members: users[:1]}).ID,
		m.CreateRoom(users[2], chat.NewRoom{Kind: chat.Direct, Members: users[:1]}).ID,
	}
	w := &tale{you: users[0], server: m, snapshots: []chat.Snapshot{m.Snapshot(users[0], 1000)}}
	link := m.Link(w.you)
	self := w.snapshots[0].Self
	for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
		who := rapid.SampledFrom(users).Draw(t, "who")
		d := chat.Draft{Nonce: chat.Nonce(fmt.Sprint("n", i)), Room: rapid.SampledFrom(rooms).Draw(t, "room")}
		seq := chat.Seq(rapid.IntRange(1, 20).Draw(t, "seq"))
		switch rapid.SampledFrom([]string{"say", "say", "say", "edit", "delete", "come", "go", "name", "read"}).Draw(t, "what") {
		case "say":
			d.Message = &chat.Message{Text: fmt.Sprint("message ", i)}
		case "edit":
			d.Edit = &chat.Edit{Seq: seq, Text: fmt.Sprint("edited ", i)}
		case "delete":
			d.Delete = &chat.Delete{Seq: seq}
		case "come":
			d.Member = &chat.Member{User: rapid.SampledFrom(users).Draw(t, "whom"), State: chat.Joined}
		case "go":
			d.Member = &chat.Member{User: rapid.SampledFrom(users).Draw(t, "whom"), State: chat.Left}
		case "name":
			d.Change = &chat.Change{Kind: chat.Public, Name: fmt.Sprint("Square ", i)}
		case "read":
			d.Read = &chat.Read{Room: d.Room, Seq: seq}
			who, d.Room = w.you, self
		}
		if _, err := m.Link(who).Send(context.Background(), d); err != nil {
			continue // it was not allowed: nothing happened
		}
		now := m.Snapshot(w.you, 1000)
		for b, err := range link.Follow(t.Context(), w.snapshots[len(w.snapshots)-1].Cursor) {
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range b.Events {
				w.events = append(w.events, e)
				w.snapshots = append(w.snapshots, now)
			}
			if len(b.Events) == 0 {
				w.snapshots[len(w.snapshots)-1] = now // it happened out of sight
			}
			break
		}
	}
	return w
}

// play lets a model live through the events from i on, cut into runs that may begin
// before what is known already.
func (w *tale) play(t *rapid.T, m *model.Model, i, end int) {
	for i < end {
		from := rapid.IntRange(max(0, i-8), i).Draw(t, "from")
		i = rapid.IntRange(i+1, end).Draw(t, "to")
		m.Apply(chat.Batch{Events: slices.Clone(w.events[from:i]), Cursor: w.snapshots[i].Cursor}, noon)
		if m.Stale() {
			i = rapid.IntRange(i, end).Draw(t, "snapshot")
			m.Reset(w.snapshots[i])
		}
	}
}

// look is all that a person can see of the rooms.
func look(m *model.Model, rooms []chat.Room) string {
	var b strings.Builder
	for _, r := range rooms {
		m.Open(r.ID)
		v := m.View(noon, model.SignedIn, model.Connection{})
		for _, i := range v.Rooms {
			if i.Current {
				fmt.Fprintf(&b, "%s %q unread %d, last %q at %v\n", i.Kind, i.Name, i.Unread, i.Last, i.LastAt)
			}
		}
		if v.Room == nil {
			fmt.Fprintln(&b, r.Kind, "is not there")
			continue
		}
		v.Room.Pending.Version = 0
		fmt.Fprintf(&b, "head %d, new %d, more %v, topic %q\n", v.Room.Head, v.Room.FirstNew, v.Room.More, v.Room.Topic)
		for _, p := range v.Room.Members {
			fmt.Fprintln(&b, "  member", p.Name)
		}
		for _, c := range v.Room.Chunks {
			for _, row := range c.Rows {
				fmt.Fprintf(&b, "  %d %+v\n", c.Index, row)
			}
		}
	}
	return b.String()
}

func same(t interface {
	Helper()
	Fatalf(string, ...any)
}, what, want, got string) {
	t.Helper()
	if want != got {
		t.Fatalf("%s: (-want +got)\n%s", what, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
}

// However events come, cut, repeated, overlapping, and wherever a client began, it shows the same
// as a snapshot of then: for every kind of event that there is. (T26)
func TestEverythingOnce(t *testing.T) {
	told := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		w := tell(t)
		n := len(w.events)
		for _, e := range w.events {
			for kind, body := range reflect.ValueOf(e.Body).Fields() {
				told[kind.Name] = told[kind.Name] || !body.IsNil()
			}
		}
		last := w.snapshots[n]
		begin := func(i int) *model.Model {
			m := model.New(time.UTC)
			m.Reset(w.snapshots[i])
			return m
		}
		want := look(begin(n), last.Rooms)

		m := begin(0)
		w.play(t, m, 0, n)
		same(t, "from the beginning", want, look(m, last.Rooms))

		i := rapid.IntRange(0, n).Draw(t, "begin")
		m = begin(i)
		w.play(t, m, i, n)
		same(t, "from a snapshot", want, look(m, last.Rooms))

		// A snapshot may be older than what is known.
		j := rapid.IntRange(0, n).Draw(t, "ahead")
		m = begin(0)
		w.play(t, m, 0, j)
		i = rapid.IntRange(0, n).Draw(t, "again")
		m.Reset(w.snapshots[i])
		w.play(t, m, i, n)
		same(t, "after a reset", want, look(m, last.Rooms))

		known, err := m.Save()
		if err != nil {
			t.Fatal(err)
		}
		m = model.New(time.UTC)
		if err := m.Load(known, nil); err != nil {
			t.Fatal(err)
		}
		same(t, "after a reload", want, look(m, last.Rooms))
	})
	for kind := range reflect.TypeFor[chat.Body]().Fields() {
		if signal := kind.Name == "Typing" || kind.Name == "Presence"; !signal && !told[kind.Name] {
			t.Errorf("nothing of the kind %s happened: tell does not know it", kind.Name)
		}
	}
}

// What a snapshot leaves out can be loaded page by page, while things go on.
func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := tell(t)
		n := len(w.events)
		whole := model.New(time.UTC)
		whole.Reset(w.server.Snapshot(w.you, 1000))
		last := w.server.Snapshot(w.you, 1000)
		m := model.New(time.UTC)
		i := rapid.IntRange(0, n).Draw(t, "begin")
		s := w.snapshots[i]
		s.Rooms = slices.Clone(s.Rooms)
		for k := range s.Rooms {
			r := &s.Rooms[k]
			if cut := len(r.Events) - rapid.IntRange(0, 5).Draw(t, "shown"); cut > 0 {
				r.Events, r.More = r.Events[cut:], true
			}
		}
		m.Reset(s)
		w.play(t, m, i, n)
		// Reading is counted by the server where the log does not reach; only
		// timelines are compared here.
		for _, r := range last.Rooms {
			for {
				before, ok := m.Older(r.ID)
				if !ok {
					break
				}
				h, err := w.server.History(w.you, r.ID, before, rapid.IntRange(1, 7).Draw(t, "page"))
				m.Page(r.ID, before, h, err == nil)
			}
		}
		rows := func(m *model.Model) string {
			var lines []string
			for l := range strings.SplitSeq(look(m, last.Rooms), "\n") {
				if strings.HasPrefix(l, "  ") && !strings.Contains(l, "Kind:2") {
					lines = append(lines, l)
				}
			}
			return strings.ReplaceAll(strings.Join(lines, "\n"), "First:true", "First:false")
		}
		same(t, "page by page", rows(whole), rows(m))
	})
}
