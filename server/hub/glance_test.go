package hub_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/server/hub"
)

// A glance shows what a watch would, and is no watch: it leaves what can not be had at once to that.
func TestGlance(t *testing.T) {
	w := newWorld(t, 2, hub.Options{Ring: 64})
	ana, ben := w.users[0], w.users[1]
	glance := func(u chat.UserID, after chat.Cursor) ([]*hub.Entry, chat.Cursor) {
		return w.hub.Glance(u, after, hub.PollGrace)
	}
	start := w.cursor(ana)
	if entries, _ := glance(ana, start); entries != nil {
		t.Errorf("who was never here sees %d entries", len(entries))
	}
	watch := func(after chat.Cursor) ([]*hub.Entry, chat.Cursor) {
		watcher, err := w.hub.Watch(w.ctx, ana, after, hub.WatchOptions{Wake: func() {}})
		if err != nil {
			t.Fatal(err)
		}
		defer watcher.Close()
		entries, cursor, _ := watcher.Take()
		return entries, cursor
	}
	watch(start)
	if entries, _ := glance(ana, start); entries != nil {
		t.Errorf("where there is nothing it shows %d entries", len(entries))
	}
	var want []chat.Seq
	for _, text := range []string{"one", "two", "three"} {
		want = append(want, w.say(ben, w.room, text).Seq)
		w.say(ben, w.newRoom(ben, chat.Private, text).ID, "not for ana")
	}
	entries, cursor := glance(ana, start)
	if d := cmp.Diff(want, messages(entries)); d != "" {
		t.Errorf("what it shows (-want +got):\n%s", d)
	}
	seen, _ := watch(start)
	if d := cmp.Diff(messages(seen), messages(entries)); d != "" {
		t.Errorf("a watch and a glance (-watch +glance):\n%s", d)
	}
	if again, _ := glance(ana, cursor); again != nil {
		t.Errorf("after its cursor there are %d entries still", len(again))
	}
	for _, bad := range []chat.Cursor{"", "nonsense", cursor + "0", "elsewhere.1"} {
		if entries, next := glance(ana, bad); entries != nil || next != "" {
			t.Errorf("after %q it shows %d entries and leads to %q", bad, len(entries), next)
		}
	}
	for range 100 {
		w.say(ben, w.room, "more than is kept at hand")
	}
	if entries, _ := glance(ana, start); entries != nil {
		t.Errorf("where the store is needed it shows %d entries", len(entries))
	}
}
