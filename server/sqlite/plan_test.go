package sqlite

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/hub"
)

// TestPlans uses everything once and then asks SQLite how it would run each statement that was used:
// none may walk through a table that grows, however few rows it is after.
func TestPlans(t *testing.T) {
	ctx := context.Background()
	s := open(t, t.TempDir(), true)
	defer s.Close()
	useAll(t, s)

	small := []string{
		"SCAN log", "SCAN setup", // of one row
		"SCAN invites", // of a week
		"SCAN grants",  // once in a while: sessions that went stale
		"SCAN CONSTANT ROW", "SCAN value", "SCAN json_each VIRTUAL TABLE",
		"SCAN (subquery", "SCAN (join",
	}
	texts := map[string]bool{}
	for text := range s.w.stmts.kept {
		texts[text] = true
	}
	for range len(s.r.free) {
		p := <-s.r.free
		for text := range p.kept {
			texts[text] = true
		}
		s.r.free <- p
	}
	if len(texts) < 40 {
		t.Fatalf("only %d statements were used", len(texts))
	}
	for text := range texts {
		if !strings.Contains(text, "FROM") && !strings.Contains(text, "UPDATE") {
			continue
		}
		args := make([]any, countParameters(text))
		rows, err := s.w.conn.QueryContext(ctx, "EXPLAIN QUERY PLAN "+text, args...)
		err = each(rows, err, func(s scan) error {
			var id, parent, unused int
			var step string
			if err := s(&id, &parent, &unused, &step); err != nil {
				return err
			}
			t.Logf("%s", step)
			if !strings.HasPrefix(step, "SCAN ") {
				return nil
			}
			for _, ok := range small {
				if strings.HasPrefix(step, ok) {
					return nil
				}
			}
			t.Errorf("%s\n\tfor %s", step, text)
			return nil
		})
		if err != nil {
			t.Errorf("explaining %s: %v", text, err)
		}
	}
}

// countParameters counts what a statement's text leaves open, as ? or as ?1, ?2 …
func countParameters(text string) int {
	numbered := 0
	for i := range 9 {
		if strings.Contains(text, "?"+string(rune('1'+i))) {
			numbered = i + 1
		}
	}
	return max(numbered, strings.Count(text, "?")*min(1, 1-min(1, numbered)))
}

// useAll calls every method of the two interfaces at least once.
func useAll(t *testing.T, s *Store) {
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	ana := auth.User{User: chat.User{ID: chat.NewID[chat.UserID](), Name: "ana"}, Key: "ana", Hash: "x", Created: now}
	ben := auth.User{User: chat.User{ID: chat.NewID[chat.UserID](), Name: "ben"}, Key: "ben", Hash: "x", Created: now}
	check(s.PutCode(ctx, auth.Digest{1}))
	check(s.Claim(ctx, ana))
	check(s.AddInvite(ctx, auth.Invite{Secret: auth.Digest{2}, By: ana.ID, Expires: now.Add(time.Hour), Uses: 2}, now))
	check(s.Redeem(ctx, auth.Digest{2}, ben, now))
	check(s.SetPassword(ctx, ana.ID, "x", "y"))
	for i := range byte(3) {
		_, err := s.AddGrant(ctx, auth.Grant{ID: string('a' + i), Secret: auth.Digest{i}, User: ana.ID, Token: i == 2, Created: now, Seen: now}, 1)
		check(err)
	}
	_, err := s.Touch(ctx, now, "b")
	check(err)
	check(s.EndGrant(ctx, ana.ID, "b"))
	_, err = s.EndStale(ctx, now, now, now)
	check(err)
	_, err = s.SetUp(ctx)
	check(err)
	_, err = s.UserByKey(ctx, "ana")
	check(err)
	_, err = s.User(ctx, ana.ID)
	check(err)
	_, _, err = s.Grant(ctx, auth.Digest{2})
	check(err)
	_, err = s.Grants(ctx, ana.ID)
	check(err)

	n := 0
	send := func(a hub.Append) hub.Appended {
		t.Helper()
		n++
		a.From, a.At = ana.ID, now
		if a.Create != nil {
			a.Create.Nonce = chat.NewID[chat.Nonce]()
		} else {
			a.Draft.Nonce = chat.NewID[chat.Nonce]()
		}
		r, err := s.Append(ctx, []hub.Append{a})
		check(err)
		if r[0].Err != nil {
			t.Fatalf("append %d: %v", n, r[0].Err)
		}
		return r[0]
	}
	self := send(hub.Append{Create: &chat.NewRoom{Kind: chat.Self}}).Room
	send(hub.Append{Create: &chat.NewRoom{Kind: chat.Self}})
	room := send(hub.Append{Create: &chat.NewRoom{Kind: chat.Private, Name: "tea", Members: []chat.UserID{ben.ID}}}).Room
	public := send(hub.Append{Create: &chat.NewRoom{Kind: chat.Public, Name: "hall"}}).Room
	s.w.known = newKnown()
	said := send(hub.Append{Draft: chat.Draft{Room: room, Body: chat.Body{Message: &chat.Message{Text: "text"}}}}).Event
	for _, b := range []chat.Body{
		{Edit: &chat.Edit{Seq: said.Seq, Text: "more"}},
		{Delete: &chat.Delete{Seq: said.Seq}},
		{Change: &chat.Change{Kind: chat.Private, Name: "coffee"}},
		{Member: &chat.Member{User: ben.ID, State: chat.Left}},
		{Member: &chat.Member{User: ben.ID, State: chat.Joined}},
	} {
		send(hub.Append{Draft: chat.Draft{Room: room, Body: b}})
	}
	send(hub.Append{Draft: chat.Draft{Room: self, Body: chat.Body{Read: &chat.Read{Room: room, Seq: 1}}}})

	_, err = s.After(ctx, 0, 10)
	check(err)
	_, _, err = s.AfterFor(ctx, ana.ID, 0, 10)
	check(err)
	for _, r := range []chat.RoomID{room, public} {
		_, err = s.Before(ctx, ana.ID, r, 5, 10)
		check(err)
		_, err = s.Digest(ctx, ana.ID, r, 1, 5)
		check(err)
		_, err = s.Room(ctx, ana.ID, r)
		check(err)
	}
	_, _, err = s.Snapshot(ctx, ana.ID)
	check(err)
	_, err = s.Spans(ctx, ana.ID)
	check(err)
	_, err = s.Public(ctx, ben.ID, 10)
	check(err)
	_, err = s.First(ctx)
	check(err)
}
