package model_test

import (
	"fmt"
	"testing"

	"parley/app/chat"
)

// However often one message is edited, it is there and says the last; and what is kept for that has a bound. (T24)
func TestManyEditsOfOne(t *testing.T) {
	s := begin(t)
	first := s.say(ana, "one")
	edit := func(i int) { s.happens(ana, chat.Body{Edit: &chat.Edit{Seq: first.Seq, Text: fmt.Sprint(i)}}) }
	for i := range 10_000 {
		edit(i)
	}
	s.say(ben, "two")
	s.shows("-- 2026-03-01", "Ana: 9999 (edited)", "ben: two")
	if r := s.view().Room; r.More || r.First != first.Seq {
		t.Errorf("it begins at %d, more %t", r.First, r.More)
	}
	for i := range 10_000 {
		edit(i)
	}
	if r := s.view().Room; !r.More || r.Head-r.First > 16_000 {
		t.Errorf("%d events are kept", r.Head-r.First+1)
	}
}

// A page that has nothing to show is seen to have come: who waits for more asks for the next.
func TestPageOfNothing(t *testing.T) {
	s := begin(t)
	first := s.say(ana, "one")
	for i := range 20_000 {
		s.happens(ana, chat.Body{Edit: &chat.Edit{Seq: first.Seq, Text: fmt.Sprint(i)}})
	}
	before, ok := s.m.Older(square)
	if was := s.view().Room.First; !ok || was != before {
		t.Fatalf("the log begins at %d, and what is before %d is asked for", was, before)
	}
	page := chat.History{More: true}
	for seq := before - 50; seq < before; seq++ {
		page.Events = append(page.Events, chat.Event{Room: square, Seq: seq, From: ana, At: noon, Body: chat.Body{Edit: &chat.Edit{Seq: first.Seq, Text: "old"}}})
	}
	s.m.Page(square, before, page, true)
	if r := s.view().Room; r.First != before-50 || len(screen(r)) > 0 || !r.More {
		t.Errorf("it begins at %d, more %t, and shows %q", r.First, r.More, screen(r))
	}
}
