package sqlite

import (
	"errors"
	"math"
	"strings"
	"testing"

	"parley/app/chat"
)

// TestDigestBound: a digest reads no more than it may, however long the room.
func TestDigestBound(t *testing.T) {
	s := open(t, t.TempDir(), true)
	defer shut(t, s)
	ana := newSender(t, s)
	if _, err := ana.send(t, chat.Body{Message: &chat.Message{Text: "the newest"}}); err != nil {
		t.Fatal(err)
	}
	const head = chat.MaxDigest + 5 // a long room is costly to fill, and no longer than its numbers
	if _, err := s.w.conn.ExecContext(t.Context(), `UPDATE events SET seq = ? WHERE seq = 3`, head); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		from, to chat.Seq
		refused  int // as so many
		count    int
	}{
		{from: 1, to: chat.MaxDigest, count: 2},
		{from: 1, to: chat.MaxDigest + 1, refused: chat.MaxDigest + 1},
		{from: 1, to: math.MaxInt64, refused: head},
		{from: 6, to: math.MaxInt64, count: 1},
		{from: 5, to: math.MaxInt64, refused: chat.MaxDigest + 1},
		{from: math.MaxInt64, to: math.MaxInt64},
	} {
		d, err := s.Digest(t.Context(), ana.u, ana.room, r.from, r.to)
		if r.refused == 0 {
			if err != nil || d.Count != r.count || d.Head != head {
				t.Errorf("from %d to %d: %+v, %v; want %d", r.from, r.to, d, err, r.count)
			}
			continue
		}
		e, ok := errors.AsType[*chat.Error](err)
		if !ok || e.Code != chat.CodeTooLarge || e.Max != chat.MaxDigest || e.Got != r.refused {
			t.Errorf("from %d to %d: %+v, %v; want it refused", r.from, r.to, d, err)
		}
	}
}

// TestUnreadLooked: for what is unread no more than the newest events are looked at, however many of them are the
// reader's own.
func TestUnreadLooked(t *testing.T) {
	s := open(t, t.TempDir(), true)
	defer shut(t, s)
	ana := newSender(t, s)
	ben := addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: "ben"})
	for _, b := range []chat.Body{
		{Member: &chat.Member{User: ben.ID, State: chat.Joined}},
		{Message: &chat.Message{Text: "unread by ben, number 4"}},
	} {
		if _, err := ana.send(t, b); err != nil {
			t.Fatal(err)
		}
	}
	own := sender{s, ben.ID, ana.room}
	if _, err := own.send(t, chat.Body{Message: &chat.Message{Text: "ben's own, the newest"}}); err != nil {
		t.Fatal(err)
	}
	newest := chat.Seq(5)
	for _, r := range []struct {
		head   chat.Seq
		unread int
	}{{5, 1}, {4 + maxLooked - 1, 1}, {4 + maxLooked, 0}} {
		// A long room is costly to fill, and no longer than its numbers.
		if _, err := s.w.conn.ExecContext(t.Context(), `UPDATE events SET seq = ? WHERE seq = ?`, r.head, newest); err != nil {
			t.Fatal(err)
		}
		newest = r.head
		room, err := s.Room(t.Context(), ben.ID, ana.room)
		if err != nil || room.Head != r.head || room.Unread != r.unread {
			t.Errorf("with %d events: %+v, %v; want %d unread", r.head, room, err, r.unread)
		}
	}
}

// TestGoneOfGap: who wrote a page is told by the page alone, not by what lies between its ends: between two memberships
// that may be any number of events, none of them for the reader.
func TestGoneOfGap(t *testing.T) {
	s := open(t, t.TempDir(), true)
	defer shut(t, s)
	ana := newSender(t, s)
	var others []sender
	for _, name := range []string{"ben", "cai", "dan"} {
		u := addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: name})
		others = append(others, sender{s, u.ID, ana.room})
	}
	ben, cai, dan := others[0], others[1], others[2]
	send := func(from sender, b chat.Body) {
		t.Helper()
		if _, err := from.send(t, b); err != nil {
			t.Fatal(err)
		}
	}
	is := func(who sender, state chat.MemberState) chat.Body {
		return chat.Body{Member: &chat.Member{User: who.u, State: state}}
	}
	for _, o := range others {
		send(ana, is(o, chat.Joined))
	}
	send(cai, chat.Body{Message: &chat.Message{Text: "before ben is away"}})
	send(ana, is(ben, chat.Left))
	send(dan, chat.Body{Message: &chat.Message{Text: "while ben is away"}})
	send(cai, is(cai, chat.Left))
	send(dan, is(dan, chat.Left))
	send(ana, is(ben, chat.Joined))
	page, err := s.Before(t.Context(), ben.u, ana.room, 0, 100)
	if err != nil || len(page.Users) != 1 || page.Users[0].ID != cai.u {
		t.Errorf("ben is told of %+v, %v; want cai alone", page.Users, err)
	}
	for range len(s.r.free) {
		p := <-s.r.free
		for text := range p.kept {
			if strings.Contains(text, "NOT EXISTS (SELECT 1 FROM spans s WHERE s.room") && strings.Contains(text, "events") {
				t.Errorf("who has gone is looked for in the log: %s", text)
			}
		}
		s.r.free <- p
	}
}
