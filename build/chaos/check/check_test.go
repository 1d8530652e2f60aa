package check

import (
	"fmt"
	"go/parser"
	"go/token"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// good is a history without fault: room R stood at 2; ana sent a1 (its first answer was lost), a2
// and a3 (never answered, but it happened), and something else under a1, which was refused; ben sent b1 and was
// refused b2; two consumers saw it all, the second from 3 on, and again from 3 on its second connection.
func good() []Record {
	return []Record{
		{Op: Room, Room: "R", Seq: 2},
		{Op: Begin, Who: "c1", User: "ana", Room: "R", Seq: 2},
		{Op: Follow, Who: "c1", Wire: 1, Heads: map[string]int64{"R": 2}},
		{Op: Begin, Who: "c2", User: "ben", Room: "R", Seq: 3},
		{Op: Follow, Who: "c2", Wire: 1, Heads: map[string]int64{"R": 3}},
		{Op: Invoke, Who: "ana", Room: "R", Nonce: "a1", Hash: "ha1"},
		{Op: Deliver, Who: "c1", Wire: 1, Room: "R", Seq: 3, Nonce: "a1", Hash: "ha1"},
		{Op: Unknown, Who: "ana", Nonce: "a1"},
		{Op: Strike, Kind: "kill"},
		{Op: Invoke, Who: "ana", Room: "R", Nonce: "a1", Hash: "ha1"},
		{Op: OK, Who: "ana", Room: "R", Nonce: "a1", Seq: 3, Hash: "ha1"},
		{Op: Clash, Who: "ana", Room: "R", Nonce: "a1", Hash: "hc1", Note: Conflict},
		{Op: Invoke, Who: "ben", Room: "R", Nonce: "b1", Hash: "hb1"},
		{Op: OK, Who: "ben", Room: "R", Nonce: "b1", Seq: 4, Hash: "hb1"},
		{Op: Deliver, Who: "c1", Wire: 1, Room: "R", Seq: 4, Nonce: "b1", Hash: "hb1"},
		{Op: Deliver, Who: "c2", Wire: 1, Room: "R", Seq: 4, Nonce: "b1", Hash: "hb1"},
		{Op: Invoke, Who: "ben", Room: "R", Nonce: "b2", Hash: "hb2"},
		{Op: Fail, Who: "ben", Nonce: "b2"},
		{Op: Invoke, Who: "ana", Room: "R", Nonce: "a2", Hash: "ha2"},
		{Op: OK, Who: "ana", Room: "R", Nonce: "a2", Seq: 5, Hash: "ha2"},
		{Op: Invoke, Who: "ana", Room: "R", Nonce: "a3", Hash: "ha3"},
		{Op: Unknown, Who: "ana", Nonce: "a3"},
		{Op: Deliver, Who: "c1", Wire: 1, Room: "R", Seq: 5, Nonce: "a2", Hash: "ha2"},
		{Op: Deliver, Who: "c1", Wire: 1, Room: "R", Seq: 6, Nonce: "a3", Hash: "ha3"},
		{Op: Deliver, Who: "c2", Wire: 1, Room: "R", Seq: 5, Nonce: "a2", Hash: "ha2"},
		{Op: Follow, Who: "c2", Wire: 2, Heads: map[string]int64{"R": 4}},
		{Op: Deliver, Who: "c2", Wire: 2, Room: "R", Seq: 5, Nonce: "a2", Hash: "ha2", Dropped: true},
		{Op: Deliver, Who: "c2", Wire: 2, Room: "R", Seq: 6, Nonce: "a3", Hash: "ha3"},
		{Op: Log, Room: "R", Seq: 1, Hash: "x"},
		{Op: Log, Room: "R", Seq: 2, Hash: "y"},
		{Op: Log, Room: "R", Seq: 3, Nonce: "a1", Hash: "ha1"},
		{Op: Log, Room: "R", Seq: 4, Nonce: "b1", Hash: "hb1"},
		{Op: Log, Room: "R", Seq: 5, Nonce: "a2", Hash: "ha2"},
		{Op: Log, Room: "R", Seq: 6, Nonce: "a3", Hash: "ha3"},
	}
}

func seq(recs []Record) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// find is the place of the first record like want, which must be there.
func find(t *testing.T, recs []Record, want Record) int {
	t.Helper()
	i := slices.IndexFunc(recs, func(r Record) bool {
		return r.Op == want.Op && r.Who == want.Who && r.Seq == want.Seq && (want.Nonce == "" || r.Nonce == want.Nonce) && (want.Wire == 0 || r.Wire == want.Wire)
	})
	if i < 0 {
		t.Fatalf("the good history has no %+v", want)
	}
	return i
}

func TestGoodHistory(t *testing.T) {
	rep, err := Check(seq(good()))
	if err != nil {
		t.Fatal(err)
	}
	if !rep.OK() {
		t.Error(rep)
	}
	want := &Report{Attempted: 5, Tries: 6, Acked: 3, Refused: 1, Unknown: 1, LostAnswers: 2, Recovered: 1,
		Clashes: 1, Strikes: map[string]int{"kill": 1}, Rooms: 1, Consumers: 2, Follows: 3, Logged: 4, Delivered: 7, Dropped: 1,
		Faults: map[Category]int{}, Examples: map[Category][]string{}}
	if d := cmp.Diff(want, rep); d != "" {
		t.Error(d)
	}
}

func TestFaults(t *testing.T) {
	drop := func(want Record) func(*testing.T, []Record) []Record {
		return func(t *testing.T, h []Record) []Record {
			i := find(t, h, want)
			return slices.Delete(h, i, i+1)
		}
	}
	change := func(want Record, f func(*Record)) func(*testing.T, []Record) []Record {
		return func(t *testing.T, h []Record) []Record {
			f(&h[find(t, h, want)])
			return h
		}
	}
	add := func(after Record, more ...Record) func(*testing.T, []Record) []Record {
		return func(t *testing.T, h []Record) []Record {
			return slices.Insert(h, find(t, h, after)+1, more...)
		}
	}
	swap := func(a, b Record) func(*testing.T, []Record) []Record {
		return func(t *testing.T, h []Record) []Record {
			i, j := find(t, h, a), find(t, h, b)
			h[i], h[j] = h[j], h[i]
			return h
		}
	}
	c1 := func(seq int64) Record { return Record{Op: Deliver, Who: "c1", Seq: seq} }
	c2 := func(seq int64) Record { return Record{Op: Deliver, Who: "c2", Seq: seq} }
	log := func(seq int64) Record { return Record{Op: Log, Seq: seq} }
	again := Record{Op: Deliver, Who: "c2", Wire: 2, Seq: 5}
	both := func(fs ...func(*testing.T, []Record) []Record) func(*testing.T, []Record) []Record {
		return func(t *testing.T, h []Record) []Record {
			for _, f := range fs {
				h = f(t, h)
			}
			return h
		}
	}

	for _, tt := range []struct {
		name string
		do   func(*testing.T, []Record) []Record
		want map[Category]int
	}{
		{"the end of the log is gone, nobody saw it", both(
			add(log(6), Record{Op: Invoke, Who: "ben", Room: "R", Nonce: "b3", Hash: "hb3"},
				Record{Op: OK, Who: "ben", Room: "R", Nonce: "b3", Seq: 7, Hash: "hb3"})),
			map[Category]int{Lost: 1}},
		{"acknowledged, and another event has its place", both(
			change(log(5), func(r *Record) { r.Nonce, r.Hash = "a3", "ha3" }), drop(log(6)),
			change(c1(5), func(r *Record) { r.Nonce, r.Hash = "a3", "ha3" }), drop(c1(6)),
			change(c2(5), func(r *Record) { r.Nonce, r.Hash = "a3", "ha3" }),
			change(again, func(r *Record) { r.Nonce, r.Hash = "a3", "ha3" }), drop(c2(6))),
			map[Category]int{Lost: 1}},
		{"acknowledged, and the log goes on without it", both(
			change(log(4), func(r *Record) { r.Nonce, r.Hash = "b2", "hb2" }),
			drop(Record{Op: Fail, Who: "ben", Nonce: "b2"}),
			change(c1(4), func(r *Record) { r.Nonce, r.Hash = "b2", "hb2" }),
			change(c2(4), func(r *Record) { r.Nonce, r.Hash = "b2", "hb2" })),
			map[Category]int{Lost: 1, LostMiddle: 1}},
		{"not delivered at the end", drop(c1(6)), map[Category]int{Missed: 1}},
		{"not delivered in the middle", drop(c1(4)), map[Category]int{Missed: 1, SeqGap: 1}},
		{"a consumer that was given nothing", both(drop(c1(3)), drop(c1(4)), drop(c1(5)), drop(c1(6))), map[Category]int{Missed: 4}},
		{"a send that became two events", both(
			add(log(6), Record{Op: Log, Room: "R", Seq: 7, Nonce: "a1", Hash: "ha1"}),
			add(log(6), Record{Op: Deliver, Who: "c1", Wire: 1, Room: "R", Seq: 7, Nonce: "a1", Hash: "ha1"},
				Record{Op: Deliver, Who: "c2", Wire: 2, Room: "R", Seq: 7, Nonce: "a1", Hash: "ha1"})),
			map[Category]int{Duplicated: 1}},
		{"two answers for one send", add(Record{Op: OK, Who: "ana", Seq: 3}, Record{Op: OK, Who: "ana", Room: "R", Nonce: "a1", Seq: 9, Hash: "ha1"}),
			map[Category]int{Duplicated: 1, Reordered: 1}},
		{"an answer that names another place", change(Record{Op: OK, Who: "ben", Seq: 4}, func(r *Record) { r.Seq = 5 }),
			map[Category]int{Reordered: 1}},
		{"delivered twice", add(c1(5), Record{Op: Deliver, Who: "c1", Wire: 1, Room: "R", Seq: 5, Nonce: "a2", Hash: "ha2"}),
			map[Category]int{Repeated: 1, Shown: 1}},
		{"delivered twice, and shown once", add(c1(5), Record{Op: Deliver, Who: "c1", Wire: 1, Room: "R", Seq: 5, Nonce: "a2", Hash: "ha2", Dropped: true}),
			map[Category]int{Repeated: 1}},
		{"a new connection that goes back further than asked", add(Record{Op: Follow, Who: "c2", Wire: 2},
			Record{Op: Deliver, Who: "c2", Wire: 2, Room: "R", Seq: 4, Nonce: "b1", Hash: "hb1", Dropped: true}),
			map[Category]int{Repeated: 1}},
		{"a new connection that does not go back as far as asked", drop(again), map[Category]int{SeqGap: 1}},
		{"shown again after it came again", change(again, func(r *Record) { r.Dropped = false }), map[Category]int{Shown: 1}},
		{"dropped but never shown", change(c1(5), func(r *Record) { r.Dropped = true }), map[Category]int{Missed: 1}},
		{"something else under a known nonce", change(Record{Op: Clash, Who: "ana"}, func(r *Record) { r.Note = "it is R/3" }),
			map[Category]int{Clashed: 1}},
		{"delivered from before its beginning", add(c2(4),
			Record{Op: Deliver, Who: "c2", Wire: 1, Room: "R", Seq: 3, Nonce: "a1", Hash: "ha1"}),
			map[Category]int{Repeated: 1, Shown: 1}},
		{"delivered in the wrong order", swap(c1(4), c1(5)), map[Category]int{Reordered: 1, SeqGap: 1}},
		{"the log in the wrong order", swap(log(4), log(5)), map[Category]int{Reordered: 1, SeqGap: 1}},
		{"the log without a number", both(
			change(log(6), func(r *Record) { r.Seq = 7 }), change(c1(6), func(r *Record) { r.Seq = 7 }),
			change(c2(6), func(r *Record) { r.Seq = 7 })),
			map[Category]int{SeqGap: 1}},
		{"the log without its beginning", drop(log(1)), map[Category]int{SeqGap: 1}},
		{"in the log but sent by nobody", change(log(6), func(r *Record) { r.Hash = "hz" }),
			map[Category]int{Unexpected: 3}},
		{"refused but in the log", add(log(6), Record{Op: Log, Room: "R", Seq: 7, Nonce: "b2", Hash: "hb2"}),
			map[Category]int{Unexpected: 1, Missed: 2}},
		{"in the log under another nonce", change(log(3), func(r *Record) { r.Nonce = "z" }),
			map[Category]int{Unexpected: 2}},
		{"delivered but not in the log", add(c1(6), Record{Op: Deliver, Who: "c1", Wire: 1, Room: "R", Seq: 7, Hash: "hz"}),
			map[Category]int{Unexpected: 1}},
		{"delivered of a room that is not theirs", add(c1(6), Record{Op: Deliver, Who: "c1", Wire: 1, Room: "Q", Seq: 1, Hash: "hz"}),
			map[Category]int{Unexpected: 1}},
		{"delivered with another body", change(c1(5), func(r *Record) { r.Hash = "hz" }), map[Category]int{Unexpected: 1}},
		{"answered with another event", change(Record{Op: OK, Who: "ben", Seq: 4}, func(r *Record) { r.Hash = "hz" }),
			map[Category]int{Unexpected: 1}},
		{"told to begin again", add(c1(5), Record{Op: Reset, Who: "c1"}, Record{Op: Begin, Who: "c1", User: "ana", Room: "R", Seq: 5}),
			map[Category]int{WasReset: 1}},
		{"told to begin again, and skipped some", both(drop(c1(5)),
			add(c1(4), Record{Op: Reset, Who: "c1"}, Record{Op: Begin, Who: "c1", Room: "R", Seq: 5})),
			map[Category]int{WasReset: 1, Missed: 1, SeqGap: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep, err := Check(seq(tt.do(t, good())))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, rep.Faults); d != "" {
				t.Errorf("%s\n%s", d, rep)
			}
			if rep.OK() {
				t.Error("it was not noticed")
			}
		})
	}
}

