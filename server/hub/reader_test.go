package hub

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/app/chat"
)

// TestReaderSpans lets a user come and go in many rooms, and holds what a reader makes of it against all of it in
// the order in which it happened.
func TestReaderSpans(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	const rooms, last = 50, Pos(2_000)
	name := func(i int) chat.RoomID { return chat.RoomID(fmt.Sprint("room ", i)) }
	var happened []Span
	open := map[chat.RoomID]int{} // where in happened
	r := &reader{}
	for pos := Pos(1); pos < last; pos += Pos(1 + rnd.IntN(3)) {
		room := name(rnd.IntN(rooms))
		if i, in := open[room]; in {
			r.leave(room, pos)
			happened[i].To = pos + 1
			delete(open, room)
			continue
		}
		// What was read from the store may tell already of what the log tells now: joining again changes nothing.
		r.join(room, pos)
		r.join(room, pos)
		open[room] = len(happened)
		happened = append(happened, Span{Room: room, From: pos})
	}
	for i := range rooms {
		room := name(i)
		mine := slices.DeleteFunc(slices.Clone(happened), func(s Span) bool { return s.Room != room })
		if got, _ := r.in(room); !slices.Equal(got, mine) {
			t.Errorf("%s: in looks at %v, want %v: nothing of other rooms, and in order", room, got, mine)
		}
		for pos := range last + 2 {
			want := slices.ContainsFunc(mine, func(s Span) bool { return s.From <= pos && (s.To == 0 || pos < s.To) })
			if got := r.covers(room, pos); got != want {
				t.Fatalf("%s: covers(%d) = %t, want %t", room, pos, got, want)
			}
		}
	}
	if !slices.IsSortedFunc(r.spans, func(a, b Span) int { return cmp.Compare(a.Room, b.Room) }) {
		t.Error("the spans are not in order of their rooms")
	}
}
