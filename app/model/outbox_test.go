package model_test

import (
	"testing"

	"parley/app/chat"
	"parley/app/model"
)

func draft(n chat.Nonce, text string) chat.Draft {
	return chat.Draft{Nonce: n, Room: square, Body: chat.Body{Message: &chat.Message{Text: text}}}
}

// appended is the event of a draft of yours.
func (s *story) appended(d chat.Draft) chat.Event {
	s.seq++
	return chat.Event{Room: d.Room, Seq: s.seq, From: you, At: s.now, Nonce: d.Nonce, Body: d.Body}
}

func (s *story) comes(events ...chat.Event) {
	s.m.Apply(chat.Batch{Events: events, Cursor: "c"}, s.now)
}

// The answer and the feed both tell of a message; in whichever order, it is shown once.
func TestSettle(t *testing.T) {
	for _, order := range []string{"answer first", "feed first", "feed only"} {
		t.Run(order, func(t *testing.T) {
			s := begin(t)
			d := draft("n1", "hello")
			s.m.Queue(d, s.now)
			s.shows("you: hello queued")
			s.m.Sending("n1")
			s.shows("you: hello sending")
			other := s.appended(chat.Draft{Nonce: "o", Room: square, Body: chat.Body{Message: &chat.Message{Text: "Ana's, before"}}})
			other.From = ana
			mine := s.appended(d)
			if order == "answer first" {
				// The answer is ahead of the feed: what is between must still come.
				s.m.Settle(mine)
				s.shows("you: hello")
				s.m.Fail("n1", chat.CodeConflict) // an echo of an earlier try changes nothing that is settled
				s.shows("you: hello")
			}
			s.comes(other, mine)
			want := []string{"-- 2026-03-01", "Ana: Ana's, before", "you: hello"}
			s.shows(want...)
			if order == "feed first" {
				s.m.Settle(mine)
			}
			s.m.Requeue("n1")
			s.shows(want...)
			if n := len(s.m.Outbox()); n != 0 {
				t.Errorf("%d drafts are left", n)
			}
		})
	}
}

func TestFailAndDiscard(t *testing.T) {
	s := begin(t)
	s.m.Queue(draft("n1", "one"), s.now)
	s.m.Queue(draft("n2", "two"), s.now)
	s.m.Sending("n1")
	s.m.Fail("n1", chat.CodeForbidden)
	s.shows("you: one failed: forbidden", "  two queued")
	s.m.Requeue("n1")
	s.shows("you: one queued", "  two queued")
	if text := s.m.Discard("n2"); text != "two" {
		t.Errorf("took back %q", text)
	}
	s.m.Fail("n1", chat.CodeForbidden)
	if text := s.m.Discard("n1"); text != "one" {
		t.Errorf("took back %q", text)
	}
	s.shows()
	if n := len(s.m.Outbox()); n != 0 {
		t.Errorf("%d drafts are left", n)
	}
}

// What was taken back while it was on its way is not seen again, and is deleted if it was appended.
func TestDiscardOnItsWay(t *testing.T) {
	for _, how := range []string{"answered", "heard of", "refused"} {
		t.Run(how, func(t *testing.T) {
			s := begin(t)
			d := draft("n1", "regret")
			s.m.Queue(d, s.now)
			s.m.Sending("n1")
			if text := s.m.Discard("n1"); text != "regret" {
				t.Errorf("took back %q", text)
			}
			s.shows()
			switch how {
			case "refused":
				s.m.Fail("n1", chat.CodeForbidden)
				if n := len(s.m.Outbox()); n != 0 {
					t.Errorf("%d drafts are left", n)
				}
				return
			case "answered":
				e := s.appended(d)
				s.m.Settle(e)
				s.shows()
				s.comes(e)
			case "heard of":
				s.comes(s.appended(d))
			}
			s.shows("-- 2026-03-01", "you: [deleted] queued")
			left := s.m.Outbox()
			if len(left) != 1 || left[0].Draft.Delete == nil || left[0].Draft.Delete.Seq != 1 || !left[0].Draft.Nonce.Valid() {
				t.Errorf("left is %+v", left)
			}
		})
	}
}

// One's own edits and deletions show at once, with their state, and are undone when refused.
func TestOverlays(t *testing.T) {
	s := begin(t)
	s.say(you, "one")
	edit := chat.Draft{Nonce: "e1", Room: square, Body: chat.Body{Edit: &chat.Edit{Seq: 1, Text: "uno"}}}
	s.m.Queue(edit, s.now)
	s.m.Sending("e1")
	s.shows("-- 2026-03-01", "you: uno (edited) sending")
	e := s.appended(edit)
	s.m.Settle(e)
	s.shows("-- 2026-03-01", "you: uno (edited)")
	s.comes(e)
	s.shows("-- 2026-03-01", "you: uno (edited)")

	del := chat.Draft{Nonce: "d1", Room: square, Body: chat.Body{Delete: &chat.Delete{Seq: 1}}}
	s.m.Queue(del, s.now)
	s.shows("-- 2026-03-01", "you: [deleted] queued")
	s.m.Fail("d1", chat.CodeForbidden)
	s.shows("-- 2026-03-01", "you: uno (edited) failed: forbidden")
	s.m.Discard("d1")
	s.shows("-- 2026-03-01", "you: uno (edited)")
}

// What was written survives the program, and what was on its way then waits.
func TestSaveOwn(t *testing.T) {
	s := begin(t)
	s.m.Queue(draft("n1", "one"), s.now)
	s.m.Queue(draft("n2", "two"), s.now)
	s.m.Queue(draft("n3", "three"), s.now)
	s.m.Sending("n1")
	s.m.Fail("n2", chat.CodeTooLarge)
	s.m.SaveDraft(square, "half a sen")
	late := s.appended(draft("n3", "three"))
	s.m.Settle(late)
	known, err := s.m.Save()
	if err != nil {
		t.Fatal(err)
	}
	own, err := s.m.SaveOwn()
	if err != nil {
		t.Fatal(err)
	}
	s.m = model.New(s.now.Location())
	if err := s.m.Load(known, own); err != nil {
		t.Fatal(err)
	}
	s.m.Open(square)
	s.shows("you: one queued", "  two failed: too_large", "  three")
	if d := s.view().Room.Draft; d != "half a sen" {
		t.Errorf("draft %q", d)
	}
	s.comes(late)
	s.shows("-- 2026-03-01", "you: three", "  one queued", "  two failed: too_large")

	// Without what was known, it waits for a snapshot; another's takes it away.
	m := model.New(s.now.Location())
	if err := m.Load(nil, own); err == nil {
		t.Error("nothing was read without complaint")
	}
	if n := len(m.Outbox()); n != 2 {
		t.Errorf("%d drafts wait", n) // the settled one is the server's to bring
	}
	m.Reset(chat.Snapshot{You: ana, Cursor: "1"})
	if n := len(m.Outbox()); n != 0 || m.Draft(square) != "" {
		t.Errorf("%d drafts of another are left", n)
	}
}
