package hubtest

import (
	"fmt"
	"testing"

	"parley/app/chat"
	"parley/server/hub"
)

// BenchmarkStore measures what a store does most.
func BenchmarkStore(b *testing.B, m Maker) {
	for _, size := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("Append/group=%d", size), func(b *testing.B) { benchAppend(b, m, size) })
	}
	b.Run("AfterFor/page=256", func(b *testing.B) { benchAfterFor(b, m) })
	b.Run("Snapshot/rooms=20", func(b *testing.B) { benchSnapshot(b, m) })
	b.Run("Digest/events=1000", func(b *testing.B) { benchDigest(b, m) })
}

// benchAppend counts messages, not groups.
func benchAppend(b *testing.B, m Maker, size int) {
	w := newWorld(b, m)
	var users []chat.UserID
	for i := range 16 {
		users = append(users, w.user(fmt.Sprintf("user %d", i)))
	}
	var rooms []chat.RoomID
	for range 8 {
		rooms = append(rooms, w.create(users[0], chat.Private, users[1:]...))
	}
	group := make([]hub.Append, size)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += size {
		for i := range group {
			group[i] = w.draft(users[i%len(users)], chat.Draft{Room: rooms[i%len(rooms)], Body: message(twoHundred)})
		}
		if _, err := w.s.Append(w.ctx, group); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}

const twoHundred = "a message of about two hundred bytes, which is what people write to one another when they have time; " +
	"it goes on for a while, says little of note, and ends where all messages end, at the last full stop."

func benchWorld(b *testing.B, m Maker, rooms, messages int) (*world, chat.UserID) {
	w := newWorld(b, m)
	ana, ben := w.user("ana"), w.user("ben")
	var ids []chat.RoomID
	for range rooms {
		ids = append(ids, w.create(ana, chat.Private, ben))
	}
	for n := 0; n < messages; {
		var group []hub.Append
		for range 256 {
			group = append(group, w.draft(ana, chat.Draft{Room: ids[n%rooms], Body: message(twoHundred)}))
			n++
		}
		w.group(group...)
	}
	b.ReportAllocs()
	b.ResetTimer()
	return w, ben
}

func benchAfterFor(b *testing.B, m Maker) {
	w, ben := benchWorld(b, m, 20, 20_000)
	for b.Loop() {
		if page, _, err := w.s.AfterFor(w.ctx, ben, 10_000, 256); err != nil || len(page) != 256 {
			b.Fatalf("AfterFor = %d events, %v", len(page), err)
		}
	}
}

func benchSnapshot(b *testing.B, m Maker) {
	w, ben := benchWorld(b, m, 20, 20_000)
	for b.Loop() {
		if snap, _, err := w.s.Snapshot(w.ctx, ben); err != nil || len(snap.Rooms) != 20 {
			b.Fatalf("Snapshot = %d rooms, %v", len(snap.Rooms), err)
		}
	}
}

func benchDigest(b *testing.B, m Maker) {
	w, ben := benchWorld(b, m, 1, 1_000)
	room := w.log()[0].Event.Room
	for b.Loop() {
		if d, err := w.s.Digest(w.ctx, ben, room, 1, 1_000); err != nil || d.Count != 1_000 {
			b.Fatalf("Digest = %+v, %v", d, err)
		}
	}
}
