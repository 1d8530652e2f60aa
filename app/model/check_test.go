package model_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/app/chat"
	"parley/app/chat/chattest"
	"parley/app/model"
)

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// compare holds all that m knows against the server and returns the first piece of each
// room that differs.
func compare(t fataler, m *model.Model, server *chattest.Memory) (differ map[chat.RoomID]chat.Digest) {
	t.Helper()
	differ = map[chat.RoomID]chat.Digest{}
	for _, id := range m.Known() {
		for after := m.Sure(id); ; {
			from, to, ok := m.Piece(id, after)
			if !ok {
				t.Fatalf("%s is known, and is not", id)
			}
			d, err := server.Digest(m.You(), id, from, to)
			if err != nil {
				t.Fatalf("Digest: %v", err)
			}
			switch v := m.Compare(id, d); v {
			case model.Alike:
			case model.Differs:
				differ[id] = d
			default:
				t.Fatalf("comparing with %+v: outcome %d", d, v)
			}
			if after = d.To; after >= d.Head || differ[id].Count > 0 {
				break
			}
		}
	}
	return differ
}

// Whatever happened, and however a client came to know it: what it holds is what the server says,
// and no gap is seen where there is none.
func TestHoldsWhatTheServerSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := tell(t)
		n := len(w.events)
		i := rapid.IntRange(0, n).Draw(t, "begin")
		s := w.snapshots[i]
		s.Rooms = slices.Clone(s.Rooms)
		for k := range s.Rooms {
			r := &s.Rooms[k]
			if cut := len(r.Events) - rapid.IntRange(0, 5).Draw(t, "shown"); cut > 0 {
				r.Events, r.More = r.Events[cut:], true
			}
		}
		m := model.New(time.UTC)
		m.Reset(s)
		w.play(t, m, i, n)
		if torn := m.Torn(); torn != nil {
			t.Fatalf("a gap was seen in %v", torn)
		}
		again := func(what string) {
			t.Helper()
			if differ := compare(t, m, w.server); len(differ) > 0 {
				t.Fatalf("%s, other than the server are %v", what, differ)
			}
		}
		again("at the end")
		sure := m.Checked()
		for _, id := range m.Known() {
			if before, ok := m.Older(id); ok {
				h, err := w.server.History(w.you, id, before, 3)
				m.Page(id, before, h, err == nil)
				sure += len(h.Events)
			}
		}
		again("with older pages")
		if m.Checked() != sure {
			t.Fatalf("%d events were compared, want %d", m.Checked(), sure)
		}
		m.Reset(w.server.Snapshot(w.you, 4))
		again("after a snapshot")
		known, err := m.Save()
		if err != nil {
			t.Fatal(err)
		}
		m = model.New(time.UTC)
		if err := m.Load(known, nil); err != nil {
			t.Fatal(err)
		}
		if m.Checked() != 0 {
			t.Fatalf("%d events of a disk were believed", m.Checked())
		}
		again("after a reload")
	})
}

// A feed that loses an event, or brings another in its place, is found out, and what its history
// says makes good for it.
func TestDamageIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server := chattest.NewMemory()
		server.Now = func() time.Time { return noon }
		you, ana := server.AddUser("you").ID, server.AddUser("ana").ID
		room := server.CreateRoom(ana, chat.NewRoom{Kind: chat.Public, Name: "Square", Members: []chat.UserID{you}}).ID
		first := server.Snapshot(you, 100)
		for i := range rapid.IntRange(2, 30).Draw(t, "steps") {
			d := chat.Draft{Nonce: chat.Nonce(fmt.Sprint("n", i)), Room: room}
			seq := chat.Seq(rapid.IntRange(4, 20).Draw(t, "seq"))
			switch rapid.SampledFrom([]string{"say", "say", "edit", "delete"}).Draw(t, "what") {
			case "say":
				d.Message = &chat.Message{Text: fmt.Sprint(i)}
			case "edit":
				d.Edit = &chat.Edit{Seq: seq, Text: fmt.Sprint("edited ", i)}
			case "delete":
				d.Delete = &chat.Delete{Seq: seq}
			}
			_, _ = server.Link(ana).Send(context.Background(), d) // or it is not allowed, and nothing happens
		}
		var feed []chat.Event
		for b, err := range server.Link(you).Follow(t.Context(), first.Cursor) {
			if err != nil {
				t.Fatal(err)
			}
			feed = b.Events
			break
		}
		if len(feed) < 2 {
			return
		}
		honest := model.New(time.UTC)
		honest.Reset(first)
		honest.Apply(chat.Batch{Events: slices.Clone(feed)}, noon)

		hurt := slices.Clone(feed)
		i := rapid.IntRange(0, len(hurt)-2).Draw(t, "where") // the last is only missed by its head
		e := &hurt[i]
		what := rapid.SampledFrom([]string{"lose", "alter", "swap", "blank"}).Draw(t, "damage")
		blank := func(seq chat.Seq) bool {
			return slices.ContainsFunc(server.Log(you, room), func(e chat.Event) bool { return e.Seq == seq && e.Blank() })
		}
		same := blank(e.Seq) // then nobody can tell what it said
		switch what {
		case "lose":
			hurt, same = slices.Delete(hurt, i, i+1), false
		case "alter":
			if e.Message == nil {
				return
			}
			e.Message = &chat.Message{Text: e.Message.Text + " "}
		case "swap":
			if e.Message == nil || hurt[i+1].Message == nil {
				return
			}
			e.Message, hurt[i+1].Message = hurt[i+1].Message, e.Message
			same = same && blank(e.Seq+1)
		case "blank":
			same = same || e.Blank()
			e.Body = chat.Body{}
		}
		m := model.New(time.UTC)
		m.Reset(first)
		m.Apply(chat.Batch{Events: hurt}, noon)
		if torn := m.Torn(); (what == "lose") != slices.Equal(torn, []chat.RoomID{room}) {
			t.Fatalf("torn: %v", torn)
		}
		differ := compare(t, m, server)
		if same != (len(differ) == 0) {
			t.Fatalf("%s of event %d of %d: found %v, want it to be the same: %v", what, i, len(hurt), differ, same)
		}
		for id, d := range differ {
			h, err := server.History(you, id, d.To+1, 100)
			if err != nil {
				t.Fatal(err)
			}
			m.Mend(id, d.From, d.To, h.Events)
		}
		if differ := compare(t, m, server); len(differ) != 0 {
			t.Fatalf("mended, %v differ", differ)
		}
		s := server.Snapshot(you, 3)
		m.Reset(s)
		honest.Reset(s)
		if a, b := look(honest, s.Rooms), look(m, s.Rooms); a != b {
			t.Fatalf("mended it shows\n%s\nwant\n%s", b, a)
		}
	})
}

