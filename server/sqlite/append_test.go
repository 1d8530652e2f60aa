package sqlite

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// A sender is a user with a room.
type sender struct {
	s    *Store
	u    chat.UserID
	room chat.RoomID
}

func newSender(t *testing.T, s *Store) sender {
	t.Helper()
	u := addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: "ana"})
	r, err := s.Append(t.Context(), []hub.Append{{From: u.ID, Create: &chat.NewRoom{Nonce: "n", Kind: chat.Private, Name: "tea"}}})
	if err != nil || r[0].Err != nil {
		t.Fatalf("creating a room: %+v, %v", r, err)
	}
	return sender{s, u.ID, r[0].Room}
}

func (s sender) draft(b chat.Body) hub.Append {
	return hub.Append{From: s.u, At: time.Now(), Draft: chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: s.room, Body: b}}
}

func (s sender) send(t *testing.T, b chat.Body) (chat.Event, error) {
	t.Helper()
	r, err := s.s.Append(t.Context(), []hub.Append{s.draft(b)})
	if err != nil {
		return chat.Event{}, err
	}
	return r[0].Event, r[0].Err
}

// TestFull fills the database up to what it may hold. Nothing of the group that does not fit is
// kept, what was known meanwhile is forgotten, reading goes on, and so does writing when there is space.
func TestFull(t *testing.T) {
	s := open(t, t.TempDir(), true)
	defer s.Close()
	ana := newSender(t, s)
	limit := func(pages int) {
		t.Helper()
		if _, err := s.w.conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(120)
	text := strings.Repeat("text ", 1000)
	sent := chat.Seq(2)
	for {
		group := []hub.Append{ana.draft(chat.Body{Message: &chat.Message{Text: text}}), ana.draft(chat.Body{Message: &chat.Message{Text: text}})}
		r, err := s.Append(t.Context(), group)
		if err != nil {
			if chat.CodeOf(err) != chat.CodeStorageFull || r != nil {
				t.Fatalf("Append = %v, %v", r, err)
			}
			break
		}
		if sent += 2; sent > 1000 {
			t.Fatal("the database is never full")
		}
	}
	check := func() {
		t.Helper()
		log, err := s.After(t.Context(), 0, 2000)
		if err != nil || chat.Seq(len(log)) != sent || log[len(log)-1].Event.Seq != sent {
			t.Fatalf("the log holds %d events, %v; want %d", len(log), err, sent)
		}
	}
	check()
	if err := s.PutCode(t.Context(), [32]byte{}); err != nil && chat.CodeOf(err) != chat.CodeStorageFull {
		t.Fatalf("PutCode: %v", err)
	}
	limit(1 << 20)
	e, err := ana.send(t, chat.Body{Message: &chat.Message{Text: "there is space again"}})
	if err != nil || e.Seq != sent+1 {
		t.Fatalf("afterwards: %+v, %v", e, err)
	}
	sent++
	check()
}

// TestNothingRemains looks for what was deleted in the bytes of the files.
func TestNothingRemains(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, true)
	ana := newSender(t, s)
	secrets := []string{"the-first-secret", "the-second-secret", "a-long-one-" + strings.Repeat("0123456789", 700)}
	var said []chat.Event
	for _, secret := range secrets {
		e, err := ana.send(t, chat.Body{Message: &chat.Message{Text: secret}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ana.send(t, chat.Body{Edit: &chat.Edit{Seq: e.Seq, Text: secret + " once more"}}); err != nil {
			t.Fatal(err)
		}
		said = append(said, e)
	}
	if _, err := ana.send(t, chat.Body{Message: &chat.Message{Text: "kept-for-ever"}}); err != nil {
		t.Fatal(err)
	}
	for _, e := range said {
		if _, err := ana.send(t, chat.Body{Delete: &chat.Delete{Seq: e.Seq}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	kept := false
	for _, entry := range entries {
		b, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		kept = kept || bytes.Contains(b, []byte("kept-for-ever"))
		for _, trace := range []string{"first-secret", "second-secret", "a-long-one", "0123456789", "once more"} {
			if bytes.Contains(b, []byte(trace)) {
				t.Errorf("%s still holds %q", entry.Name(), trace)
			}
		}
	}
	if !kept {
		t.Error("nothing is found in the files at all")
	}
}

// TestForgets empties what the writer remembers in the middle of a group, as it does when full.
func TestForgets(t *testing.T) {
	s := open(t, t.TempDir(), true)
	defer s.Close()
	ana := newSender(t, s)
	for i := range maxKnown {
		s.w.known.rooms[chat.RoomID(fmt.Sprint(i))] = &room{}
		s.w.known.members[member{int64(-i), 0}] = true
	}
	r, err := s.Append(t.Context(), []hub.Append{
		ana.draft(chat.Body{Message: &chat.Message{Text: "one"}}),
		{From: ana.u, Create: &chat.NewRoom{Nonce: "m", Kind: chat.Private, Name: "another"}},
		ana.draft(chat.Body{Message: &chat.Message{Text: "two"}}),
	})
	if err != nil || r[0].Event.Seq != 3 || r[2].Event.Seq != 4 || len(r[1].New) != 2 {
		t.Fatalf("Append = %+v, %v", r, err)
	}
	if n := len(s.w.known.rooms); n > 3 {
		t.Fatalf("%d rooms are known", n)
	}
}

// TestMembersAreCountedOnce lets people come and go: what the writer remembers of their number is what there is, also
// of a room that it has read anew, and of one that a group was to change which came to nothing.
func TestMembersAreCountedOnce(t *testing.T) {
	s := open(t, t.TempDir(), true)
	defer shut(t, s)
	ana := newSender(t, s)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var people []chat.UserID
	for i := range 12 {
		people = append(people, addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: fmt.Sprint("user ", i)}).ID)
	}
	counted := 0
	for range 300 {
		if rnd.IntN(20) == 0 {
			s.w.known = newKnown()
		}
		state := []chat.MemberState{chat.Joined, chat.Left}[rnd.IntN(2)]
		// Half of these are refused: they come who are in, and go who are not.
		_, err := ana.send(t, chat.Body{Member: &chat.Member{User: people[rnd.IntN(len(people))], State: state}})
		if err != nil && chat.CodeOf(err) != chat.CodeConflict {
			t.Fatal(err)
		}
		var n int
		if err := s.w.conn.QueryRowContext(t.Context(), `SELECT count(*) FROM spans WHERE to_pos = 0`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		r := s.w.known.rooms[ana.room]
		if r == nil || r.members >= 0 && r.members != n {
			t.Fatalf("the writer remembers %+v; there are %d members", r, n)
		}
		if r.members >= 0 {
			counted++
		}
	}
	if counted < 200 {
		t.Errorf("the members were known %d times of 300", counted)
	}
	if _, ok := s.w.stmts.kept[`SELECT count(*) FROM spans WHERE room = ? AND to_pos = 0`]; !ok {
		t.Error("they were never counted")
	}
}
