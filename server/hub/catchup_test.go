package hub_test

import (
	"context"
	"strings"
	"testing"

	"parley/app/chat"
	"parley/server/hub"
)

// Catching up is bounded in bytes too, also where the store is read: a page of the longest messages would be eight MiB.
func TestCatchUpIsBounded(t *testing.T) {
	w := newWorld(t, 1, hub.Options{Ring: 16})
	begin := w.cursor(w.users[0])
	text := strings.Repeat("漢", chat.MaxText)
	var want, got []chat.Seq
	for range 48 {
		want = append(want, w.say(w.users[0], w.room, text).Seq)
	}
	watcher, err := w.hub.Watch(w.ctx, w.users[0], begin, hub.WatchOptions{Wake: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close()
	for level := false; !level; {
		var entries []*hub.Entry
		if entries, _, level, err = watcher.CatchUp(w.ctx); err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, e := range entries {
			size += len(e.JSON)
		}
		if size > 256<<10 {
			t.Errorf("%d events of %d bytes at a time", len(entries), size)
		}
		got = append(got, messages(entries)...)
	}
	if len(got) != len(want) || got[0] != want[0] || got[len(got)-1] != want[len(want)-1] {
		t.Errorf("read %d messages, want %d", len(got), len(want))
	}
}

// cutStore loses its asker when the first room is looked for.
type cutStore struct {
	hub.Store
	cut func()
}

func (s *cutStore) First(ctx context.Context) (chat.RoomID, error) {
	s.cut()
	return s.Store.First(ctx)
}

// Whoever loses their connection while they are let in is in the first room all the same.
func TestAdmitIsDoneWhole(t *testing.T) {
	w := newWorld(t, 1, hub.Options{})
	ben := w.user("ben")
	ctx, cancel := context.WithCancel(w.ctx)
	h, err := hub.New(w.ctx, &cutStore{w.store, cancel}, hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Admit(ctx, ben); err != nil {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	s, _, err := w.store.Snapshot(w.ctx, ben)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Rooms) != 2 { // the self room, and General
		t.Errorf("ben is in %d rooms", len(s.Rooms))
	}
}
