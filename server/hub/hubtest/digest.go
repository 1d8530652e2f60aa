package hubtest

import (
	"fmt"
	"math"
	"testing"

	"parley/app/chat"
)

// digest is what a store must say of these events, which are all that may be read.
func digest(t reporter, all []chat.Event, from, to, head chat.Seq) chat.Digest {
	t.Helper()
	d := chat.Digest{From: from, To: min(to, head), Head: head}
	for _, e := range all {
		if e.Seq >= from && e.Seq <= to {
			if err := d.Add(e); err != nil {
				t.Fatalf("Add: %v", err)
			}
		}
	}
	return d
}

// testDigest: a digest is of what history shows, no more and no less, as it is now.
func testDigest(t *testing.T, w *world) {
	ana, ben, ming := w.user("ana"), w.user("ben"), w.user("小明")
	room, hall := w.create(ana, chat.Private, ben), w.create(ana, chat.Public)
	w.send(ana, room, left(ben))
	missed := w.say(ana, room, "not for ben")
	w.send(ana, room, joined(ben))
	said := w.say(ben, room, "hello")
	w.send(ben, room, edited(said.Seq, "hello all"))
	w.send(ben, hall, joined(ben))
	ranges := [][2]chat.Seq{{1, math.MaxInt64}, {1, 1}, {2, 5}, {missed.Seq, missed.Seq}, {said.Seq, said.Seq + 1}, {9, 3}, {1000, math.MaxInt64}}
	compare := func() {
		t.Helper()
		for _, u := range []chat.UserID{ana, ben} {
			for _, r := range []chat.RoomID{room, hall} {
				head := w.history(ana, r, 100)
				for _, x := range ranges {
					got, err := w.s.Digest(w.ctx, u, r, x[0], x[1])
					if err != nil {
						t.Fatalf("Digest: %v", err)
					}
					same(t, fmt.Sprint("the digest of ", x), digest(t, w.history(u, r, 3), x[0], x[1], head[len(head)-1].Seq), got)
				}
			}
		}
	}
	compare()
	before, _ := w.s.Digest(w.ctx, ben, room, said.Seq, said.Seq+1)
	w.send(ben, room, deleted(said.Seq))
	compare()
	after, _ := w.s.Digest(w.ctx, ben, room, said.Seq, said.Seq+1)
	if before.Count != 2 || after.Count != 2 || before.Hash == after.Hash || after.Head != before.Head+1 {
		t.Fatalf("a deletion made %+v of %+v", after, before)
	}
	for what, r := range map[string]chat.RoomID{"a room of others": room, "a public room from outside": hall, "nowhere": chat.NewID[chat.RoomID](), "no room": ""} {
		if d, err := w.s.Digest(w.ctx, ming, r, 1, 5); chat.CodeOf(err) != chat.CodeNotFound || d != (chat.Digest{}) {
			t.Fatalf("Digest of %s = %+v, %v", what, d, err)
		}
	}
	w.send(ana, room, left(ben))
	if _, err := w.s.Digest(w.ctx, ben, room, 1, 5); chat.CodeOf(err) != chat.CodeNotFound {
		t.Fatalf("Digest of a room that was left: %v", err)
	}
}