// A long room is compared piece by piece, and only what differs is read again.
func TestPieces(t *testing.T) {
	server := chattest.NewMemory()
	you := server.AddUser("you").ID
	room := server.CreateRoom(you, chat.NewRoom{Kind: chat.Private, Name: "Den"}).ID
	say := func(text string) chat.Event {
		e, err := server.Link(you).Send(t.Context(), chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Message: &chat.Message{Text: text}}})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	for i := range 1198 {
		say(fmt.Sprint(i))
	}
	s := server.Snapshot(you, 5000)
	for i := range s.Rooms {
		if s.Rooms[i].ID == room {
			s.Rooms[i].Events[700].Message = &chat.Message{Text: "other"}
		}
	}
	m := model.New(time.UTC)
	m.Reset(s)
	d := compare(t, m, server)[room]
	if d.From != 501 || d.To != 1000 || d.Count != 500 {
		t.Fatalf("what differs is %+v", d)
	}
	if got := m.Sure(room); got != 500 {
		t.Errorf("it is the same up to %d, want 500", got)
	}
	h, err := server.History(you, room, 1001, 500)
	if err != nil {
		t.Fatal(err)
	}
	m.Mend(room, 501, 1000, h.Events)
	if differ := compare(t, m, server); len(differ) != 0 || m.Sure(room) != 1200 {
		t.Errorf("mended, %v differ; it is the same up to %d", differ, m.Sure(room))
	}
	from, to, _ := m.Piece(room, m.Sure(room))
	if d, err := server.Digest(you, room, from, to); from != 1201 || to != 0 || err != nil || m.Compare(room, d) != model.Alike {
		t.Errorf("after the head, from %d to %d: %+v, %v", from, to, d, err)
	}

	// The server may be ahead of the feed, or behind what is known.
	e := say("new")
	ahead, _ := server.Digest(you, room, 1201, 0)
	if v := m.Compare(room, ahead); v != model.Behind {
		t.Errorf("ahead of the feed the outcome is %d", v)
	}
	m.Apply(chat.Batch{Events: []chat.Event{e}}, noon)
	if v := m.Compare(room, ahead); v != model.Alike {
		t.Errorf("level with the feed the outcome is %d", v)
	}
	later := say("later")
	m.Apply(chat.Batch{Events: []chat.Event{later}}, noon)
	if v := m.Compare(room, ahead); v != model.Alike {
		t.Errorf("behind the feed the outcome is %d", v)
	}
	gone, err := server.Link(you).Send(t.Context(), chat.Draft{Nonce: "gone", Room: room, Body: chat.Body{Delete: &chat.Delete{Seq: e.Seq}}})
	if err != nil {
		t.Fatal(err)
	}
	m.Apply(chat.Batch{Events: []chat.Event{gone}}, noon)
	if v := m.Compare(room, ahead); v != model.Overtaken {
		t.Errorf("before a deletion that is known the outcome is %d", v)
	}
	if v := m.Compare("nowhere", ahead); v != model.Gone {
		t.Errorf("of a room that is not known the outcome is %d", v)
	}
	m.Doubt()
	if m.Checked() != 0 || m.Sure(room) != 0 {
		t.Errorf("in doubt, %d events are sure", m.Checked())
	}
}

// BenchmarkCompare is what comparing one whole piece costs the page.
func BenchmarkCompare(b *testing.B) {
	server := chattest.NewMemory()
	you := server.AddUser("you").ID
	room := server.CreateRoom(you, chat.NewRoom{Kind: chat.Private, Name: "Den"}).ID
	for i := range model.Piece {
		d := chat.Draft{Nonce: chat.Nonce(fmt.Sprint("n", i)), Room: room, Body: chat.Body{Message: &chat.Message{Text: "a message as people write them, of about a hundred letters, which is neither short nor long"}}}
		if _, err := server.Link(you).Send(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
	m := model.New(time.UTC)
	m.Reset(server.Snapshot(you, 1000))
	d, err := server.Digest(you, room, 1, model.Piece)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if m.Compare(room, d) != model.Alike {
			b.Fatal("it differs")
		}
	}
}