// TestRights holds that who left a room is to be given nothing of it until they are back, and everything then.
func TestRights(t *testing.T) {
	history := func(given ...int64) []Record {
		h := good()
		for i, nonce := range []string{"m7", "m8", "m9", "m10"} {
			h = append(h, Record{Op: Invoke, Who: "ana", Room: "R", Nonce: nonce, Hash: "h" + nonce},
				Record{Op: OK, Who: "ana", Room: "R", Nonce: nonce, Seq: int64(7 + i), Hash: "h" + nonce})
		}
		h = append(h, Record{Op: Begin, Who: "c3", User: "cy", Room: "R", Seq: 6},
			Record{Op: Follow, Who: "c3", Wire: 1, Heads: map[string]int64{"R": 6}})
		for _, who := range []string{"c1", "c2"} {
			h = append(h, Record{Op: Follow, Who: who, Wire: 7, Heads: map[string]int64{"R": 6}})
			for _, n := range []int64{7, 8, 9, 10} {
				h = append(h, Record{Op: Deliver, Who: who, Wire: 7, Room: "R", Seq: n, Nonce: fmt.Sprint("m", n), Hash: fmt.Sprint("hm", n)})
			}
		}
		for _, n := range given {
			h = append(h, Record{Op: Deliver, Who: "c3", Wire: 1, Room: "R", Seq: n, Nonce: fmt.Sprint("m", n), Hash: fmt.Sprint("hm", n)})
		}
		return append(h,
			Record{Op: Log, Room: "R", Seq: 7, Nonce: "m7", Hash: "hm7", User: "cy", Left: true},
			Record{Op: Log, Room: "R", Seq: 8, Nonce: "m8", Hash: "hm8"},
			Record{Op: Log, Room: "R", Seq: 9, Nonce: "m9", Hash: "hm9", User: "cy"},
			Record{Op: Log, Room: "R", Seq: 10, Nonce: "m10", Hash: "hm10"})
	}
	for _, tt := range []struct {
		given []int64
		want  map[Category]int
	}{
		{[]int64{7, 9, 10}, map[Category]int{}},
		{[]int64{7, 8, 9, 10}, map[Category]int{Leaked: 1}},
		{[]int64{7, 10}, map[Category]int{SeqGap: 1, Missed: 1}},
		{[]int64{9, 10}, map[Category]int{SeqGap: 1, Missed: 1}},
		{[]int64{7}, map[Category]int{Missed: 2}},
	} {
		rep, err := Check(seq(history(tt.given...)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, rep.Faults); d != "" {
			t.Errorf("given %v: %s\n%s", tt.given, d, rep)
		}
	}
}

// TestUnusable holds that a history which proves nothing never passes.
func TestUnusable(t *testing.T) {
	without := func(op Op) []Record {
		return slices.DeleteFunc(good(), func(r Record) bool { return r.Op == op })
	}
	for _, tt := range []struct {
		name string
		recs []Record
		want string
	}{
		{"empty", nil, "no rooms"},
		{"no sends", slices.DeleteFunc(without(Invoke), func(r Record) bool { return r.Op == OK || r.Op == Unknown || r.Op == Fail || r.Op == Clash }), "no sends"},
		{"no consumers", slices.DeleteFunc(without(Begin), func(r Record) bool { return r.Op == Deliver || r.Op == Follow }), "no consumers"},
		{"no log", without(Log), "does not have the log"},
		{"no beginning", slices.DeleteFunc(good(), func(r Record) bool { return r.Who == "c2" && r.Op != Deliver }), ""},
		{"an outcome of nothing", without(Invoke), "which it never sent"},
		{"a nonce for two drafts", append(good(), Record{Op: Invoke, Who: "ana", Room: "R", Nonce: "a1", Hash: "other"}), "another draft"},
		{"a body twice", append(good(), Record{Op: Invoke, Who: "ana", Room: "R", Nonce: "a9", Hash: "ha1"}), "must be unique"},
		{"a connection that was never opened", append(good(), Record{Op: Deliver, Who: "c1", Wire: 9, Room: "R", Seq: 6, Nonce: "a3", Hash: "ha3"}), "never opened"},
		{"a connection opened twice", append(good(), Record{Op: Follow, Who: "c1", Wire: 1}), "again"},
		{"a clash with nothing", append(good(), Record{Op: Clash, Who: "ana", Nonce: "zz", Hash: "h", Note: Conflict}), "never sent"},
		{"a clash that is none", append(good(), Record{Op: Clash, Who: "ana", Nonce: "a1", Hash: "ha1", Note: Conflict}), "sends again"},
		{"an unknown op", append(good(), Record{Op: "dance"}), "unknown op"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep, err := Check(seq(tt.recs))
			if err == nil && rep.OK() {
				t.Fatal("it passed")
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got the error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestRead(t *testing.T) {
	const two = `{"op":"strike","at":1,"kind":"kill"}` + "\n" + `{"op":"log","at":2,"room":"R","seq":3}` + "\n"
	var got []Record
	for r, err := range Read(strings.NewReader(two)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	want := []Record{{Op: Strike, At: 1, Kind: "kill"}, {Op: Log, At: 2, Room: "R", Seq: 3}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, cut := range []string{two[:len(two)-1], two[:len(two)-9], two + "{}x\n"} {
		var last error
		for _, err := range Read(strings.NewReader(cut)) {
			last = err
		}
		if last == nil {
			t.Errorf("a history that ends in %q was read without an error", cut[len(cut)-4:])
		}
	}
}

// TestIndependent holds that the checker shares no code with what it judges.
func TestIndependent(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			if strings.HasPrefix(imp.Path.Value, `"parley/`) {
				t.Errorf("%s imports %s", name, imp.Path.Value)
			}
		}
	}
}
